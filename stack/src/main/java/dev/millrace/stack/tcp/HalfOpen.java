package dev.millrace.stack.tcp;

import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;

/**
 * A passive open in SYN-RECEIVED: what must be remembered of a SYN until its SYN+ACK is answered, and no more, since anybody can send
 * SYNs (RFC 4987 §3.3). In particular no path: that is found again for each answer. Core thread only.
 */
final class HalfOpen extends Flow implements TimerWheel.Timer {
    private static final byte SACK_PERMITTED = 1;
    private static final byte TIMESTAMPS = 1 << 1;
    private static final byte FROM_COOKIE = 1 << 2;
    private static final byte ECN = 1 << 3;

    final TcpListener listener;
    final int iss;
    final int irs;
    int timestampRecent;
    /** When we last answered something odd, in ms of the timestamp clock. */
    int lastAnswerMs;

    private final short windowField;
    private final short windowOffered;
    private final short peerMss;
    /** The peer's shift, −1 without the option. */
    final byte windowScale;

    byte retransmissions;
    /** The SYN+ACK is to bring a Fast Open cookie. */
    boolean fastOpenCookieDue;
    /** The option has the form it had before RFC 7413. */
    boolean fastOpenExperimental;

    private final byte bits;
    long firstSentNs;
    long timerId = TimerWheel.NONE;

    private final PassiveOpen owner;

    /** From a SYN; {@code ecn} when ECN is agreed to. */
    HalfOpen(
            PassiveOpen owner,
            TcpListener listener,
            TcpSegment syn,
            int iss,
            int windowOffered,
            boolean ecn,
            long nowNs) {
        this(
                owner,
                listener,
                syn,
                iss,
                syn.sequence,
                SegmentArrival.peerMss(syn, IpAddress.isV4(syn.destinationHigh, syn.destinationLow)),
                syn.window,
                syn.windowScale,
                (syn.sackPermitted ? SACK_PERMITTED : 0) | (syn.hasTimestamp ? TIMESTAMPS : 0) | (ecn ? ECN : 0),
                windowOffered,
                nowNs);
    }

    /** From the final ACK that brought a cookie; for as long as the connection is being made. */
    static HalfOpen fromCookie(
            PassiveOpen owner, TcpListener listener, TcpSegment ack, int peerMss, int windowOffered, long nowNs) {
        boolean timestamps = ack.hasTimestamp;
        boolean sack = timestamps && SynCookies.sackPermitted(ack.timestampEcho);
        boolean ecn = timestamps && SynCookies.ecn(ack.timestampEcho);
        return new HalfOpen(
                owner,
                listener,
                ack,
                ack.acknowledgment - 1,
                ack.sequence - 1,
                peerMss,
                0,
                timestamps ? SynCookies.windowScale(ack.timestampEcho) : -1,
                FROM_COOKIE | (sack ? SACK_PERMITTED : 0) | (timestamps ? TIMESTAMPS : 0) | (ecn ? ECN : 0),
                windowOffered,
                nowNs);
    }

    private HalfOpen(
            PassiveOpen owner,
            TcpListener listener,
            TcpSegment segment,
            int iss,
            int irs,
            int peerMss,
            int windowField,
            int windowScale,
            int bits,
            int windowOffered,
            long nowNs) {
        super(
                segment.destinationHigh,
                segment.destinationLow,
                segment.destinationPort,
                segment.sourceHigh,
                segment.sourceLow,
                segment.sourcePort);
        this.owner = owner;
        this.listener = listener;
        this.iss = iss;
        this.irs = irs;
        this.peerMss = (short) peerMss;
        this.windowField = (short) windowField;
        this.windowScale = (byte) windowScale;
        this.bits = (byte) bits;
        this.windowOffered = (short) windowOffered;
        this.timestampRecent = segment.timestampValue;
        this.firstSentNs = nowNs;
        this.lastAnswerMs = IsnGenerator.timestampClock(nowNs - ChallengeAcks.CONNECTION_INTERVAL_NS);
    }

    boolean sackPermitted() {
        return (bits & SACK_PERMITTED) != 0;
    }

    boolean hasTimestamps() {
        return (bits & TIMESTAMPS) != 0;
    }

    /** ECN is agreed on (RFC 3168 §6.1.1). */
    boolean ecn() {
        return (bits & ECN) != 0;
    }

    /** Nothing is known of when the SYN+ACK was sent. */
    boolean isFromCookie() {
        return (bits & FROM_COOKIE) != 0;
    }

    int peerMss() {
        return Short.toUnsignedInt(peerMss);
    }

    int windowField() {
        return Short.toUnsignedInt(windowField);
    }

    int windowOffered() {
        return Short.toUnsignedInt(windowOffered);
    }

    @Override
    public void onTimer(long nowNs) {
        timerId = TimerWheel.NONE;
        owner.onTimeout(this, nowNs);
    }
}
