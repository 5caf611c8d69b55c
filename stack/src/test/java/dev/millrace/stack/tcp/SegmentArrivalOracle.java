package dev.millrace.stack.tcp;

/**
 * What RFC 9293 §3.10.7 with RFC 5961, RFC 7323 and RFC 1337 wants to happen when one segment arrives, computed for {@link
 * SegmentArrivalTableTest} from nothing but the numbers on the wire. Written from the RFCs, in their order, in 32-bit arithmetic; where
 * Linux differs, its way is taken and said.
 */
final class SegmentArrivalOracle {
    private static final int FIN = 1;
    private static final int SYN = 2;
    private static final int RST = 4;
    private static final int PSH = 8;
    private static final int ACK = 16;
    private static final int URG = 32;

    /** The answer: at most one segment, not counting those that carry our FIN again. */
    enum Reply {
        NONE,
        /** SEQ = SND.NXT, ACK = RCV.NXT. */
        ACK,
        SYN_ACK,
        /** SEQ = SEG.ACK. */
        RST,
        /** SEQ = 0, ACK = SEG.SEQ + SEG.LEN. */
        RST_ACK
    }

    /** @param taken bytes that the application can read afterwards */
    record Outcome(TcpState state, Reply reply, int taken) {}

    /** The connection before: sequence numbers as on the wire, {@code edge} the first that the window told does not hold. */
    record Before(TcpState state, int iss, int una, int snd, int irs, int rcv, int edge, int maxWindow) {}

    enum Timestamp {
        NOT_AGREED,
        NEW,
        OLD,
        MISSING
    }

    record Arrival(int flags, int sequence, int acknowledgment, int length, Timestamp timestamp) {
        boolean has(int flag) {
            return (flags & flag) != 0;
        }

        int sequenceLength() {
            return length + (has(FIN) ? 1 : 0) + (has(SYN) ? 1 : 0);
        }

        int end() {
            return sequence + sequenceLength();
        }
    }

    private final Before before;
    private final Arrival segment;

    private SegmentArrivalOracle(Before before, Arrival segment) {
        this.before = before;
        this.segment = segment;
    }

    static Outcome outcome(Before before, Arrival segment) {
        return new SegmentArrivalOracle(before, segment).outcome();
    }

    /** Flags of no state: dropped before anything else (null and christmas-tree scans, SYN with FIN or RST). */
    static boolean isNonsense(int flags) {
        boolean nothing = (flags & (SYN | ACK | RST | FIN)) == 0;
        boolean tree = (flags & (SYN | ACK | RST)) == 0 && (flags & (FIN | PSH | URG)) == (FIN | PSH | URG);
        return nothing || tree || (flags & SYN) != 0 && (flags & (FIN | RST)) != 0;
    }

    private Outcome outcome() {
        return switch (before.state) {
            case CLOSED -> inClosed();
            case LISTEN -> inListen();
            case SYN_SENT -> inSynSent();
            case SYN_RECEIVED -> inSynReceived();
            case TIME_WAIT -> inTimeWait();
            default -> synchronised();
        };
    }

    private Outcome stay(Reply reply) {
        return new Outcome(before.state, reply, 0);
    }

    /** §3.10.7.1 */
    private Outcome inClosed() {
        if (segment.has(RST)) {
            return stay(Reply.NONE);
        }
        return stay(segment.has(ACK) ? Reply.RST : Reply.RST_ACK);
    }

    /** §3.10.7.2 */
    private Outcome inListen() {
        if (segment.has(RST)) {
            return stay(Reply.NONE);
        }
        if (segment.has(ACK)) {
            return stay(Reply.RST);
        }
        return segment.has(SYN) ? new Outcome(TcpState.SYN_RECEIVED, Reply.SYN_ACK, 0) : stay(Reply.NONE);
    }

    /** §3.10.7.3; nothing but the SYN has been sent, so one acknowledgment is acceptable. */
    private Outcome inSynSent() {
        if (segment.has(ACK) && segment.acknowledgment != before.snd) {
            return stay(segment.has(RST) ? Reply.NONE : Reply.RST);
        }
        if (segment.has(RST)) {
            return segment.has(ACK) ? new Outcome(TcpState.CLOSED, Reply.NONE, 0) : stay(Reply.NONE);
        }
        if (!segment.has(SYN)) {
            return stay(Reply.NONE);
        }
        return segment.has(ACK)
                ? new Outcome(TcpState.ESTABLISHED, Reply.ACK, 0)
                : new Outcome(TcpState.SYN_RECEIVED, Reply.SYN_ACK, 0);
    }

