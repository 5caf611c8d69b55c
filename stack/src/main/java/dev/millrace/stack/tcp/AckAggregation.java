package dev.millrace.stack.tcp;

/**
 * How many more bytes than its rate explains {@link Bbr} sees acknowledged together, where the path or the receiver saves acknowledgments up (Wi-Fi,
 * offloads): the window needs room for them, or the sender stands still in between. The largest excess of the last five to ten round trips, as
 * Linux' {@code extra_acked}. Core thread only; allocates nothing.
 */
final class AckAggregation {
    private static final int WINDOW_ROUNDS = 5;
    /** An epoch ends after so many segments, so that an old one does not weigh for ever. */
    private static final int MAX_EPOCH_SEGMENTS = 1 << 20;

    private static final double MAX_SECONDS = 0.1;
    private static final double NS_PER_SECOND = 1e9;

    private long epochNs;
    private long epochBytes;

    // the excess of this window and of the one before
    private long current;
    private long previous;
    private int rounds;

    /** @param rate bytes per second expected */
    void onSample(AckSample sample, boolean roundStart, long rate, long cwndBytes, int mssBytes) {
        if (sample.deliveredBytes <= 0 || sample.rateBytes <= 0 || sample.intervalNs <= 0) {
            return;
        }
        if (roundStart && ++rounds >= WINDOW_ROUNDS) {
            rounds = 0;
            previous = current;
            current = 0;
        }
        long expected = (long) ((double) rate * (double) (sample.nowNs - epochNs) / NS_PER_SECOND);
        if (epochBytes <= expected
                || epochBytes + sample.deliveredBytes
                        >= (long) MAX_EPOCH_SEGMENTS * mssBytes) { // no faster than expected, or old
            begin(sample.nowNs);
            expected = 0;
        }
        epochBytes += sample.deliveredBytes;
        current = Math.max(current, Math.min(epochBytes - expected, cwndBytes));
    }

    /** Nothing was sent for a while. */
    void begin(long nowNs) {
        epochNs = nowNs;
        epochBytes = 0;
    }

    /** Bytes to add to the window at this rate: what a tenth of a second brings, at most. */
    long extraBytes(long rate) {
        return Math.min(Math.max(current, previous), (long) ((double) rate * MAX_SECONDS));
    }
}
