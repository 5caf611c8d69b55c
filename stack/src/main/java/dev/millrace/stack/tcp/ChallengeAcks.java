package dev.millrace.stack.tcp;

import java.util.random.RandomGenerator;

/**
 * How many ACKs one core sends in answer to segments that may be forged (RFC 5961 §7). The budget per second is drawn anew each
 * second, so that watching whether an answer comes tells nothing about other connections (CVE-2016-5696). Core thread only.
 */
final class ChallengeAcks {
    /** Linux' tcp_challenge_ack_limit. */
    private static final int LIMIT_PER_SECOND = 1000;

    private static final long SECOND_NS = 1_000_000_000L;

    /** Between two answers of one connection to segments without data (Linux' tcp_invalid_ratelimit); stops ACK loops. */
    static final long CONNECTION_INTERVAL_NS = 500_000_000L;

    static final int CONNECTION_INTERVAL_MS = 500;

    private final RandomGenerator random;
    private long secondBeganNs = Long.MIN_VALUE;
    private int left;

    ChallengeAcks(RandomGenerator random) {
        this.random = random;
    }

    /** Takes one from the budget, if there is one. */
    boolean permits(long nowNs) {
        if (secondBeganNs == Long.MIN_VALUE || nowNs - secondBeganNs >= SECOND_NS) {
            secondBeganNs = nowNs;
            left = LIMIT_PER_SECOND / 2 + random.nextInt(LIMIT_PER_SECOND);
        }
        if (left == 0) {
            return false;
        }
        left--;
        return true;
    }
}
