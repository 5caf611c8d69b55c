package dev.millrace.stack.tcp;

/**
 * What {@link Bbr} believes of the path: the largest delivery rate of the last ten round trips, or a policer's, and the smallest round trip of the last ten
 * seconds (draft-cardwell-iccrg-bbr-congestion-control-00 §4.1); how much is acknowledged at once; and which round trip this is. Core thread only;
 * allocates nothing.
 */
final class BbrModel {
    private static final int RATE_WINDOW_ROUNDS = 10;
    private static final long MIN_RTT_WINDOW_NS = 10_000_000_000L;
    private static final long NO_RTT = Long.MAX_VALUE;
    private static final double NS_PER_SECOND = 1e9;

    private final WindowedMax largest = new WindowedMax(RATE_WINDOW_ROUNDS);
    private final LongTermRate longTerm = new LongTermRate();
    private final AckAggregation aggregation = new AckAggregation();
    private long minRttNs = NO_RTT;
    private long minRttSeenNs;
    private boolean idle;

    // round trips, counted by what was delivered when a segment left
    private long rounds;
    private long nextRoundDelivered;
    private boolean roundStart;

    /** Rates of what was sent before so much was delivered are those of PROBE_RTT's small window. */
    private long limitedUntilDelivered;

    // ---- round trips ----

    /** Whether a round trip begins with this acknowledgment. */
    boolean countRound(AckSample sample) {
        roundStart = sample.rateBytes > 0 && sample.intervalNs > 0 && sample.priorDeliveredBytes >= nextRoundDelivered;
        if (roundStart) {
            beginRound(sample.totalDeliveredBytes);
            rounds++;
        }
        return roundStart;
    }

    /** The round trip that is counted next ends when what is sent from now on is acknowledged. */
    void beginRound(long totalDeliveredBytes) {
        nextRoundDelivered = totalDeliveredBytes;
    }

    boolean isRoundStart() {
        return roundStart;
    }

    // ---- rate ----

    /**
     * Takes in what an acknowledgment says about the rate.
     *
     * @param probing the cycle of PROBE_BW is going on
     * @return whether a policer's rate has been used for long enough, and the cycle is to begin anew
     */
    boolean update(AckSample sample, boolean probing, long cwndBytes, int mssBytes) {
        if (idle) {
            idle = false;
            aggregation.begin(sample.nowNs);
        }
        boolean probeAnew = longTerm.onSample(sample, roundStart, probing);
        if (sample.rateBytes > 0 && sample.intervalNs > 0) {
            long measured = (long) ((double) sample.rateBytes * NS_PER_SECOND / (double) sample.intervalNs);
            if (!isLimited(sample) || measured >= largest.get()) {
                largest.update(measured, rounds);
            }
        }
        aggregation.onSample(sample, roundStart, rate(), cwndBytes, mssBytes);
        return probeAnew;
    }

    /** The application, or PROBE_RTT, was what limited the rate. */
    boolean isLimited(AckSample sample) {
        return sample.appLimited || sample.priorDeliveredBytes < limitedUntilDelivered;
    }

    void limitUntil(long deliveredBytes) {
        limitedUntilDelivered = deliveredBytes;
    }

    /** Bytes per second, of the best round trip. */
    long largestRate() {
        return largest.get();
    }

    /** Bytes per second at which to send: those of a policer where one was found. */
    long rate() {
        return longTerm.isInUse() ? longTerm.get() : largest.get();
    }

    boolean isPoliced() {
        return longTerm.isInUse();
    }

    void forgetPolicer() {
        longTerm.forget();
    }

    /** Bytes that come acknowledged together beyond what the rate explains. */
    long aggregatedBytes() {
        return aggregation.extraBytes(rate());
    }

    void onTimeout() {
        longTerm.onTimeout();
    }

    void onIdle() {
        idle = true;
    }

    // ---- round trip time ----

    boolean hasMinRtt() {
        return minRttNs != NO_RTT;
    }

    /** Long.MAX_VALUE before the first measurement. */
    long minRttNs() {
        return minRttNs;
    }

    /** Whether the smallest was seen so long ago that it must be measured anew. */
    boolean updateMinRtt(AckSample sample) {
        boolean expired = hasMinRtt() && sample.nowNs - minRttSeenNs > MIN_RTT_WINDOW_NS;
        if (sample.rttNs > 0 && (sample.rttNs <= minRttNs || expired)) {
            minRttNs = sample.rttNs;
            minRttSeenNs = sample.nowNs;
        }
        return expired;
    }

    /** It has been measured with an empty queue. */
    void renewMinRtt(long nowNs) {
        minRttSeenNs = nowNs;
    }

    /** What is in flight at that multiple of the rate. */
    long flightBytes(double gain) {
        return (long) (gain * (double) rate() * (double) minRttNs / NS_PER_SECOND);
    }
}
