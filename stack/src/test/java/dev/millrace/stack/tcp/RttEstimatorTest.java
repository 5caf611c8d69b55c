package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.Test;

class RttEstimatorTest {
    private static final long MS = 1_000_000;
    private static final long SECOND = 1_000 * MS;

    private final RttEstimator rtt = new RttEstimator(200 * MS);

    @Test
    void beginsWithOneSecond() {
        assertEquals(SECOND, rtt.rtoNs());
        assertFalse(rtt.hasSample());
    }

    @Rule("RFC 9293 MUST-18")
    @Test
    void theFirstSampleSetsBothEstimates() {
        rtt.onSample(400 * MS, 0);
        assertEquals(400 * MS, rtt.smoothedRttNs());
        assertEquals(200 * MS, rtt.rttVariationNs());
        assertEquals(1_200 * MS, rtt.rtoNs());
    }

    @Rule("RFC 9293 MUST-18")
    @Test
    void laterSamplesWeighAnEighthAndAQuarter() {
        rtt.onSample(400 * MS, 0);
        rtt.onSample(800 * MS, 0);
        assertEquals(450 * MS, rtt.smoothedRttNs());
        assertEquals(250 * MS, rtt.rttVariationNs());
        assertEquals(1_450 * MS, rtt.rtoNs());
    }

    @Test
    void severalSamplesPerRoundTripWeighLessEach() {
        rtt.onSample(400 * MS, 0);
        rtt.onSample(800 * MS, 800 * MS, 4, 0);
        assertEquals(400 * MS + 400 * MS / 32, rtt.smoothedRttNs());
        assertEquals(200 * MS + 200 * MS / 16, rtt.rttVariationNs());
    }

    @Rule("tcp.md: RTO")
    @Test
    void theMinimumStandsForTheVarianceTerm() {
        for (int i = 0; i < 100; i++) {
            rtt.onSample(10 * MS, 0);
        }
        assertEquals(210 * MS, rtt.rtoNs());
    }

    @Rule("tcp.md: RTO")
    @Test
    void backOffDoublesUpToTwoMinutes() {
        rtt.onSample(100 * MS, 0); // RTO 300 ms
        long expected = 300 * MS;
        for (int i = 0; i < 40; i++) {
            assertEquals(expected, rtt.rtoNs());
            rtt.backOff();
            expected = Math.min(120 * SECOND, expected * 2);
        }
        assertEquals(120 * SECOND, rtt.rtoNs());
        assertEquals(9, rtt.backOffs());
    }

    @Test
    void aSampleEndsTheBackOff() {
        rtt.onSample(100 * MS, 0);
        rtt.backOff();
        rtt.backOff();
        rtt.onSample(100 * MS, 0);
        assertEquals(0, rtt.backOffs());
        assertTrue(rtt.rtoNs() < 400 * MS);
    }

    @Test
    void afterASynTimeoutDataBeginsWithThreeSeconds() {
        rtt.backOff();
        rtt.onSynTimedOut();
        assertEquals(3 * SECOND, rtt.rtoNs());
    }

    @Test
    void aMeasuredRoundTripOutlivesASynTimeout() {
        rtt.onSample(100 * MS, 0);
        rtt.onSynTimedOut();
        assertEquals(300 * MS, rtt.rtoNs());
    }

    @Test
    void theMinimumIsOfTheLastMinutesOnly() {
        rtt.onSample(10 * MS, 0);
        for (long second = 1; second <= 299; second++) {
            rtt.onSample(100 * MS, second * SECOND);
        }
        assertEquals(10 * MS, rtt.minimumRttNs());
        for (long second = 300; second <= 600; second++) {
            rtt.onSample(100 * MS, second * SECOND);
        }
        assertEquals(100 * MS, rtt.minimumRttNs());
    }

    @Test
    void afterALongSilenceOnlyTheNewSampleCountsForTheMinimum() {
        rtt.onSample(10 * MS, 0);
        rtt.onSample(100 * MS, 2 * RttEstimator.MINIMUM_WINDOW_NS);
        assertEquals(100 * MS, rtt.minimumRttNs());
    }

    @Test
    void absurdSamplesAreBounded() {
        rtt.onSample(Long.MAX_VALUE, 0);
        assertEquals(120 * SECOND, rtt.rtoNs());
        RttEstimator other = new RttEstimator(MS);
        other.onSample(-5, 0);
        assertEquals(1, other.smoothedRttNs());
        for (int i = 0; i < 1000; i++) {
            other.onSample(0, 0);
        }
        assertTrue(other.smoothedRttNs() >= 1 && other.rtoNs() >= MS);
    }
}
