package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** BBR on a path of 10 Mbit/s and 40 ms, one acknowledgment per round trip: its product is 50 segments of 1000 bytes. */
@Rule("tcp.md: Congestion control")
class BbrTest {
    private static final int MSS = 1000;
    private static final long MS = 1_000_000;
    private static final long RTT = 40 * MS;
    private static final long RATE = 1_250_000;
    private static final long PRODUCT = 50 * MSS;

    private final Bbr bbr = new Bbr(new SplittableRandom(3));
    private final AckSample sample = new AckSample();
    private long delivered;
    private long nowNs;

    BbrTest() {
        bbr.onEstablished(MSS, false);
    }

    private void round(long bytesPerSecond, long inFlight) {
        round(bytesPerSecond, inFlight, RTT);
    }

    /** What was sent a round trip ago arrives at that rate, and so much is in flight afterwards. */
    private void round(long bytesPerSecond, long inFlight, long rttNs) {
        nowNs += rttNs;
        long bytes = bytesPerSecond * rttNs / 1_000_000_000;
        sample.priorDeliveredBytes = delivered;
        delivered += bytes;
        sample.totalDeliveredBytes = delivered;
        sample.deliveredBytes = bytes;
        sample.ackedBytes = bytes;
        sample.rateBytes = bytes;
        sample.intervalNs = rttNs;
        sample.rttNs = rttNs;
        sample.priorInFlightBytes = inFlight;
        sample.inFlightBytes = inFlight;
        sample.nowNs = nowNs;
        bbr.onSample(sample);
        sample.lostBytes = 0;
    }

    /** Up to where probing begins. */
    private void reachProbing() {
        for (long rate = RATE / 8; rate <= RATE; rate *= 2) {
            round(rate, 2 * PRODUCT);
        }
        for (int i = 0; i < 3; i++) {
            round(RATE, 2 * PRODUCT);
        }
        round(RATE, PRODUCT);
        for (int i = 0; i < 8; i++) {
            round(RATE, PRODUCT);
        }
    }

    private static double shareOf(long rate) {
        return (double) rate / (0.99 * RATE);
    }

    @Test
    void theFirstWindowIsSpreadOverLessThanHalfARoundTrip() {
        assertEquals(2.885 * 10 * MSS / 0.04, (double) bbr.pacingRate(RTT), 1);
    }

    @Test
    void aFewBytesThatCameFirstDoNotSlowTheStart() {
        round(3_000_000_000L / RTT, 0); // three bytes that went with the SYN
        assertEquals(2.885 * 10 * MSS / 0.04, (double) bbr.pacingRate(RTT), 1);
    }

    @Test
    void startupDoublesUntilTheRateHasNotGrownForThreeRounds() {
        bbr.pacingRate(RTT);
        long last = 0;
        for (long rate = RATE / 4; rate <= RATE; rate *= 2) {
            round(rate, 2 * PRODUCT);
            long pacing = bbr.pacingRate(RTT);
            assertTrue(pacing > last, "grows");
            assertEquals(2.885 * 0.99 * (double) Math.max(rate, 250_000), (double) pacing, 10_000);
            last = pacing;
        }
        round(RATE, 2 * PRODUCT);
        round(RATE, 2 * PRODUCT);
        assertEquals(2.885, shareOf(bbr.pacingRate(RTT)), 0.01, "two rounds are not enough");
        round(RATE, 2 * PRODUCT);
        assertEquals(1 / 2.885, shareOf(bbr.pacingRate(RTT)), 0.01, "drains");
        round(RATE, PRODUCT);
        double gain = shareOf(bbr.pacingRate(RTT));
        assertTrue(gain > 0.99, "probes, and not with 0.75 first: " + gain);
    }

    @Test
    void roundsThatTheApplicationLimitedDoNotTellThatThePipeIsFull() {
        sample.appLimited = true;
        for (int i = 0; i < 20; i++) {
            round(RATE / 4, PRODUCT / 4);
        }
        sample.appLimited = false;
        round(RATE / 2, PRODUCT);
        assertEquals(2.885 / 2, shareOf(bbr.pacingRate(RTT)), 0.01);
    }

    @Test
    void theWindowIsTwiceTheProductAndRoomForBurstsAndForWhatIsAcknowledgedTogether() {
        reachProbing();
        long together = PRODUCT; // here the acknowledgments of a round trip come as one
        long least = 2 * PRODUCT + together;
        assertTrue(bbr.cwndBytes() >= least && bbr.cwndBytes() <= least + 8 * MSS, "" + bbr.cwndBytes());
    }

