package dev.millrace.stack.tcp;

/**
 * Finds token-bucket policers for {@link Bbr} (Linux' long-term sampling, draft-cardwell-iccrg-bbr-congestion-control-00 §4.1.3 names it): a bucket
 * passes bursts at any rate and then drops a large share, so that the largest rate seen says nothing. When two intervals in a row, each of at
 * least four round trips between losses with a fifth and more lost, deliver at nearly the same rate, that is the policer's, and is used for 48 round
 * trips; then the path is probed anew. Core thread only; allocates nothing.
 */
final class LongTermRate {
    private static final int MIN_INTERVAL_ROUNDS = 4;
    private static final int MAX_INTERVAL_ROUNDS = 4 * MIN_INTERVAL_ROUNDS;
    private static final double LOSS_THRESHOLD = 50.0 / 256;
    private static final double RATE_RATIO = 1.0 / 8;
    private static final long RATE_DIFFERENCE = 500; // bytes per second
    private static final int USED_ROUNDS = 48;
    private static final long MIN_INTERVAL_NS = 1_000_000;
    private static final double NS_PER_SECOND = 1e9;

    private boolean sampling;
    private boolean inUse;
    /** Bytes per second: of the last interval, or agreed on. */
    private long rate;

    // the interval
    private int rounds;
    private long beganNs;
    private long deliveredBefore;
    private long lostBefore;

    private long lostBytes;
    private boolean timedOut;

    /** The policer's rate is known and to be used. */
    boolean isInUse() {
        return inUse;
    }

    /** Bytes per second, while in use. */
    long get() {
        return rate;
    }

    /**
     * Takes in an acknowledgment.
     *
     * @param roundStart with it a round trip begins
     * @param probing the cycle of PROBE_BW is going on
     * @return whether the rate has been used for long enough: the path is to be probed anew
     */
    boolean onSample(AckSample sample, boolean roundStart, boolean probing) {
        lostBytes += sample.lostBytes;
        boolean newRound = roundStart || timedOut;
        boolean lost = sample.lostBytes > 0 || timedOut;
        timedOut = false;
        if (inUse) {
            boolean over = probing && newRound && ++rounds >= USED_ROUNDS;
            if (over) {
                reset(sample);
            }
            return over;
        }
        if (!sampling) {
            if (!lost) {
                return false;
            }
            beginInterval(sample);
            sampling = true;
        }
        if (sample.appLimited) {
            reset(sample);
            return false;
        }
        rounds += newRound ? 1 : 0;
        if (rounds > MAX_INTERVAL_ROUNDS) {
            reset(sample);
        } else if (rounds >= MIN_INTERVAL_ROUNDS && lost) {
            endInterval(sample);
        }
        return false;
    }

    /** An interval ends at a loss, so that it spans what the bucket holds and what it refuses. */
    private void endInterval(AckSample sample) {
        long delivered = sample.totalDeliveredBytes - deliveredBefore;
        long intervalNs = sample.nowNs - beganNs;
        boolean lossy = (double) (lostBytes - lostBefore) >= LOSS_THRESHOLD * (double) delivered;
        if (delivered <= 0 || !lossy || intervalNs < MIN_INTERVAL_NS) {
            return;
        }
        long measured = (long) ((double) delivered * NS_PER_SECOND / (double) intervalNs);
        long difference = Math.abs(measured - rate);
        if (rate > 0 && (difference <= RATE_RATIO * (double) rate || difference <= RATE_DIFFERENCE)) {
            rate = (measured + rate) / 2;
            inUse = true;
            rounds = 0;
        } else {
            rate = measured;
            beginInterval(sample);
        }
    }

    private void beginInterval(AckSample sample) {
        beganNs = sample.nowNs;
        deliveredBefore = sample.totalDeliveredBytes;
        lostBefore = lostBytes;
        rounds = 0;
    }

    private void reset(AckSample sample) {
        forget();
        beginInterval(sample);
    }

    /** A retransmission timeout counts as a loss and as the end of a round (Linux), with the next acknowledgment. */
    void onTimeout() {
        timedOut = true;
    }

    /** Losses were a mistake, or what was found holds no longer. */
    void forget() {
        rate = 0;
        inUse = false;
        sampling = false;
    }
}
