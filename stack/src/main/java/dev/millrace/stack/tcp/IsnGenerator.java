package dev.millrace.stack.tcp;

import java.util.random.RandomGenerator;

/**
 * Initial sequence numbers after RFC 6528: {@code M + F(4-tuple, secret)} with a clock {@code M} of 4 µs and SipHash-2-4 as
 * {@code F}; so successive connections of one 4-tuple get increasing numbers, and nobody off the path can guess another's. Timestamp
 * clocks get a secret offset per pair of hosts in the same manner (RFC 7323 §7.1): they tell no uptime, and still grow over
 * successive connections, which TIME-WAIT reuse needs (RFC 6191). Belongs to one core; immutable.
 */
final class IsnGenerator {
    private static final long CLOCK_NS = 4_000;
    private static final long TIMESTAMP_CLOCK_NS = 1_000_000;

    private final long key0;
    private final long key1;
    private final long timestampKey0;
    private final long timestampKey1;

    IsnGenerator(RandomGenerator random) {
        key0 = random.nextLong();
        key1 = random.nextLong();
        timestampKey0 = random.nextLong();
        timestampKey1 = random.nextLong();
    }

    int initialSequence(
            long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort, long nowNs) {
        long ports = (long) localPort << 16 | remotePort;
        long secret = SipHash.hash(key0, key1, 2, 4, 5, localHigh, localLow, remoteHigh, remoteLow, ports);
        return (int) secret + (int) Math.floorDiv(nowNs, CLOCK_NS);
    }

    /** What to add to {@link #timestampClock} for connections between these hosts. */
    int timestampOffset(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        return (int) SipHash.hash(timestampKey0, timestampKey1, 2, 4, 4, localHigh, localLow, remoteHigh, remoteLow, 0);
    }

    /** TSval of a flow that has no object of its own to keep the offset. */
    int timestamp(Flow flow, long nowNs) {
        return timestampClock(nowNs) + timestampOffset(flow.localHigh, flow.localLow, flow.remoteHigh, flow.remoteLow);
    }

    /** The timestamp clock: milliseconds, as Linux (RFC 7323 §5.4 allows 1 ms to 1 s). */
    static int timestampClock(long nowNs) {
        return (int) Math.floorDiv(nowNs, TIMESTAMP_CLOCK_NS);
    }
}
