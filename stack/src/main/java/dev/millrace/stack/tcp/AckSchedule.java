package dev.millrace.stack.tcp;

/**
 * When what has been received is acknowledged: at once, or after a delay in which the application's answer can carry the acknowledgment (RFC 9293 §3.8.6.3, RFC 5681 §4.2),
 * with Linux' quick and delayed modes. Core thread only, but for what is said of the application.
 */
final class AckSchedule {
    /** Segments acknowledged at once at the start, while the peer's window is small (Linux' TCP_MAX_QUICKACKS). */
    private static final int QUICK_ACKS = 16;

    /** A "full-sized" segment is at least this large, until a larger one is seen (RFC 9293 §3.8.6.3). */
    private static final int MIN_FULL_SEGMENT = 536;

    /** An ACK is due at the end of this burst. */
    boolean ackNow;

    private final ConnectionTimers timers;
    private final TcpConfig config;

    private int quickAcks = QUICK_ACKS;
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

    AckSchedule(ConnectionTimers timers, TcpConfig config, TcpOptions options) {
        this.timers = timers;
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
        QuickAck first = config.features().quickAck();
        if (quickAcks > 0 && (full ? first != QuickAck.NONE : first == QuickAck.ALL && !interactive)) {
            quickAcks--;
            ackNow = true;
        }
        lastTextNs = nowNs;
        if (quickAckAlways || nxt - ackedTo >= 2L * fullSegment) {
            ackNow = true;
        } else if (!ackNow && !timers.isSet(ConnectionTimers.DELAYED_ACK)) {
            timers.set(ConnectionTimers.DELAYED_ACK, nowNs + config.delayedAckNs());
            if (!interactive && length < fullSegment) {
                awaitsReader = true;
            }
        }
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