    /** §3.10.7.4 after a passive open. A repeated SYN is answered with the SYN+ACK again, as Linux does. */
    private Outcome inSynReceived() {
        if (segment.has(SYN) && !segment.has(ACK) && segment.sequence == before.irs) {
            return stay(Reply.SYN_ACK);
        }
        if (!startsInWindow()) { // nothing can be sent legitimately from before the SYN, so the start decides
            return stay(segment.has(RST) ? Reply.NONE : Reply.ACK);
        }
        if (segment.has(RST)) {
            return segment.sequence == before.rcv ? new Outcome(TcpState.LISTEN, Reply.NONE, 0) : stay(Reply.ACK);
        }
        if (segment.has(SYN)) {
            return stay(Reply.ACK);
        }
        if (!segment.has(ACK)) {
            return stay(Reply.NONE);
        }
        if (segment.acknowledgment != before.snd) {
            return stay(Reply.RST);
        }
        return text(TcpState.ESTABLISHED);
    }

    /** §3.10.7.4 from ESTABLISHED to LAST-ACK. */
    private Outcome synchronised() {
        if (!segment.has(RST) && segment.timestamp == Timestamp.MISSING) {
            return stay(Reply.NONE); // RFC 7323 §3.2
        }
        if (!segment.has(RST) && segment.timestamp == Timestamp.OLD) {
            return stay(Reply.ACK); // RFC 7323 §5.3 R1
        }
        if (!isAcceptable()) {
            return stay(segment.has(RST) ? Reply.NONE : Reply.ACK);
        }
        if (segment.has(RST)) { // RFC 5961 §3.2
            return segment.sequence == before.rcv ? new Outcome(TcpState.CLOSED, Reply.NONE, 0) : stay(Reply.ACK);
        }
        if (segment.has(SYN)) { // RFC 5961 §4.2
            return stay(Reply.ACK);
        }
        if (!segment.has(ACK)) {
            return stay(Reply.NONE);
        }
        int oldest = before.una - before.maxWindow;
        if (isBefore(before.snd, segment.acknowledgment) || isBefore(segment.acknowledgment, oldest)) {
            return stay(Reply.ACK); // RFC 5961 §5.2
        }
        return acknowledged();
    }

    /** Fifth: our FIN is the last thing sent in the states that wait for its acknowledgment. */
    private Outcome acknowledged() {
        boolean finAcknowledged = segment.acknowledgment == before.snd && before.una != before.snd;
        TcpState state = before.state;
        if (finAcknowledged && state == TcpState.CLOSING) {
            return new Outcome(TcpState.TIME_WAIT, Reply.ACK, 0); // says once more where it is, as it would to a FIN
        }
        if (finAcknowledged && state == TcpState.LAST_ACK) {
            return new Outcome(TcpState.CLOSED, Reply.NONE, 0);
        }
        return text(finAcknowledged && state == TcpState.FIN_WAIT_1 ? TcpState.FIN_WAIT_2 : state);
    }

    /** Seventh and eighth. */
    private Outcome text(TcpState state) {
        if (segment.sequenceLength() == 0) {
            return new Outcome(state, Reply.NONE, 0);
        }
        boolean open = state == TcpState.ESTABLISHED || state == TcpState.FIN_WAIT_1 || state == TcpState.FIN_WAIT_2;
        if (!open || isBefore(before.rcv, segment.sequence)) {
            return new Outcome(state, Reply.ACK, 0); // after their FIN, or beyond a gap
        }
        int textEnd = segment.sequence + segment.length;
        int taken = Math.max(0, Math.min(textEnd - before.rcv, before.edge - before.rcv));
        boolean finReached = segment.has(FIN) && !isBefore(before.edge, textEnd) && !isBefore(textEnd, before.rcv);
        return new Outcome(finReached ? afterFin(state) : state, Reply.ACK, taken);
    }

    private static TcpState afterFin(TcpState state) {
        return switch (state) {
            case ESTABLISHED -> TcpState.CLOSE_WAIT;
            case FIN_WAIT_1 -> TcpState.CLOSING;
            default -> TcpState.TIME_WAIT;
        };
    }

    /** RFC 1337, RFC 6191 without timestamps; whatever is not the ACK that was waited for is told where we are, as on Linux. */
    private Outcome inTimeWait() {
        if (segment.has(RST)) {
            return stay(Reply.NONE);
        }
        if (segment.has(SYN) && !segment.has(ACK) && isBefore(before.rcv, segment.sequence)) {
            return new Outcome(TcpState.SYN_RECEIVED, Reply.SYN_ACK, 0);
        }
        boolean expected = segment.sequence == before.rcv && segment.sequenceLength() == 0;
        return stay(expected ? Reply.NONE : Reply.ACK);
    }

    /** Table 6. As on Linux an empty segment may also stand at the right edge: whoever has filled the window sends its ACKs from there. */
    private boolean isAcceptable() {
        if (segment.sequenceLength() == 0) {
            return startsInWindow() || segment.sequence == before.edge;
        }
        int last = segment.end() - 1;
        return startsInWindow()
                || !isBefore(last, before.rcv) && isBefore(last, before.edge)
                || isBefore(segment.sequence, before.rcv) && isBefore(before.rcv, segment.end());
    }

    private boolean startsInWindow() {
        return !isBefore(segment.sequence, before.rcv) && isBefore(segment.sequence, before.edge);
    }

    private static boolean isBefore(int sequence, int other) {
        return sequence - other < 0;
    }
}
