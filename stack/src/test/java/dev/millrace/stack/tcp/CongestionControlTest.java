package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CongestionControlTest {
    private static final int MSS = 1000;
    private static final long MS = 1_000_000;

    private final AckSample sample = new AckSample();
    private long position;

    private static CongestionControl established(String name) {
        CongestionControl control = CongestionAlgorithm.of(name).create(new SplittableRandom(1));
        control.onEstablished(MSS, false);
        return control;
    }

    /** Grows the window to this many segments in slow start, with round trips too short to tell of a queue. */
    private CongestionControl grown(String name, int segments) {
        CongestionControl control = established(name);
        for (int i = 10; i < segments; i++) {
            ack(control, MSS, MS, 0);
        }
        assertEquals((long) segments * MSS, control.cwndBytes());
        return control;
    }

    private void ack(CongestionControl control, long bytes, long rttNs, long nowNs) {
        position += bytes;
        sample.arrivedBytes = bytes;
        sample.unacknowledgedPosition = position;
        sample.nextPosition = position + control.cwndBytes();
        sample.rttNs = rttNs;
        sample.windowLimited = true;
        sample.nowNs = nowNs;
        control.onAck(sample);
    }

    @Rule("tcp.md: Congestion control")
    @ParameterizedTest
    @ValueSource(ints = {536, 1460, 8960, 65_000})
    void theInitialWindowIsTenSegments(int mss) {
        CongestionControl control = new NewReno();
        control.onEstablished(mss, false);
        assertEquals(10L * mss, control.cwndBytes());
        control.onEstablished(mss, true);
        assertEquals(mss, control.cwndBytes(), "after SYNs that were lost");
    }

    @Rule("RFC 9293 MUST-19")
    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void slowStartDoublesPerRoundTrip(String name) {
        CongestionControl control = established(name);
        for (int i = 0; i < 10; i++) {
            ack(control, MSS, 10 * MS, 0);
        }
        assertEquals(20 * MSS, control.cwndBytes());
    }

    @Rule("tcp.md: Congestion control")
    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void splittingAnAcknowledgmentGainsNothing(String name) {
        CongestionControl whole = established(name);
        CongestionControl split = established(name);
        ack(whole, MSS, 10 * MS, 0);
        for (int i = 0; i < MSS; i++) {
            ack(split, 1, 10 * MS, 0);
        }
        assertEquals(whole.cwndBytes(), split.cwndBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void anAcknowledgmentOfABurstGrowsTheWindowByAllOfIt(String name) {
        CongestionControl control = established(name);
        ack(control, 10 * MSS, 10 * MS, 0);
        assertEquals(20 * MSS, control.cwndBytes());
    }

    @Rule("tcp.md: Congestion control")
    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void aWindowThatIsNotUsedDoesNotGrow(String name) {
        CongestionControl control = established(name);
        ack(control, MSS, 10 * MS, 0);
        long before = control.cwndBytes();
        sample.windowLimited = false;
        for (int i = 0; i < 100; i++) {
            control.onAck(sample);
        }
        assertEquals(before, control.cwndBytes());
    }

    @ParameterizedTest
    @CsvSource({"newreno,50000", "cubic,70000"})
    void aLossShrinksTheWindowOnce(String name, long expected) {
        CongestionControl control = grown(name, 100);
        control.onLoss(0);
        assertEquals(expected, control.cwndBytes());
        assertEquals(expected, control.ssthreshBytes());
    }

    /** RFC 2861 §3.1: what the application does not use of the window says nothing of the path; the threshold remembers three quarters. */
    @Rule("tcp.md: Congestion control")
    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void aWindowThatWasNotFilledForATimeoutLosesHalfOfWhatWasNotUsed(String name) {
        CongestionControl control = grown(name, 100);
        control.onUnused(40 * MSS);
        assertEquals(70 * MSS, control.cwndBytes());
        control.onUnused(MSS);
        assertEquals(40 * MSS, control.cwndBytes(), "never below the initial window");
        control.onLoss(0);
        control.onUnused(MSS);
        assertTrue(control.cwndBytes() >= 10 * MSS);
    }

    @Rule("RFC 3168 §6.1.2")
    @ParameterizedTest
    @CsvSource({"newreno,50000", "cubic,70000"})
    void anEchoedMarkShrinksTheWindowAsALossDoes(String name, long expected) {
        CongestionControl control = grown(name, 100);
        control.onEcnEcho(0);
        assertEquals(expected, control.cwndBytes());
        assertEquals(expected, control.ssthreshBytes());
        control.onSpurious(0);
        assertEquals(expected, control.cwndBytes(), "a mark is never a mistake");
    }

    @Rule("RFC 3168 §6.1.2")
    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void anAcknowledgmentThatEchoesAMarkDoesNotGrowTheWindow(String name) {
        CongestionControl control = grown(name, 20);
        sample.ecnEcho = true;
        ack(control, 10 * MSS, MS, 0);
        assertEquals(20 * MSS, control.cwndBytes());
        sample.ecnEcho = false;
        ack(control, MSS, MS, 0);
        assertEquals(21 * MSS, control.cwndBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void aSpuriousLossIsTakenBackOnce(String name) {
        CongestionControl control = grown(name, 100);
        control.onLoss(0);
        control.onSpurious(5 * MS);
        assertEquals(100 * MSS, control.cwndBytes());
        assertEquals(Long.MAX_VALUE, control.ssthreshBytes());
        control.onEcnEcho(10 * MS);
        long reduced = control.cwndBytes();
        control.onSpurious(15 * MS);
        assertEquals(reduced, control.cwndBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void aSpuriousTimeoutIsTakenBackToWhereItBegan(String name) {
        CongestionControl control = grown(name, 100);
        control.onLoss(0);
        long threshold = control.ssthreshBytes();
        long window = control.cwndBytes();
        control.onRto(false, 5 * MS);
        control.onRto(true, 7 * MS);
        ack(control, MSS, MS, 10 * MS);
        control.onSpurious(10 * MS);
        assertEquals(window, control.cwndBytes());
        assertEquals(threshold, control.ssthreshBytes());
    }

    /** RFC 9438 §4.9: the plateau from before the mistake is aimed for again, not that of the mistake. */
    @Test
    void afterASpuriousLossCubicFollowsItsOldCurve() {
        CongestionControl mistaken = grown("cubic", 1_000);
        CongestionControl undisturbed = grown("cubic", 1_000);
        for (CongestionControl each : new CongestionControl[] {mistaken, undisturbed}) {
            each.onLoss(0);
            ack(each, MSS, 100 * MS, MS);
        }
        mistaken.onLoss(2 * MS);
        mistaken.onSpurious(3 * MS);
        for (long now = 100 * MS; now < 9_000 * MS; now += 100 * MS) {
            for (CongestionControl each : new CongestionControl[] {mistaken, undisturbed}) {
                ack(each, each.cwndBytes(), 100 * MS, now);
            }
        }
        assertEquals(undisturbed.cwndBytes(), mistaken.cwndBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void thePacingRateNeverHoldsGrowthBack(String name) {
        CongestionControl control = grown(name, 100);
        assertEquals(Pacer.UNPACED, control.pacingRate(0));
        assertEquals(2 * 100_000 * 100, control.pacingRate(10 * MS), "two windows per round trip in slow start");
        control.onLoss(0);
        assertEquals((long) (1.2 * (double) control.cwndBytes() * 100), control.pacingRate(10 * MS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void theThresholdIsTwoSegmentsAtLeast(String name) {
        CongestionControl control = established(name);
        for (int i = 0; i < 10; i++) {
            control.onLoss(0);
        }
        assertEquals(2 * MSS, control.ssthreshBytes());
        control.onRto(false, 0);
        assertEquals(2 * MSS, control.ssthreshBytes());
        assertEquals(MSS, control.cwndBytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void aTimeoutStartsFromOneSegmentAndOnlyTheFirstSetsTheThreshold(String name) {
        CongestionControl control = established(name);
        control.onRto(false, 0);
        long threshold = control.ssthreshBytes();
        assertEquals(MSS, control.cwndBytes());
        control.onRto(true, 0);
        assertEquals(threshold, control.ssthreshBytes());
        ack(control, MSS, 10 * MS, 0);
        assertEquals(2 * MSS, control.cwndBytes());
    }

    @Rule("RFC 9293 MUST-19")
    @Test
    void renoGrowsByOneSegmentPerRoundTrip() {
        CongestionControl control = grown("newreno", 20);
        control.onLoss(0);
        for (int round = 0; round < 5; round++) {
            assertEquals((10L + round) * MSS, control.cwndBytes());
            long window = control.cwndBytes() / MSS;
            for (int i = 0; i < window; i++) {
                ack(control, MSS, 10 * MS, 0);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"newreno", "cubic"})
    void idlenessShrinksTheWindowTowardsTheInitialOne(String name) {
        CongestionControl control = established(name);
        for (int i = 0; i < 70; i++) {
            ack(control, MSS, 10 * MS, 0);
        }
        long before = control.cwndBytes();
        control.onIdle(199 * MS, 200 * MS);
        assertEquals(before, control.cwndBytes());
        control.onIdle(400 * MS, 200 * MS);
        assertEquals(before / 4, control.cwndBytes());
        assertTrue(control.ssthreshBytes() >= before / 2);
        control.onIdle(Long.MAX_VALUE / 2, 200 * MS);
        assertEquals(10 * MSS, control.cwndBytes());
    }

    /** RFC 9438 §4.2: a second and K after the loss the window is back at its former maximum; in between it is flat. */
    @Rule("RFC 9293 MAY-18")
    @Rule("tcp.md: Congestion control")
    @Test
    void cubicReturnsToItsMaximumAfterKSeconds() {
        CongestionControl control = established("cubic");
        while (control.cwndBytes() < 1_000 * MSS) {
            ack(control, control.cwndBytes(), 20 * MS, 0);
        }
        double maximum = (double) control.cwndBytes() / MSS;
        control.onLoss(0);
        double k = Math.cbrt((maximum - 0.7 * maximum) / 0.4);
        long rtt = 100 * MS;
        long now = 0;
        double halfway = 0;
        while (now < (long) (k * 1e9)) {
            now += rtt;
            long round = control.cwndBytes();
            for (long acked = 0; acked < round; acked += 2 * MSS) {
                ack(control, 2 * MSS, rtt, now);
            }
            if (halfway == 0 && now >= (long) (k * 5e8)) {
                halfway = (double) control.cwndBytes() / MSS;
            }
        }
        double end = (double) control.cwndBytes() / MSS;
        assertEquals(maximum, end, maximum * 0.03);
        assertTrue(halfway > maximum * 0.93 && halfway < maximum, "concave: " + halfway + " of " + maximum);
    }

    @Test
    void cubicIsNeverSlowerThanRenoWould() {
        CongestionControl cubic = grown("cubic", 20);
        cubic.onLoss(0);
        long now = 0;
        long start = cubic.cwndBytes() / MSS;
        for (int round = 0; round < 60; round++) {
            now += MS; // a short round trip: the cubic function has hardly moved
            long window = cubic.cwndBytes();
            for (long acked = 0; acked < window; acked += MSS) {
                ack(cubic, MSS, MS, now);
            }
        }
        // additive increase of 3·0.3/1.7 = 0.53 segments per round trip at first, one from the former window on
        assertTrue(cubic.cwndBytes() / MSS >= start + 30, "window " + cubic.cwndBytes());
    }

    @Test
    void fastConvergenceLeavesRoomForNewFlows() {
        CongestionControl control = established("cubic");
        for (int i = 0; i < 90; i++) {
            ack(control, MSS, MS, 0);
        }
        control.onLoss(0); // maximum 100
        control.onLoss(0); // below the last: remembers 70 × 0.85
        long window = control.cwndBytes();
        long now = 0;
        double k = Math.cbrt((59.5 - 49) / 0.4);
        while (now < (long) (k * 1e9)) {
            now += 100 * MS;
            ack(control, 2 * MSS, 100 * MS, now);
        }
        assertTrue(control.cwndBytes() > window && control.cwndBytes() < 61 * MSS, "window " + control.cwndBytes());
    }

    @Test
    void slowStartEndsWhenRoundTripsGrow() {
        CongestionControl control = established("cubic");
        long rtt = 20 * MS;
        int rounds = 0;
        while (control.ssthreshBytes() == Long.MAX_VALUE && rounds < 30) {
            long window = control.cwndBytes();
            if (window > 200 * MSS) {
                rtt += 5 * MS; // the queue builds up
            }
            for (long acked = 0; acked < window; acked += MSS) {
                position += MSS;
                sample.arrivedBytes = MSS;
                sample.unacknowledgedPosition = position;
                sample.nextPosition = position - acked - MSS + 2L * window;
                sample.rttNs = rtt;
                sample.windowLimited = true;
                control.onAck(sample);
            }
            rounds++;
        }
        assertTrue(rounds < 30, "slow start went on for ever");
        assertTrue(control.cwndBytes() < 3_000 * MSS, "window " + control.cwndBytes());
    }

    @Test
    void steadyRoundTripsDoNotEndSlowStart() {
        CongestionControl control = established("cubic");
        for (int i = 0; i < 5_000; i++) {
            ack(control, MSS, (20 + i % 2) * MS, 0);
        }
        assertEquals(Long.MAX_VALUE, control.ssthreshBytes());
    }

    @Test
    void windowsStayWithinTheirBound() {
        CongestionControl control = established("cubic");
        control.onLoss(0);
        long now = 0;
        for (int i = 0; i < 20_000; i++) {
            now += 1_000 * MS;
            ack(control, control.cwndBytes(), 1_000 * MS, now);
        }
        assertEquals(AbstractCongestionControl.MAX_WINDOW_BYTES, control.cwndBytes());
    }

    @Test
    void namesAreThoseOfLinux() {
        for (CongestionAlgorithm algorithm : CongestionAlgorithm.values()) {
            assertEquals(algorithm, CongestionAlgorithm.of(algorithm.text()));
            assertEquals(
                    algorithm.text(), algorithm.create(new SplittableRandom(1)).name());
        }
        assertEquals(CongestionAlgorithm.NEWRENO, CongestionAlgorithm.of("reno"));
        assertThrows(IllegalArgumentException.class, () -> CongestionAlgorithm.of("vegas"));
    }
}
