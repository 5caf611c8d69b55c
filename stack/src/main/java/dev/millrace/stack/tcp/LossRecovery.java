package dev.millrace.stack.tcp;

/**
 * Seam between the sender and what decides which bytes are lost and how many may be in the network. Owns the connection's congestion
 * control and feeds its round-trip estimator. The sender reports what happens and asks what it may send; it keeps windows, Nagle and
 * timers to itself.
 *
 * <p>Everything is in stream positions: 0 is the first byte of data, a FIN takes the position behind the last byte. The SYN is not
 * reported. Core thread only; nothing here allocates in the steady state.
 */
interface LossRecovery {
    /** No position: there is nothing to be sent. No time: there is no timer to be set. */
    long NOTHING = -1;

    /** {@code [from, to)} went out for the first time, as one segment; {@code to} is SND.NXT now. */
    void onSent(long from, long to, long nowNs);

    /** {@code [from, to)}, as {@link #retransmitFrom} or {@link #probeFrom} named it, went out again: a segment, or several as one. */
    void onRetransmitted(long from, long to, long nowNs);

    /** An acceptable ACK came while something was in flight, or a verdict on what was is awaited ({@link #isProbeOut}, D-SACK). */
    void onAck(Acknowledgment ack);

    /** The retransmission timer fired. */
    void onTimeout(long nowNs);

    /**
     * The acknowledgment that {@link #onAck} has just taken in echoes a congestion mark, for the first time in a window of data, and no loss is being
     * repaired (RFC 3168 §6.1.2): the window is to shrink.
     */
    void onEcnEcho(long nowNs);

    /** {@link CongestionControl#pacingRate}. */
    long pacingRate(long roundTripNs);

    /** The path has turned out to take smaller segments only: those that are too large are lost, though not by congestion. */
    void onPathNarrowed(long nowNs);

    // ---- what to send ----

    /** First position of what is to be sent again next, or {@link #NOTHING}. Does not ask whether cwnd allows it. */
    long retransmitFrom();

    /** End of it. */
    long retransmitTo();

    /**
     * Called when everything was sent that may be. Answers true once when retransmissions have been held back for new data (RFC 5682), and none
     * could be sent: they are not held back any longer.
     */
    boolean releasesRetransmissions();

    /**
     * Bytes that may enter the network now: cwnd less what is in flight, never negative, limited transmit (RFC 3042) included. At least a
     * segment while the retransmission that opens a recovery is due (RFC 6675 §5 step 4.3 sends it regardless of cwnd).
     */
    int allowanceBytes();

    /** The pipe of RFC 6675 §4: bytes sent, not acknowledged, and not deemed lost. */
    int inFlightBytes();

    /** Fast recovery, or the retransmissions after a timeout, are going on. */
    boolean inRecovery();

    /** All that waits has been sent, and cwnd has room for more. */
    void onApplicationLimited();

    // ---- timers ----

    /** When {@link #onReorderTimer} is due; Long.MAX_VALUE for never. */
    long reorderDeadlineNs();

    /** Segments sent before one that has arrived are overdue now (RFC 8985 §6.2). */
    void onReorderTimer(long nowNs);

    /** How long after the last transmission, or acknowledgment, a tail loss probe is due; {@link #NOTHING} when none may be sent. */
    long probeTimeoutNs();

    /** What a probe sends again when there is nothing new to send, or {@link #NOTHING}. */
    long probeFrom();

    long probeTo();

    /** A probe has left; {@code again} when it was no new data. */
    void onProbeSent(boolean again);

    /** Whether a probe's loss is still to be judged by acknowledgments (RFC 8985 §7.4). */
    boolean isProbeOut();

    /** When the first segment not acknowledged was sent last: the retransmission timeout counts from there. */
    long oldestSentNs();

    /** The peer has SACKed the byte that it says is missing, and may have discarded all it had SACKed (RFC 2018 §8). */
    boolean suspectsReneging();

    // ---- windows and figures ----

    /** Fills in what is told of the connection. */
    void describe(RecoveryFigures into);

    /** Nothing was sent for {@code idleNs}: the window restarts (RFC 5681 §4.1, RFC 9293 §3.8.3). */
    void onIdle(long idleNs, long rtoNs, long nowNs);

    /** {@link CongestionControl#onUnused}. */
    void onUnused(long usedBytes);

    /** Payload bytes of a full segment have changed (path MTU). */
    void segmentBytes(int bytes);

    int cwndBytes();

    int ssthreshBytes();

    /**
     * What has just opened fast recovery was a probe of the path's MTU: it is sent again, in pieces, yet its loss says nothing about congestion,
     * so the window stays as it was (RFC 4821 §7.6.2).
     */
    void onLostForItsSize(long nowNs);
}
