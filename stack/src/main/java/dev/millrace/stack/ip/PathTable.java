package dev.millrace.stack.ip;

import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The paths in use, found by both addresses: a four-way set-associative cache with a secret in its hash. A flood of remote addresses
 * costs nobody his connection: connections hold their path themselves, and a path that fell out is simply made again for the next one.
 * Core thread only.
 */
final class PathTable {
    private static final int WAYS = 4;
    private static final int SETS = 4096;

    private final @Nullable IpPath[] paths = new @Nullable IpPath[SETS * WAYS];
    private final long secret;

    PathTable(RandomGenerator random) {
        this.secret = random.nextLong() | 1;
    }

    @Nullable
    IpPath find(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        int base = set(localHigh, localLow, remoteHigh, remoteLow);
        for (int way = base; way < base + WAYS; way++) {
            IpPath path = paths[way];
            if (path != null
                    && path.remote.low() == remoteLow
                    && path.local.low() == localLow
                    && path.remote.high() == remoteHigh
                    && path.local.high() == localHigh) {
                return path;
            }
        }
        return null;
    }

    /** Puts a path first in its set; the one that came first leaves. */
    void add(IpPath path) {
        int base = set(path.local.high(), path.local.low(), path.remote.high(), path.remote.low());
        System.arraycopy(paths, base, paths, base + 1, WAYS - 1);
        paths[base] = path;
    }

    private int set(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        long mixed = (remoteLow ^ secret) * 0x9e37_79b9_7f4a_7c15L;
        mixed = (Long.rotateLeft(mixed, 31) ^ remoteHigh) * 0xd6e8_feb8_6659_fd93L;
        mixed = (Long.rotateLeft(mixed, 31) ^ localLow) * 0x9e37_79b9_7f4a_7c15L;
        mixed = (Long.rotateLeft(mixed, 31) ^ localHigh ^ secret) * 0xd6e8_feb8_6659_fd93L;
        return (int) (mixed >>> 52) * WAYS;
    }
}
