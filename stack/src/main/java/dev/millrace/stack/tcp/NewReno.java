package dev.millrace.stack.tcp;

/**
 * RFC 5681's congestion control: slow start, one segment more per round trip in congestion avoidance, half the flight after
 * a loss. Bytes are counted, not acknowledgments (RFC 3465), so splitting acknowledgments gains nothing. Core thread only.
 */
final class NewReno extends AbstractCongestionControl {
    /** Bytes acknowledged since the window last grew, in congestion avoidance. */
    private long ackedSinceGrowth;

    @Override
    public void onAck(AckSample sample) {
        if (!sample.windowLimited) {
            return;
        }
        long left = inSlowStart() ? slowStart(sample.ackedBytes) : sample.ackedBytes;
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
    public void onLoss(long inFlightBytes, long nowNs) {
        ssthreshBytes = reducedBytes(inFlightBytes);
        cwndBytes = ssthreshBytes;
        ackedSinceGrowth = 0;
    }

    @Override
    public void onRto(long inFlightBytes, boolean repeated, long nowNs) {
        super.onRto(inFlightBytes, repeated, nowNs);
        ackedSinceGrowth = 0;
    }

    @Override
    protected long reducedBytes(long inFlightBytes) {
        return Math.max(inFlightBytes / 2, 2L * mssBytes);
    }

    @Override
    public String name() {
        return "newreno";
    }
}
