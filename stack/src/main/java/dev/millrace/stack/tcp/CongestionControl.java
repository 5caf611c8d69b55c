package dev.millrace.stack.tcp;

/**
 * How much a connection may have in flight. Loss recovery says when something was lost; this says what follows for the window.
 * One instance per connection; core thread only; allocates nothing.
 */
interface CongestionControl {
    /**
     * The handshake is complete.
     *
     * @param mssBytes largest payload we send
     * @param synLost the SYN or SYN-ACK had to be repeated more than once: the initial window is one segment (RFC 5681 §3.1; like Linux not for a single
     *     repetition, which since RFC 6298 shortened the first timeout to a second may mean a long round trip only)
     */
    void onEstablished(int mssBytes, boolean synLost);

    /** The path's MTU changed; the window in bytes stays. */
    void onMssChanged(int mssBytes);

    /**
     * An acknowledgment has been taken in, whatever it says and whatever phase loss recovery is in; comes after the calls that a loss or the end of
     * a recovery causes, and before {@link #onAck} and {@link #onEcnEcho}. For algorithms that measure.
     */
    default void onSample(AckSample sample) {
        // the others grow and shrink by what follows
    }

    /** New data was acknowledged outside fast recovery (slow start after a timeout included). */
    void onAck(AckSample sample);

    /** Fast recovery begins: called once per window of data (RFC 5681 §3.2 (2)). */
    void onLoss(long nowNs);

    /** Everything outstanding when recovery began has been acknowledged. */
    void onRecovered(long nowNs);

    /**
     * The retransmission timer expired: the window falls to one segment (RFC 5681 §3.1).
     *
     * @param repeated the same data has timed out before: the slow-start threshold stays
     */
    void onRto(boolean repeated, long nowNs);

    /**
     * The peer has echoed a congestion mark (RFC 3168 §6.1.2): called once per window of data, and not while losses have the window reduced
     * already.
     */
    void onEcnEcho(long nowNs);

    /**
     * The last reduction was a mistake, what was deemed lost had only been late (RFC 5682, 3522, 3708): what {@link #onLoss} or the first {@link
     * #onRto} changed is as it was before, except that what has been gained since stays. Without effect the second time.
     */
    void onSpurious(long nowNs);

    /** Nothing was sent for {@code idleNs}: a window that has not been validated shrinks, so that no burst at line rate follows (RFC 7661). */
    void onIdle(long idleNs, long rtoNs);

    /** For a retransmission timeout the application has not filled the window; {@code usedBytes} were in flight at most (RFC 2861 §3, RFC 7661). */
    default void onUnused(long usedBytes) {
        // what is measured needs no such guess
    }

    /**
     * Whether {@link #cwndBytes} is the window also while losses are repaired. Otherwise loss recovery brings it down to the threshold by itself (RFC
     * 6937).
     */
    default boolean setsWindowInRecovery() {
        return false;
    }

    /**
     * Bytes per second at which segments leave when they are paced.
     *
     * @param roundTripNs smoothed round trip, 0 when none is known
     */
    long pacingRate(long roundTripNs);

    long cwndBytes();

    long ssthreshBytes();

    String name();
}
