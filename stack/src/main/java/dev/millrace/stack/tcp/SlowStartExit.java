package dev.millrace.stack.tcp;

/**
 * HyStart++ (RFC 9406): ends the first slow start before it overruns a queue. When a round's smallest round trip exceeds the
 * last round's by an eighth, growth slows to a quarter (conservative slow start); when that goes on for five rounds, congestion
 * avoidance begins; when the round trip falls again, it was noise. Core thread only; allocates nothing.
 */
final class SlowStartExit {
    /** {@link #onAck}: slow start is over. */
    static final int LEAVE = 0;

    private static final long MIN_THRESHOLD_NS = 4_000_000;
    private static final long MAX_THRESHOLD_NS = 16_000_000;
    private static final int THRESHOLD_DIVISOR = 8;
    private static final int ROUND_SAMPLES = 8;
    private static final int CONSERVATIVE_DIVISOR = 4;
    private static final int CONSERVATIVE_ROUNDS = 5;
    private static final long UNKNOWN = Long.MAX_VALUE;

    private long roundEnd;
    private long lastRoundMinNs = UNKNOWN;
    private long roundMinNs = UNKNOWN;
    private int samples;
    private boolean conservative;
    private long baselineNs;
    private int conservativeRounds;

    /**
     * Takes an acknowledgment during slow start.
     *
     * @return what to divide the window's growth by, 1 or 4; {@link #LEAVE} when slow start shall end now
     */
    int onAck(AckSample sample) {
        if (sample.unacknowledgedPosition >= roundEnd) {
            if (conservative && ++conservativeRounds >= CONSERVATIVE_ROUNDS) {
                return LEAVE;
            }
            roundEnd = sample.nextPosition;
            lastRoundMinNs = roundMinNs;
            roundMinNs = UNKNOWN;
            samples = 0;
        }
        if (sample.rttNs > 0) {
            roundMinNs = Math.min(roundMinNs, sample.rttNs);
            samples++;
        }
        if (samples >= ROUND_SAMPLES) {
            judge();
        }
        return conservative ? CONSERVATIVE_DIVISOR : 1;
    }

    private void judge() {
        if (conservative) {
            if (roundMinNs < baselineNs) {
                conservative = false; // §4.2: back to ordinary slow start
            }
            return;
        }
        if (lastRoundMinNs == UNKNOWN) {
            return;
        }
        long threshold = Math.clamp(lastRoundMinNs / THRESHOLD_DIVISOR, MIN_THRESHOLD_NS, MAX_THRESHOLD_NS);
        if (roundMinNs >= lastRoundMinNs + threshold) {
            conservative = true;
            baselineNs = roundMinNs;
            conservativeRounds = 0;
        }
    }
}
