package dev.millrace.stack.tcp;

/**
 * The part of RFC 5681 that the window-based algorithms share: initial window, slow start with byte counting (RFC 3465),
 * reductions and their undoing, timeouts, restart after idleness. Core thread only.
 */
abstract class AbstractCongestionControl implements CongestionControl {
    /** "Arbitrarily high" (RFC 5681 §3.1). */
    static final long UNKNOWN_SSTHRESH = Long.MAX_VALUE;

    /** RFC 6928; as on Linux also of segments larger than Ethernet's, for which the RFC has fewer. */
    private static final int INITIAL_WINDOW_SEGMENTS = 10;

    /** No window grows beyond what the largest scaled receive window could use. */
    static final long MAX_WINDOW_BYTES = 1L << 30;

    /** Linux' tcp_pacing_ss_ratio and tcp_pacing_ca_ratio: windows per round trip, so that pacing never holds growth back. */
    private static final double SLOW_START_PACING_GAIN = 2.0;

    private static final double AVOIDANCE_PACING_GAIN = 1.2;

    private static final double NS_PER_SECOND = 1e9;

    protected int mssBytes = 536;
    protected long cwndBytes = mssBytes;
    protected long ssthreshBytes = UNKNOWN_SSTHRESH;

    // before the last reduction
    private boolean undoable;
    private long priorCwndBytes;
    private long priorSsthreshBytes;

    @Override
    public void onEstablished(int mss, boolean synLost) {
        mssBytes = mss;
        cwndBytes = synLost ? mss : initialWindowBytes(mss);
    }

    /** RFC 6928 (2). */
    static long initialWindowBytes(int mssBytes) {
        return (long) INITIAL_WINDOW_SEGMENTS * mssBytes;
    }

    @Override
    public void onMssChanged(int mss) {
        mssBytes = mss;
        cwndBytes = Math.max(cwndBytes, mss);
    }

    // ---- growth ----

    protected final boolean inSlowStart() {
        return cwndBytes < ssthreshBytes;
    }

    /**
     * Slow start by byte counting, with all that an acknowledgment newly says has arrived, as Linux. RFC 3465 §2.3 takes two segments of it at most, for
     * receivers that acknowledge two; today's acknowledge what the network card or the stack has joined to a burst.
     *
     * @return bytes not used up, because the threshold was reached
     */
    protected final long slowStart(long arrivedBytes) {
        long grown = Math.min(cwndBytes + arrivedBytes, Math.min(ssthreshBytes, MAX_WINDOW_BYTES));
        long left = arrivedBytes - (grown - cwndBytes);
        cwndBytes = grown;
        return left;
    }

    // ---- reduction ----

    @Override
    public final void onLoss(long nowNs) {
        remember();
        onReduction(false);
        reduceTo(reducedBytes());
    }

    /** RFC 3168 §6.1.2: as for a loss, "but no packet has been dropped"; nothing will turn out to have been late. */
    @Override
    public final void onEcnEcho(long nowNs) {
        undoable = false;
        onReduction(false);
        reduceTo(thresholdAfterMark());
    }

    private void reduceTo(long bytes) {
        ssthreshBytes = Math.max(bytes, 2L * mssBytes);
        cwndBytes = ssthreshBytes;
    }

    @Override
    public final void onRto(boolean repeated, long nowNs) {
        if (!repeated) {
            remember();
            onReduction(true);
            ssthreshBytes = Math.max(reducedBytes(), 2L * mssBytes);
        }
        cwndBytes = mssBytes; // the loss window
    }

    /**
     * The threshold after a loss; two segments are the least. RFC 5681 equation 4 reckons it from FlightSize; Linux, and this, from the window, which is kept
     * near to what is in use by {@link #onUnused} and because it does not grow otherwise (RFC 7661 §4.4 has the larger of what was used, too).
     */
    protected abstract long reducedBytes();

    /** The threshold after a congestion mark. */
    protected long thresholdAfterMark() {
        return reducedBytes();
    }

    /** The window is about to be reduced. */
    protected abstract void onReduction(boolean timeout);

    private void remember() {
        undoable = true;
        priorCwndBytes = cwndBytes;
        priorSsthreshBytes = ssthreshBytes;
        onRemember();
    }

    /** What the algorithm needs to take the next reduction back is to be kept. */
    protected abstract void onRemember();

    /** What {@link #onRemember} kept holds again. */
    protected abstract void onUndo();

    @Override
    public final void onSpurious(long nowNs) {
        if (undoable) {
            undoable = false;
            cwndBytes = Math.max(cwndBytes, priorCwndBytes);
            ssthreshBytes = Math.max(ssthreshBytes, priorSsthreshBytes);
            onUndo();
        }
    }

    @Override
    public void onRecovered(long nowNs) {
        cwndBytes = Math.min(cwndBytes, Math.max(ssthreshBytes, mssBytes));
    }

    /**
     * Halves the window for each timeout that passed idle, down to the restart window (RFC 5681 §4.1, RFC 2861 §3), and remembers three
     * quarters of it as threshold, so that slow start soon regains what was known to work. Like Linux not before a first reduction: the
     * threshold is still unknown then.
     */
    @Override
    public void onIdle(long idleNs, long rtoNs) {
        long restart = Math.min(initialWindowBytes(mssBytes), cwndBytes);
        if (idleNs < rtoNs || cwndBytes <= restart) {
            return;
        }
        rememberAsThreshold();
        long halvings = Math.min(idleNs / rtoNs, 62);
        cwndBytes = Math.max(cwndBytes >> halvings, restart);
    }

    /** Half of what was not used goes (RFC 2861 §3.1). */
    @Override
    public final void onUnused(long usedBytes) {
        long used = Math.max(usedBytes, initialWindowBytes(mssBytes));
        if (used < cwndBytes) {
            rememberAsThreshold();
            cwndBytes = (cwndBytes + used) / 2;
        }
    }

    private void rememberAsThreshold() {
        ssthreshBytes = Math.max(ssthreshBytes, cwndBytes - cwndBytes / 4);
    }

    // ---- what follows ----

    @Override
    public long pacingRate(long roundTripNs) {
        if (roundTripNs <= 0) {
            return Pacer.UNPACED;
        }
        double gain = cwndBytes < ssthreshBytes / 2 ? SLOW_START_PACING_GAIN : AVOIDANCE_PACING_GAIN;
        return (long) Math.max(1, gain * (double) cwndBytes * NS_PER_SECOND / (double) roundTripNs);
    }

    @Override
    public final long cwndBytes() {
        return cwndBytes;
    }

    @Override
    public final long ssthreshBytes() {
        return ssthreshBytes;
    }
}
