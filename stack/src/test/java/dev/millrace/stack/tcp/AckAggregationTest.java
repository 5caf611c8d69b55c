package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.Test;

/** At 1 MB/s, where a millisecond explains 1000 bytes. */
@Rule("tcp.md: Congestion control")
class AckAggregationTest {
    private static final long MS = 1_000_000;
    private static final long RATE = 1_000_000;
    private static final long CWND = 60_000;

    private final AckAggregation aggregation = new AckAggregation();
    private final AckSample sample = new AckSample();

    private void acked(long afterMs, long bytes, boolean roundStart) {
        sample.nowNs += afterMs * MS;
        sample.deliveredBytes = bytes;
        sample.rateBytes = bytes;
        sample.intervalNs = MS;
        aggregation.onSample(sample, roundStart, RATE, CWND, 1000);
    }

    @Test
    void whatTheRateExplainsIsNoExcess() {
        acked(1, 1000, false);
        for (int i = 0; i < 100; i++) {
            acked(1, 1000, false);
        }
        assertEquals(1000, aggregation.extraBytes(RATE), "the first of an epoch");
    }

    @Test
    void theExcessIsWhatComesTogetherBeyondIt() {
        acked(1, 1000, false);
        acked(20, 20_000, false);
        assertEquals(20_000, aggregation.extraBytes(RATE));
        acked(5, 10_000, false);
        assertEquals(25_000, aggregation.extraBytes(RATE), "20,000 and 10,000 in 5 ms");
    }

    @Test
    void itIsBoundedByTheWindowAndATenthOfASecond() {
        acked(1, 1000, false);
        acked(200, 200_000, false);
        assertEquals(CWND, aggregation.extraBytes(RATE));
        assertEquals(10_000, aggregation.extraBytes(100_000));
    }

    @Test
    void itIsForgottenAfterTenRounds() {
        acked(1, 1000, false);
        acked(20, 20_000, true);
        for (int round = 0; round < 9; round++) {
            acked(30, 1000, true);
        }
        assertEquals(1000, aggregation.extraBytes(RATE));
    }

    @Test
    void anIdleTimeBeginsAnew() {
        acked(1, 1000, false);
        acked(20, 20_000, false);
        aggregation.begin(sample.nowNs);
        acked(1, 5000, false);
        assertEquals(20_000, aggregation.extraBytes(RATE));
    }
}