    @Test
    void oneRoundInEightProbesAndTheNextDrains() {
        reachProbing();
        int probing = 0;
        int draining = 0;
        for (int i = 0; i < 80; i++) {
            boolean before = shareOf(bbr.pacingRate(RTT)) > 1.2;
            round(RATE, shareOf(bbr.pacingRate(RTT)) > 1.2 ? PRODUCT * 13 / 10 : PRODUCT + MSS, RTT + 1);
            double gain = shareOf(bbr.pacingRate(RTT));
            probing += Math.abs(gain - 1.25) < 0.01 ? 1 : 0;
            draining += Math.abs(gain - 0.75) < 0.01 ? 1 : 0;
            assertTrue(!before || Math.abs(gain - 1.25) < 0.01 || Math.abs(gain - 0.75) < 0.01, "" + gain);
        }
        assertTrue(probing >= 9 && probing <= 20, "probing " + probing);
        assertTrue(draining >= 9 && draining <= 20, "draining " + draining);
    }

    @Test
    void theRateIsTheLargestOfTenRounds() {
        reachProbing();
        for (int i = 0; i < 9; i++) {
            round(RATE / 2, PRODUCT);
        }
        assertTrue(shareOf(bbr.pacingRate(RTT)) > 0.74);
        for (int i = 0; i < 12; i++) {
            round(RATE / 2, PRODUCT);
        }
        assertTrue(shareOf(bbr.pacingRate(RTT)) < 0.63);
    }

    @Test
    void aLossConservesForARoundAndThenTheWindowIsAsBefore() {
        reachProbing();
        long window = bbr.cwndBytes();
        long rate = bbr.pacingRate(RTT);
        bbr.onLoss(nowNs);
        sample.lostBytes = MSS;
        long inFlight = PRODUCT / 2;
        nowNs += MS;
        sample.nowNs = nowNs;
        sample.priorDeliveredBytes = delivered - MSS; // no new round
        sample.deliveredBytes = 2 * MSS;
        sample.inFlightBytes = inFlight;
        bbr.onSample(sample);
        sample.lostBytes = 0;
        assertEquals(inFlight + 2 * MSS, bbr.cwndBytes());
        bbr.onRecovered(nowNs);
        assertEquals(window, bbr.cwndBytes());
        assertTrue(bbr.pacingRate(RTT) > rate / 2, "losses do not change the rate");
    }

    @Test
    void aTimeoutStartsFromOneSegmentAndKeepsTheModel() {
        reachProbing();
        bbr.onRto(false, nowNs);
        assertEquals(MSS, bbr.cwndBytes());
        round(RATE, 0);
        assertTrue(bbr.cwndBytes() > PRODUCT, "regained in the round trip that delivers");
    }

    @Test
    void aSpuriousTimeoutIsTakenBack() {
        reachProbing();
        long window = bbr.cwndBytes();
        bbr.onRto(false, nowNs);
        bbr.onSpurious(nowNs);
        assertEquals(window, bbr.cwndBytes());
    }

    @Test
    void afterTenSecondsWithoutASmallerRoundTripTheFlightFallsToFourSegmentsForAFifthOfASecond() {
        reachProbing();
        long window = bbr.cwndBytes();
        long waited = 0;
        while (bbr.cwndBytes() > 4 * MSS) {
            round(RATE, PRODUCT, RTT + MS);
            waited += RTT;
            assertTrue(waited < 11_000 * MS, "never probed");
        }
        assertTrue(waited > 9_000 * MS, "after " + waited / MS + " ms");
        long began = nowNs;
        while (bbr.cwndBytes() <= 4 * MSS) {
            round(4 * MSS * 1_000_000_000L / RTT, 4 * MSS);
            assertTrue(nowNs - began < 400 * MS, "never ends");
        }
        assertTrue(nowNs - began > 200 * MS, "after " + (nowNs - began) / MS + " ms");
        assertTrue(bbr.cwndBytes() >= window - 8 * MSS, "restored");
        round(RATE / 20, PRODUCT);
        assertTrue(
                shareOf(bbr.pacingRate(RTT)) > 0.7, "what was delivered meanwhile does not count as the path's rate");
    }

    @Test
    void afterIdlenessItGoesOnAtTheRateItKnows() {
        reachProbing();
        long window = bbr.cwndBytes();
        bbr.onIdle(5_000 * MS, 200 * MS);
        assertEquals(window, bbr.cwndBytes());
        assertEquals(1, shareOf(bbr.pacingRate(RTT)), 0.01);
    }
}
