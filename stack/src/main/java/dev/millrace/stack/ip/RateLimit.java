package dev.millrace.stack.ip;

import java.util.random.RandomGenerator;

/**
 * A token bucket for messages that strangers cause. Each grant costs one token, now and then a few more, so that nobody can count
 * from outside how much of the limit others have used (CVE-2020-25705, "SAD DNS"). Core thread only.
 */
final class RateLimit {
    private final long nsPerToken;
    private final int burst;
    private final RandomGenerator random;
    private long tokens;
    private long filledNs = Long.MIN_VALUE;

    RateLimit(int perSecond, int burst, RandomGenerator random) {
        this.nsPerToken = 1_000_000_000L / perSecond;
        this.burst = burst;
        this.random = random;
        this.tokens = burst;
    }

    /** Takes a token if there is one. */
    boolean tryTake(long nowNs) {
        if (filledNs == Long.MIN_VALUE) {
            filledNs = nowNs;
        }
        long earned = (nowNs - filledNs) / nsPerToken;
        if (earned > 0) {
            tokens = Math.min(burst, tokens + earned);
            filledNs += earned * nsPerToken;
        }
        if (tokens <= 0) {
            return false;
        }
        tokens -= random.nextInt(8) == 0 ? 3 : 1;
        return true;
    }
}
