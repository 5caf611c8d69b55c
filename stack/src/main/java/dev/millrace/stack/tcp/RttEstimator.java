package dev.millrace.stack.tcp;

/**
 * Round-trip time and retransmission timeout of one connection (RFC 6298). Timestamps give several samples per round trip, so each
 * weighs less (RFC 7323 appendix G). As Linux does, the lower bound stands for the variance term and not for the whole timeout:
 * {@code RTO = SRTT + max(minRto, 4 × RTTVAR)}, so that a peer's delayed acknowledgment never looks like a loss. Core thread only.
 */
final class RttEstimator {
    /** RFC 6298 (2.1). */
    static final long INITIAL_RTO_NS = 1_000_000_000L;

    /** RFC 6298 (5.7): when the SYN had to be retransmitted and nothing has been measured. */
    static final long RTO_AFTER_SYN_TIMEOUT_NS = 3_000_000_000L;

    /** In place of a round trip: none was measured. */
    static final long NO_SAMPLE = -1;

    /** Upper bound (RFC 6298 (2.5) allows 60 s or more; Linux has 120 s). */
    static final long MAX_RTO_NS = 120_000_000_000L;

    /** Longer samples are a stopped clock or a forged timestamp echo. */
    private static final long MAX_SAMPLE_NS = MAX_RTO_NS;

    /**
     * A minimum is of the last five minutes, of the last ten at most (RFC 8985 §6.2 step 1, Linux' tcp_min_rtt_wlen): a path that has become longer would
     * otherwise be judged by the shorter one for ever.
     */
    static final long MINIMUM_WINDOW_NS = 300_000_000_000L;

    private final long minRtoNs;
    private long smoothedNs;
    private long variationNs;
    /** Of this window and the one before. */
    private long minimumNs = Long.MAX_VALUE;

    private long windowMinimumNs = Long.MAX_VALUE;
    private long windowSinceNs;
    private long latestNs;
    private long baseRtoNs = INITIAL_RTO_NS;
    private int backOffs;

    RttEstimator(long minRtoNs) {
        assert minRtoNs > 0 && minRtoNs <= MAX_RTO_NS : "minimum RTO";
        this.minRtoNs = minRtoNs;
    }

    /** One sample per round trip: the segment was not retransmitted (Karn), or a timestamp tells which transmission was answered. */
    void onSample(long rttNs, long nowNs) {
        onSample(rttNs, rttNs, 1, nowNs);
    }

    /**
     * Takes the sample of an acknowledgment, perhaps of several segments, which ends any back-off: the estimates follow the oldest one's round
     * trip, the minimum the youngest's.
     *
     * @param samplesPerRoundTrip how many samples this flight will give, about {@code flight / (2 × MSS)} rounded up
     */
    void onSample(long oldestNs, long youngestNs, int samplesPerRoundTrip, long nowNs) {
        long sample = Math.clamp(oldestNs, 1, MAX_SAMPLE_NS);
        latestNs = Math.clamp(youngestNs, 1, MAX_SAMPLE_NS);
        trackMinimum(nowNs);
        if (smoothedNs == 0) {
            smoothedNs = sample;
            variationNs = sample / 2; // (2.2)
        } else {
            long error = sample - smoothedNs;
            long variationError = Math.abs(error) - variationNs;
            if (samplesPerRoundTrip <= 1) { // the compiler divides by constants without a division
                variationNs += variationError / 4; // (2.3), beta = 1/4
                smoothedNs = Math.max(1, smoothedNs + error / 8); // alpha = 1/8
            } else {
                variationNs += variationError / (4L * samplesPerRoundTrip);
                smoothedNs = Math.max(1, smoothedNs + error / (8L * samplesPerRoundTrip));
            }
        }
        baseRtoNs = Math.min(MAX_RTO_NS, smoothedNs + Math.max(minRtoNs, 4 * variationNs));
        backOffs = 0;
    }

    private void trackMinimum(long nowNs) {
        long ageNs = nowNs - windowSinceNs;
        if (ageNs >= MINIMUM_WINDOW_NS) {
            minimumNs = ageNs < 2 * MINIMUM_WINDOW_NS ? windowMinimumNs : Long.MAX_VALUE;
            windowMinimumNs = Long.MAX_VALUE;
            windowSinceNs = nowNs;
        }
        windowMinimumNs = Math.min(windowMinimumNs, latestNs);
        minimumNs = Math.min(minimumNs, latestNs);
    }

    /** The timer expired: the next timeout is twice as long (5.5). */
    void backOff() {
        if (rtoNs() < MAX_RTO_NS) {
            backOffs++;
        }
    }

    /** The handshake is over although its SYN timed out: without a sample data begins with three seconds (5.7). */
    void onSynTimedOut() {
        backOffs = 0;
        if (smoothedNs == 0) {
            baseRtoNs = RTO_AFTER_SYN_TIMEOUT_NS;
        }
    }

    /** The timeout to arm now, back-off included. */
    long rtoNs() {
        return Math.min(MAX_RTO_NS, baseRtoNs << Math.min(backOffs, 20));
    }

    /** Lower bound of the variance term. */
    long minimumRtoNs() {
        return minRtoNs;
    }

    boolean hasSample() {
        return smoothedNs != 0;
    }

    /** SRTT; 0 before the first sample. */
    long smoothedRttNs() {
        return smoothedNs;
    }

    /** RTTVAR; 0 before the first sample. */
    long rttVariationNs() {
        return variationNs;
    }

    /** Smallest sample of the last five to ten minutes; Long.MAX_VALUE before the first. */
    long minimumRttNs() {
        return minimumNs;
    }

    /** Newest sample; 0 before the first. */
    long latestRttNs() {
        return latestNs;
    }

    /** Doublings in force. */
    int backOffs() {
        return backOffs;
    }
}
