package dev.millrace.stack.tcp;

/**
 * The part of RFC 5681 that the window-based algorithms share: initial window, slow start with byte counting (RFC 3465),
 * reductions and their undoing, timeouts, restart after idleness. Core thread only.
 */
abstract class AbstractCongestionControl implements CongestionControl {
    /** "Arbitrarily high" (RFC 5681 §3.1). */
    static final long UNKNOWN_SSTHRESH = Long.MAX_VALUE;

    /** RFC 6928: ten segments, but no more bytes than ten of Ethernet's. */
    private static final int INITIAL_WINDOW_SEGMENTS = 10;

    private static final int INITIAL_WINDOW_BYTES = 14_600;

    /** RFC 3465 §2.3, L: one acknowledgment grows the window by two segments at most, */
    private static final int SLOW_START_LIMIT_SEGMENTS = 2;

    /** and by one after a timeout, when acknowledgments cover much that had arrived before. */
    private static final int AFTER_TIMEOUT_LIMIT_SEGMENTS = 1;

    /** No window grows beyond what the largest scaled receive window could use. */
    static final long MAX_WINDOW_BYTES = 1L << 30;

    /** Linux' tcp_pacing_ss_ratio and tcp_pacing_ca_ratio: windows per round trip, so that pacing never holds growth back. */
    private static final double SLOW_START_PACING_GAIN = 2.0;

    private static final double AVOIDANCE_PACING_GAIN = 1.2;

    private static final double NS_PER_SECOND = 1e9;

    protected int mssBytes = 536;
    protected long cwndBytes = mssBytes;
    protected long ssthreshBytes = UNKNOWN_SSTHRESH;

    private boolean afterTimeout;

    // before the last reduction
    private boolean undoable;
    private long priorCwndBytes;
    private long priorSsthreshBytes;

    @Override
    public void onEstablished(int mss, boolean synRetransmitted) {
        mssBytes = mss;
        cwndBytes = synRetransmitted ? mss : initialWindowBytes(mss);
    }

    /** RFC 6928 (2). */
    static long initialWindowBytes(int mssBytes) {
        return Math.min((long) INITIAL_WINDOW_SEGMENTS * mssBytes, Math.max(2L * mssBytes, INITIAL_WINDOW_BYTES));
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
     * Slow start by byte counting.
     *
     * @return acknowledged bytes not used up, because the threshold was reached
     */
    protected final long slowStart(long ackedBytes) {
        int limit = afterTimeout ? AFTER_TIMEOUT_LIMIT_SEGMENTS : SLOW_START_LIMIT_SEGMENTS;
        long counted = Math.min(ackedBytes, (long) limit * mssBytes);
        long grown = Math.min(cwndBytes + counted, Math.min(ssthreshBytes, MAX_WINDOW_BYTES));
        long left = counted - (grown - cwndBytes);
        cwndBytes = grown;
        afterTimeout &= inSlowStart();
        return left;
    }

    // ---- reduction ----

    @Override
    public final void onLoss(long inFlightBytes, long nowNs) {
        remember();
        onReduction(false);
        reduceTo(reducedBytes(flightBytes(inFlightBytes)));
    }

    /** RFC 3168 §6.1.2: as for a loss, "but no packet has been dropped"; nothing will turn out to have been late. */
    @Override
    public final void onEcnEcho(long inFlightBytes, long nowNs) {
        undoable = false;
        onReduction(false);
        reduceTo(thresholdAfterMark(flightBytes(inFlightBytes)));
    }

    private void reduceTo(long bytes) {
        ssthreshBytes = Math.max(bytes, 2L * mssBytes);
        cwndBytes = ssthreshBytes;
        afterTimeout = false;
    }

    @Override
    public final void onRto(long inFlightBytes, boolean repeated, long nowNs) {
        if (!repeated) {
            remember();
            onReduction(true);
            ssthreshBytes = Math.max(reducedBytes(flightBytes(inFlightBytes)), 2L * mssBytes);
        }
        cwndBytes = mssBytes; // the loss window
        afterTimeout = true;
    }

    /**
     * A flight that leaves no room for another segment has filled the window (else each reduction would take the fraction of a segment on top), and what
     * was selectively acknowledged, in whose place more was sent, counts in FlightSize though more than a window was never in the network.
     */
    private long flightBytes(long inFlightBytes) {
        return inFlightBytes > cwndBytes - mssBytes ? cwndBytes : inFlightBytes;
    }

    /** The threshold after a loss with that much in flight (RFC 5681 equation 4); two segments are the least. */
    protected abstract long reducedBytes(long flightBytes);

    /** The threshold after a congestion mark. */
    protected long thresholdAfterMark(long flightBytes) {
        return reducedBytes(flightBytes);
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
            afterTimeout = false;
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
        ssthreshBytes = Math.max(ssthreshBytes, cwndBytes - cwndBytes / 4);
        long halvings = Math.min(idleNs / rtoNs, 62);
        cwndBytes = Math.max(cwndBytes >> halvings, restart);
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
