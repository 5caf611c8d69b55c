package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.Test;

/** Round trips of 100 ms, in each of which so much arrives and so much is lost. */
@Rule("tcp.md: Congestion control")
class LongTermRateTest {
    private static final long ROUND_NS = 100_000_000;
    private static final boolean PROBING = true;

    private final LongTermRate policer = new LongTermRate();
    private final AckSample sample = new AckSample();

    private boolean round(long deliveredBytes, long lostBytes) {
        sample.nowNs += ROUND_NS;
        sample.totalDeliveredBytes += deliveredBytes;
        sample.lostBytes = lostBytes;
        return policer.onSample(sample, true, PROBING);
    }

    private void rounds(int count, long deliveredBytes, long lostBytes) {
        for (int i = 0; i < count; i++) {
            assertFalse(round(deliveredBytes, lostBytes));
        }
    }

    @Test
    void twoLossyIntervalsOfNearlyTheSameRateGiveThePolicers() {
        rounds(5, 10_000, 5_000);
        assertFalse(policer.isInUse());
        rounds(4, 11_000, 5_000);
        assertTrue(policer.isInUse());
        assertEquals(105_000, (double) policer.get(), 5_000);
    }

    @Test
    void differentRatesAreNoPolicers() {
        for (int i = 1; i <= 10; i++) {
            rounds(5, 10_000L << i, 5_000L << i);
        }
        assertFalse(policer.isInUse());
    }

    @Test
    void fewLossesAreNoPolicers() {
        rounds(60, 10_000, 1_500);
        assertFalse(policer.isInUse());
    }

    @Test
    void anIntervalWithoutLossForSixteenRoundsBeginsAnew() {
        rounds(5, 10_000, 5_000);
        rounds(17, 10_000, 0);
        rounds(5, 10_000, 5_000);
        assertFalse(policer.isInUse(), "the first interval is forgotten");
    }

    @Test
    void whatTheApplicationLimitedSaysNothing() {
        rounds(5, 10_000, 5_000);
        sample.appLimited = true;
        rounds(1, 10_000, 5_000);
        sample.appLimited = false;
        rounds(5, 10_000, 5_000);
        assertFalse(policer.isInUse());
    }

    @Test
    void itIsUsedForFortyEightRounds() {
        rounds(8, 10_000, 5_000);
        assertTrue(policer.isInUse());
        rounds(47, 10_000, 0);
        assertTrue(policer.isInUse());
        assertTrue(round(10_000, 0), "to be probed anew");
        assertFalse(policer.isInUse());
    }

    @Test
    void aTimeoutCountsAsALossAndARound() {
        rounds(4, 10_000, 5_000);
        policer.onTimeout();
        rounds(1, 10_000, 0);
        rounds(4, 10_000, 5_000);
        assertTrue(policer.isInUse());
    }

    @Test
    void lossesThatWereAMistakeAreForgotten() {
        rounds(9, 10_000, 5_000);
        policer.forget();
        assertFalse(policer.isInUse());
    }
}
