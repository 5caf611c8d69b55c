package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.util.random.RandomGenerator;

/**
 * Makes and checks the cookies that a Fast Open server hands out (RFC 7413 §4.1.2): SipHash-2-4 of the client's address and the server's, octet for
 * octet what Linux gives out with the same key, so that hosts of either kind can share one. A key of our own changes every hour: it is
 * derived from one secret and the hour, so that shards agree without sharing anything that changes. Any thread; immutable.
 */
final class FastOpenKeys {
    static final int COOKIE_BYTES = 8;

    /** RFC 7413 §4.1.2 (4) leaves the period open. A cookie lives between one and two of them. */
    private static final long PERIOD_NS = 3_600_000_000_000L;

    private final long secret0;
    private final long secret1;
    private final boolean changes;

    FastOpenKeys(RandomGenerator random) {
        this.secret0 = random.nextLong();
        this.secret1 = random.nextLong();
        this.changes = true;
    }

    /** With one key for ever. */
    FastOpenKeys(long key0, long key1) {
        this.secret0 = key0;
        this.secret1 = key1;
        this.changes = false;
    }

    /** The cookie that the remote address of a SYN is given now. */
    long cookie(long localHigh, long localLow, long remoteHigh, long remoteLow, long nowNs) {
        return cookieOf(period(nowNs), localHigh, localLow, remoteHigh, remoteLow);
    }

    boolean isCurrent(long cookie, long localHigh, long localLow, long remoteHigh, long remoteLow, long nowNs) {
        return cookie == cookie(localHigh, localLow, remoteHigh, remoteLow, nowNs);
    }

    /** Still good, though the client should be given a new one. */
    boolean isPrevious(long cookie, long localHigh, long localLow, long remoteHigh, long remoteLow, long nowNs) {
        return changes && cookie == cookieOf(period(nowNs) - 1, localHigh, localLow, remoteHigh, remoteLow);
    }

    private long cookieOf(long period, long localHigh, long localLow, long remoteHigh, long remoteLow) {
        long key0 = changes ? SipHash.hash(secret0, secret1, 2, 4, 2, period, 0, 0, 0, 0) : secret0;
        long key1 = changes ? SipHash.hash(secret0, secret1, 2, 4, 2, period, 1, 0, 0, 0) : secret1;
        // SipHash reads its message, and writes its result, with the least significant octet first
        if (IpAddress.isV4(remoteHigh, remoteLow)) {
            long addresses = remoteLow << 32 | localLow & 0xffff_ffffL;
            return Long.reverseBytes(SipHash.hash(key0, key1, 2, 4, 1, Long.reverseBytes(addresses), 0, 0, 0, 0));
        }
        return Long.reverseBytes(SipHash.hash(
                key0,
                key1,
                2,
                4,
                4,
                Long.reverseBytes(remoteHigh),
                Long.reverseBytes(remoteLow),
                Long.reverseBytes(localHigh),
                Long.reverseBytes(localLow),
                0));
    }

    private static long period(long nowNs) {
        return Math.floorDiv(nowNs, PERIOD_NS);
    }
}
