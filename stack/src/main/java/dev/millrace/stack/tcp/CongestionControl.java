package dev.millrace.stack.tcp;

/**
 * How much a connection may have in flight. Loss recovery says when something was lost; this says what follows for the window.
 * One instance per connection; core thread only; allocates nothing.
 */
interface CongestionControl {
    /** Makes one instance per connection. */
    @FunctionalInterface
    interface Supplier {
        CongestionControl get();
    }

    /** The algorithm of that name: {@code cubic}, or {@code newreno}. */
    static Supplier byName(String name) {
        return switch (name) {
            case "cubic" -> Cubic::new;
            case "newreno", "reno" -> NewReno::new;
            default ->
                throw new IllegalArgumentException(
                        "congestion control " + name + " is unknown; there are cubic and newreno");
        };
    }

    /**
     * The handshake is complete.
     *
     * @param mssBytes largest payload we send
     * @param synRetransmitted the SYN or SYN-ACK was lost: the initial window is one segment (RFC 5681 §3.1)
     */
    void onEstablished(int mssBytes, boolean synRetransmitted);

    /** The path's MTU changed; the window in bytes stays. */
    void onMssChanged(int mssBytes);

    /** New data was acknowledged outside fast recovery (slow start after a timeout included). */
    void onAck(AckSample sample);

    /**
     * Fast recovery begins: called once per window of data (RFC 5681 §3.2 (2)).
     *
     * @param inFlightBytes FlightSize, that is SND.NXT − SND.UNA
     */
    void onLoss(long inFlightBytes, long nowNs);

    /** Everything outstanding when recovery began has been acknowledged. */
    void onRecovered(long nowNs);

    /**
     * The retransmission timer expired: the window falls to one segment (RFC 5681 §3.1).
     *
     * @param repeated the same data has timed out before: the slow-start threshold stays
     */
    void onRto(long inFlightBytes, boolean repeated, long nowNs);

    /** Nothing was sent for {@code idleNs}: a window that has not been validated shrinks, so that no burst at line rate follows (RFC 7661). */
    void onIdle(long idleNs, long rtoNs);

    long cwndBytes();

    long ssthreshBytes();

    String name();
}
