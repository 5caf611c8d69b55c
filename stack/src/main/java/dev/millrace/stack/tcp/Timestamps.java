package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.TcpSegment;

/** The timestamps option of one connection: our clock, the peer's latest value, and PAWS (RFC 7323 §3 to §5). Core thread only. */
final class Timestamps {
    /** RFC 7323 §5.5: an older TS.Recent is invalid, because the peer's clock may have wrapped meanwhile. */
    private static final long RECENT_VALID_NS = 24L * 24 * 3600 * 1_000_000_000L;

    /** The clock's tick: a millisecond, as Linux'. */
    static final long TICK_NS = 1_000_000;

    boolean enabled;
    /** Secret distance of our clock from the core's (RFC 7323 §7.1). */
    int offset;
    /** TS.Recent */
    int recent;

    long recentSetNs;

    void enable(int peerValue, long nowNs) {
        enabled = true;
        recent = peerValue;
        recentSetNs = nowNs;
    }

    /** TSval to send now. */
    int value(long nowNs) {
        return IsnGenerator.timestampClock(nowNs) + offset;
    }

    /** RFC 7323 §5.3 R1: whether a segment that carries a timestamp is new enough to be of this connection. */
    boolean isAcceptable(TcpSegment segment, long nowNs) {
        return segment.timestampValue - recent >= 0 || nowNs - recentSetNs > RECENT_VALID_NS;
    }

    /** RFC 7323 §4.3 (2): remembers the timestamp of a segment that begins at or before the last ACK sent; any, when ours is outdated (§5.5). */
    void onSegment(TcpSegment segment, long from, long lastAckSent, long nowNs) {
        if (from <= lastAckSent && isAcceptable(segment, nowNs)) {
            recent = segment.timestampValue;
            recentSetNs = nowNs;
        }
    }

    /** The round trip that an echo measures, a clock tick at least; −1 when it cannot be one of ours. */
    long roundTripNs(int echo, long nowNs) {
        int ticks = value(nowNs) - echo;
        return ticks < 0 || echo == 0 ? -1 : Math.max(1, ticks) * TICK_NS;
    }

    /** When the segment left whose timestamp is echoed, rounded down to a tick; {@link Acknowledgment#NONE} when it cannot be one of ours. */
    long echoedNs(int echo, long nowNs) {
        int ticks = value(nowNs) - echo;
        return ticks < 0 || echo == 0 ? Acknowledgment.NONE : Math.floorDiv(nowNs, TICK_NS) * TICK_NS - ticks * TICK_NS;
    }
}
