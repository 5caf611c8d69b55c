package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** draft-cheng-iccrg-delivery-rate-estimation, with segments of 1000 bytes. */
class DeliveryRateTest {
    private static final long MS = 1_000_000;
    private static final int MSS = 1000;

    private final SentSegments log = new SentSegments(new SegmentLogPool());
    private final DeliveryRate rate = new DeliveryRate();
    private final AckSample sample = new AckSample();

    private void send(int segments, long nowNs) {
        for (int i = 0; i < segments; i++) {
            rate.onSending(log.isEmpty(), nowNs);
            log.append(log.end() + MSS, nowNs, rate);
        }
    }

    private void ack(int segments, long nowNs) {
        for (int i = 0; i < segments; i++) {
            rate.onDelivered(log, log.first(), nowNs);
            log.removeFirst();
        }
        sample.nowNs = nowNs;
        rate.complete(sample, MS);
    }

    @Test
    void aWindowPerRoundTripIsTheRate() {
        send(10, 0);
        ack(10, 20 * MS);
        assertEquals(10 * MSS, sample.rateBytes);
        assertEquals(20 * MS, sample.intervalNs);
        assertEquals(0, sample.priorDeliveredBytes);
        assertEquals(10 * MSS, sample.totalDeliveredBytes);
    }

    @Test
    void compressedAcknowledgmentsDoNotRaiseTheRateAboveTheSendingRate() {
        for (int i = 0; i < 10; i++) {
            send(1, 2L * i * MS);
        }
        ack(1, 20 * MS);
        // the other nine arrive at once, though they were sent over 18 ms
        ack(9, 20 * MS + 1);
        assertEquals(20 * MS + 1, sample.intervalNs);
        assertEquals(10 * MSS, sample.rateBytes);
    }

    @Test
    void anIntervalBelowTheSmallestRoundTripMeasuresNothing() {
        send(1, 0);
        ack(1, MS / 2);
        assertEquals(-1, sample.intervalNs);
    }

    @Test
    void whatIsSentWhileTheApplicationHasTooLittleIsMarkedUntilItIsDelivered() {
        send(2, 0);
        rate.onApplicationLimited(log.pipe());
        ack(2, 10 * MS);
        assertFalse(sample.appLimited, "it was sent before");
        assertTrue(rate.isAppLimited());
        send(1, 10 * MS);
        ack(1, 20 * MS);
        assertTrue(sample.appLimited);
        assertFalse(rate.isAppLimited(), "all that was in flight then is delivered");
        send(1, 20 * MS);
        ack(1, 30 * MS);
        assertFalse(sample.appLimited);
    }

    @Test
    void anAcknowledgmentOfNothingNewMeasuresNothing() {
        send(1, 0);
        ack(0, 10 * MS);
        assertEquals(-1, sample.intervalNs);
        assertEquals(0, sample.rateBytes);
    }
}
