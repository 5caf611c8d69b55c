package dev.millrace.stack.tcp;

/**
 * When what has been received is acknowledged: at once, or after a delay in which the application's answer can carry the acknowledgment (RFC 9293 §3.8.6.3, RFC 5681 §4.2),
 * with Linux' quick and delayed modes. Core thread only, but for what is said of the application.
 */
final class AckSchedule {
    /** Segments acknowledged at once at the start, while the peer's window is small (Linux' TCP_MAX_QUICKACKS). */
    private static final int QUICK_ACKS = 16;

    /** Segments of a burst beyond a gap that are acknowledged one by one; like Linux, which joins further ones for a fraction of the round trip. */
    private static final int GAP_ACKS = Rack.DUP_THRESH;

    /** A "full-sized" segment is at least this large, until a larger one is seen (RFC 9293 §3.8.6.3). */
    private static final int MIN_FULL_SEGMENT = 536;

    /** An ACK is due at the end of this burst. */
    boolean ackNow;

    private final ConnectionTimers timers;
    private final RttEstimator rtt;
    private final TcpConfig config;

    /** The ACK due does not wait for the burst's end. */
    private boolean alone;
    /** Two full segments of this burst have been acknowledged. */
    private boolean burstBegun;
    /** Of this burst. */
    private int gapAcks;

    private int quickAcks = QUICK_ACKS;
    /** {@link #quickAcks} were given because the peer sends again what had arrived. */
    private boolean repairing;

    private boolean quickAckAlways;
    private int fullSegment = MIN_FULL_SEGMENT;
    private long ackedTo;
    /** When text came last; 0 before any. */
    private long lastTextNs;
    /**
     * The application answers what it receives, so answers can carry the acknowledgments (Linux' ping-pong mode): from the first answer that did so
     * until a delay passes without one.
     */
    private boolean interactive;

    // written by the core, read by the application
    /** A small segment's acknowledgment is delayed only until the application has read everything. */
    private volatile boolean awaitsReader;

    AckSchedule(ConnectionTimers timers, RttEstimator rtt, TcpConfig config, TcpOptions options) {
        this.timers = timers;
        this.rtt = rtt;
        this.config = config;
        this.quickAckAlways = options.quickAck;
    }

    void quickAckAlways(boolean on) {
        quickAckAlways = on;
    }

    /** The ACK of the peer's SYN rides on text: as on Linux what comes back is an answer, which need not be acknowledged at once. */
    void onFirstAckWithText() {
        interactive = true;
    }

    /**
     * Text has been taken in order, up to {@code nxt}: at least every second full segment is acknowledged at once, others after a delay.
     *
     * @param mss payload of the segments that the peer may send
     */
    void onText(int length, long nxt, int mss, long nowNs) {
        boolean full = length >= fullSegment;
        if (full) {
            fullSegment = Math.min(length, mss);
        }
        if (lastTextNs > 0 && nowNs - lastTextNs > rtt.rtoNs()) {
            quickAcks = QUICK_ACKS; // the peer's window may have closed over a timeout, or over idleness
        }
        if (isQuick(full)) {
            quickAcks--;
            ackNow = true;
            alone |= repairing;
            repairing &= quickAcks > 0;
        }
        lastTextNs = nowNs;
        if (quickAckAlways || burstBegun) {
            ackNow = true;
        } else if (nxt - ackedTo >= 2L * fullSegment) {
            ackNow = true;
            alone = true;
            burstBegun = true;
        } else if (!ackNow && !timers.isSet(ConnectionTimers.DELAYED_ACK)) {
            timers.set(ConnectionTimers.DELAYED_ACK, nowNs + config.delayedAckNs());
            if (!interactive && length < fullSegment && config.features().quickAck() != QuickAck.NONE) {
                awaitsReader = true;
            }
        }
    }

    private boolean isQuick(boolean full) {
        QuickAck first = config.features().quickAck();
        return quickAcks > 0 && (full ? first != QuickAck.NONE : (repairing || first == QuickAck.ALL) && !interactive);
    }

    /** Text lies beyond a gap: at once acknowledged, so that the peer sees holes appear (RFC 5681 §4.2). A sender without SACK counts these. */
    void onGap(boolean sackPermitted) {
        ackNow = true;
        alone |= !sackPermitted || gapAcks++ < GAP_ACKS;
    }

    /** Text has filled a gap, or the beginning of one: the peer waits for nothing as for this (RFC 5681 §4.2). */
    void onGapFilled() {
        ackNow = true;
        alone = true;
    }

    /**
     * Text has come again: each such segment is answered, for it may be reported as a duplicate once only (RFC 2883 §4). The peer may have missed acknowledgments,
     * and its window is small: what follows is acknowledged at once and one by one, too, as by Linux (tcp_enter_quickack_mode).
     */
    void onOldText() {
        ackNow = true;
        alone = true;
        if (config.features().quickAck() != QuickAck.NONE) {
            quickAcks = QUICK_ACKS;
            repairing = true;
            interactive = false;
        }
    }

    /**
     * Whether the ACK that is due goes before the burst's other segments are looked at. As a rule one ACK at the end serves the whole burst; but where segments
     * are lost so are ACKs, and losing the only one of a round trip costs the peer a timeout. So the first two full segments of a burst have one of
     * their own, and so has nearly every segment while something is missing, or has come again.
     */
    boolean goesAlone() {
        return ackNow && alone;
    }

    /** All segments of a burst have been taken in. */
    void endBurst() {
        burstBegun = false;
        gapAcks = 0;
    }

    /** No answer came in time to carry the acknowledgment. */
    void onDelayedAck() {
        interactive = false;
        ackNow = true;
    }

    /** A segment has acknowledged up to {@code nxt}; what was due is done. */
    void onSent(boolean withText, long nxt, long nowNs) {
        boolean answers = timers.isSet(ConnectionTimers.DELAYED_ACK)
                || config.features().quickAck() == QuickAck.ALL
                        && lastTextNs > 0
                        && nowNs - lastTextNs < config.delayedAckNs();
        if (withText && answers) {
            interactive = true;
        }
        if (awaitsReader) {
            awaitsReader = false;
        }
        ackNow = false;
        alone = false;
        ackedTo = nxt;
        timers.clear(ConnectionTimers.DELAYED_ACK);
    }

    /**
     * Whether the application, which has read everything, ends the delay of an acknowledgment: the peer of an application that only reads
     * may be holding its next small segment back until this one is acknowledged (RFC 896), and would wait out the delay each time. Any
     * thread; a stale answer costs no more than the delay.
     */
    boolean awaitsReader() {
        return awaitsReader;
    }

    /** Last.ACK.sent (RFC 7323 §4.3). */
    long ackedTo() {
        return ackedTo;
    }

    // ---- figures ----

    /** Payload of a full segment of the peer's, as far as seen. */
    int fullSegment() {
        return fullSegment;
    }

    /** When text came last; 0 before any. */
    long lastTextNs() {
        return lastTextNs;
    }

    void checkInvariants(long nxt) {
        assert nxt == ackedTo || ackNow || timers.isSet(ConnectionTimers.DELAYED_ACK) : "received, and no ACK due";
        assert nxt >= ackedTo : "acknowledged what was not received";
    }
}
