package dev.millrace.stack.tcp;

/**
 * RFC 5681's congestion control: slow start, one segment more per round trip in congestion avoidance, half the flight after
 * a loss. Bytes are counted, not acknowledgments (RFC 3465), so splitting acknowledgments gains nothing. Core thread only.
 */
class NewReno extends AbstractCongestionControl {
    /** Bytes acknowledged since the window last grew, in congestion avoidance. */
    private long ackedSinceGrowth;

    @Override
    public final void onAck(AckSample sample) {
        if (!sample.windowLimited || sample.ecnEcho) {
            return;
        }
        long left = inSlowStart() ? slowStart(sample.arrivedBytes) : sample.arrivedBytes;
        if (inSlowStart()) {
            return;
        }
        ackedSinceGrowth += left;
        if (ackedSinceGrowth >= cwndBytes) {
            ackedSinceGrowth -= cwndBytes;
            cwndBytes = Math.min(cwndBytes + mssBytes, MAX_WINDOW_BYTES);
        }
    }

    @Override
    protected void onReduction(boolean timeout) {
        ackedSinceGrowth = 0;
    }

    @Override
    protected void onRemember() {
        // a fraction of a segment is not worth it
    }

    @Override
    protected void onUndo() {
        // nothing was kept
    }

    @Override
    protected long reducedBytes() {
        return cwndBytes / 2;
    }

    @Override
    public String name() {
        return "newreno";
    }
}
