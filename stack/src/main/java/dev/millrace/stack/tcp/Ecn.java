package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;

/**
 * Explicit Congestion Notification of one connection (RFC 3168 §6.1): what the handshake agrees on, which packets say that they may be marked
 * instead of dropped, what the peer hears of marks that arrive, and when its echoes count. With DCTCP the receiver's part is RFC 8257 §3.2's:
 * ECE says whether the segment acknowledged was marked, so that the peer can tell how many were. Core thread only.
 */
final class Ecn {
    // values of the IP header's two bits (§5)
    static final int NOT_ECT = 0;
    static final int ECT_0 = 2;
    static final int CE = 3;
    static final int MASK = 3;

    private static final int SETUP = TcpSegment.ECE | TcpSegment.CWR;

    /** SYNs sent again that still ask. */
    private final int synRetries;

    /** Our SYN asked for it. */
    private boolean asked;
    /** The SYN that asked may have been lost for that. */
    private boolean silent;

    private boolean agreed;
    /** The peer has sent a packet that may be marked. */
    private boolean seen;

    // receiver
    private final boolean exact;
    /** ACKs carry ECE: until CWR comes, or with DCTCP while marked segments do. */
    private boolean echoing;

    // sender
    /** The next new segment carries CWR. */
    private boolean announcing;
    /** SND.NXT when the window was last reduced, for whatever reason. */
    private long reducedAt = -1;

    Ecn(TcpConfig config) {
        synRetries = config.features().quirks().ecnSynRetries();
        exact = config.congestionControl().needsEcn();
    }

    // ---- handshake (§6.1.1) ----

    /** An active open. */
    void ask(TcpConfig config) {
        asked = config.ecn() == EcnMode.ON || config.congestionControl().needsEcn();
    }

    /** §6.1.1.1: a SYN that asks and is not answered may have met a middlebox that drops such; the next does not ask. */
    void onSynTimeout(int timeouts) {
        silent = timeouts > synRetries;
    }

    /** What our SYN, or SYN+ACK after a simultaneous open, carries. */
    int synFlags(boolean withAck) {
        return withAck ? synAckFlags(agreed) : asked && !silent ? SETUP : 0;
    }

    static int synAckFlags(boolean agreed) {
        return agreed ? TcpSegment.ECE : 0;
    }

    /** The peer's SYN crosses ours, or its SYN+ACK answers it: ECE alone in the latter; some reflect all flags (§6.1.1). */
    void onSyn(TcpSegment segment) {
        int wanted = segment.has(TcpSegment.ACK) ? TcpSegment.ECE : SETUP;
        agreed = asked && (segment.flags & SETUP) == wanted;
    }

    /**
     * Whether a listener agrees to a SYN. One that is itself marked as capable comes from something that does not know the RFC, as Linux
     * reasons; DCTCP's peers do send such.
     */
    static boolean accepts(TcpSegment syn, TcpConfig config) {
        boolean dctcp = config.congestionControl().needsEcn();
        return (config.ecn() != EcnMode.OFF || dctcp) && (syn.flags & SETUP) == SETUP && (syn.ecn == NOT_ECT || dctcp);
    }

    /** A passive open whose SYN was accepted, or not. */
    void agree(boolean accepted) {
        agreed = accepted;
    }

    boolean agreed() {
        return agreed;
    }

    // ---- what goes out ----

    /**
     * The IP header's traffic class. Only new text may be marked: who sends ACKs has no window to reduce for their marks (§6.1.4), and a
     * receiver that has the text of a retransmission already does not look at its mark (§6.1.5).
     */
    int trafficClass(int trafficClass, boolean newText) {
        return trafficClass & ~MASK | (agreed && newText ? ECT_0 : NOT_ECT);
    }

    /** ECE and CWR of a segment that goes out now. */
    int flags(boolean newText) {
        if (!agreed) {
            return 0;
        }
        int flags = echoing ? TcpSegment.ECE : 0;
        if (announcing && newText) {
            announcing = false;
            flags |= TcpSegment.CWR;
        }
        return flags;
    }

    // ---- receiver ----

    /** A segment with text in the window, before its text is taken in. */
    void onText(TcpConnection connection, TcpSegment segment, long nowNs) {
        if (!agreed) {
            return;
        }
        seen |= segment.ecn != NOT_ECT;
        boolean marked = segment.ecn == CE;
        if (marked) {
            connection.tcp.counters.increment(Counter.TCP_CE_RECEIVED);
        }
        if (exact) {
            echoExactly(connection, marked, nowNs);
            return;
        }
        if (segment.has(TcpSegment.CWR)) {
            echoing = false;
            connection.receiver.acks.ackNow = true; // its window may be one segment, then it waits for this (as Linux)
        }
        if (marked && !echoing) {
            echoing = true;
            connection.receiver.acks.ackNow = true;
        }
    }

    /** RFC 8257 §3.2: when marks begin or end, what is not acknowledged yet is, as what it was; then this at once too. */
    private void echoExactly(TcpConnection connection, boolean marked, long nowNs) {
        if (marked == echoing) {
            return;
        }
        Receiver receiver = connection.receiver;
        if (receiver.nxt != receiver.acks.ackedTo()) {
            connection.sendAck(nowNs);
        }
        echoing = marked;
        receiver.acks.ackNow = true;
    }

    // ---- sender ----

    /** Whether an ACK echoes a mark. */
    boolean isEcho(TcpSegment segment) {
        return agreed && segment.has(TcpSegment.ECE);
    }

    /**
     * Whether an echo that acknowledges up to {@code una} asks for another reduction: one per window of data, and only once what carried CWR can
     * have arrived (§6.1.2).
     */
    boolean asksForReduction(long una) {
        return una > reducedAt;
    }

    boolean seen() {
        return seen;
    }

    /** The window has been reduced, because of an echo, a loss or a timeout. */
    void onReduced(long nxt) {
        reducedAt = nxt;
        announcing = agreed;
    }
}
