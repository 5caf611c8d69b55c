package dev.millrace.stack.tcp;

/**
 * The part of RFC 5681 that the window-based algorithms share: initial window, slow start with byte counting (RFC 3465),
 * timeouts, restart after idleness. Core thread only.
 */
abstract class AbstractCongestionControl implements CongestionControl {
    /** "Arbitrarily high" (RFC 5681 §3.1). */
    static final long UNKNOWN_SSTHRESH = Long.MAX_VALUE;

    /** RFC 6928: ten segments, but no more bytes than ten of Ethernet's. */
    private static final int INITIAL_WINDOW_SEGMENTS = 10;

    private static final int INITIAL_WINDOW_BYTES = 14_600;

    /** RFC 3465 §2.3: one acknowledgment grows the window by two segments at most. */
    private static final int SLOW_START_LIMIT_SEGMENTS = 2;

    /** No window grows beyond what the largest scaled receive window could use. */
    static final long MAX_WINDOW_BYTES = 1L << 30;

    protected int mssBytes = 536;
    protected long cwndBytes = mssBytes;
    protected long ssthreshBytes = UNKNOWN_SSTHRESH;

    @Override
    public void onEstablished(int mss, boolean synRetransmitted) {
        mssBytes = mss;
        cwndBytes = synRetransmitted ? mss : initialWindowBytes();
    }

    /** RFC 6928 (2). */
    protected final long initialWindowBytes() {
        return Math.min((long) INITIAL_WINDOW_SEGMENTS * mssBytes, Math.max(2L * mssBytes, INITIAL_WINDOW_BYTES));
    }

    @Override
    public void onMssChanged(int mss) {
        mssBytes = mss;
        cwndBytes = Math.max(cwndBytes, mss);
    }

    protected final boolean inSlowStart() {
        return cwndBytes < ssthreshBytes;
    }

    /**
     * Slow start by byte counting.
     *
     * @return acknowledged bytes not used up, because the threshold was reached
     */
    protected final long slowStart(long ackedBytes) {
        long counted = Math.min(ackedBytes, (long) SLOW_START_LIMIT_SEGMENTS * mssBytes);
        long grown = Math.min(cwndBytes + counted, Math.min(ssthreshBytes, MAX_WINDOW_BYTES));
        long left = counted - (grown - cwndBytes);
        cwndBytes = grown;
        return left;
    }

    @Override
    public void onRto(long inFlightBytes, boolean repeated, long nowNs) {
        if (!repeated) {
            ssthreshBytes = reducedBytes(inFlightBytes);
        }
        cwndBytes = mssBytes; // the loss window
    }

    /** The threshold after a loss with that much in flight, two segments at least (RFC 5681 equation 4). */
    protected abstract long reducedBytes(long inFlightBytes);

    /**
     * Halves the window for each timeout that passed idle, down to the restart window (RFC 5681 §4.1, RFC 2861), and remembers three
     * quarters of it as threshold, so that slow start soon regains what was known to work.
     */
    @Override
    public void onIdle(long idleNs, long rtoNs) {
        long restart = Math.min(initialWindowBytes(), cwndBytes);
        if (idleNs < rtoNs || cwndBytes <= restart) {
            return;
        }
        ssthreshBytes = ssthreshBytes == UNKNOWN_SSTHRESH
                ? cwndBytes - cwndBytes / 4
                : Math.max(ssthreshBytes, cwndBytes - cwndBytes / 4);
        long halvings = Math.min(idleNs / rtoNs, 62);
        cwndBytes = Math.max(cwndBytes >> halvings, restart);
    }

    @Override
    public void onRecovered(long nowNs) {
        cwndBytes = Math.min(cwndBytes, Math.max(ssthreshBytes, mssBytes));
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
