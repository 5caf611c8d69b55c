package dev.millrace.stack.tcp;

/**
 * Seam between the sender and what decides which bytes are lost and how many may be in the network: RFC 5681, 6582, 6675 now, RACK-TLP
 * later. Owns the connection's congestion control. The sender reports what happens and asks what it may send; it keeps windows,
 * Nagle and timers to itself.
 *
 * <p>Everything is in stream positions: 0 is the first byte of data, a FIN takes the position behind the last byte. The SYN is not
 * reported. Core thread only; nothing here allocates in the steady state.
 */
interface LossRecovery {
    /** {@link #retransmitFrom}: nothing is to be sent again. */
    long NOTHING = -1;

    /** {@code [from, to)} went out for the first time; {@code to} is SND.NXT now. */
    void onSent(long from, long to, long nowNs);

    /** {@code [from, to)}, which begins at {@link #retransmitFrom} or {@link #speculateFrom}, went out again. */
    void onRetransmitted(long from, long to, long nowNs);

    /**
     * An acceptable ACK was processed.
     *
     * @param priorUna SND.UNA before it
     * @param una SND.UNA now; equal when it acknowledges nothing new
     * @param nxt SND.NXT
     * @param duplicate it meets RFC 5681 §2's definition of a duplicate ACK, except that it may carry SACK blocks
     * @param sackFrom left edges of its SACK blocks, in the order of the option; not yet validated against una and nxt
     * @param sackTo right edges
     * @param sackBlocks how many
     * @param rttNs round-trip time that this ACK measured, −1 when it measured none (Karn)
     * @param windowLimited cwnd kept the sender from sending more in the last round trip (RFC 7661, RFC 9438 §4.2)
     */
    void onAck(
            long priorUna,
            long una,
            long nxt,
            boolean duplicate,
            long[] sackFrom,
            long[] sackTo,
            int sackBlocks,
            long rttNs,
            boolean windowLimited,
            long nowNs);

    /** The retransmission timer fired: everything not SACKed in {@code [una, nxt)} is to be sent again, as cwnd allows. */
    void onTimeout(long una, long nxt, long nowNs);

    /** The peer echoes a congestion mark, for the first time in a window of data, and no loss is being repaired (RFC 3168 §6.1.2). */
    void onEcnEcho(long inFlightBytes, long nowNs);

    /** {@link CongestionControl#pacingRate}. */
    long pacingRate(long roundTripNs);

    /** First position of the next range to send again, or {@link #NOTHING}. Does not ask whether cwnd allows it. */
    long retransmitFrom();

    /** End of that range, at most one segment behind its beginning. */
    long retransmitTo();

    /**
     * To be asked only when {@link #retransmitFrom} is {@link #NOTHING} and no new data can be sent: a range not yet deemed lost that is worth
     * sending again, because the flight would dry up otherwise (RFC 6675 §4 NextSeg rules 3 and 4), or {@link #NOTHING}.
     */
    long speculateFrom();

    /** End of that range. */
    long speculateTo();

    /**
     * Bytes that may enter the network now: cwnd less what is in flight, never negative, limited transmit (RFC 3042) included. At least a
     * segment while the retransmission that opens a recovery is due (RFC 6675 §5 step 4.3 sends it regardless of cwnd).
     */
    int allowanceBytes();

    /** The pipe of RFC 6675 §4: bytes sent, not acknowledged, and not deemed lost. */
    int inFlightBytes();

    /** Fast recovery, or the retransmissions after a timeout, are going on. */
    boolean inRecovery();

    /** Nothing was sent for {@code idleNs}: the window restarts (RFC 5681 §4.1, RFC 9293 §3.8.3). */
    void onIdle(long idleNs, long rtoNs, long nowNs);

    /** Payload bytes of a full segment have changed (path MTU). */
    void segmentBytes(int bytes);

    int cwndBytes();

    int ssthreshBytes();
}
