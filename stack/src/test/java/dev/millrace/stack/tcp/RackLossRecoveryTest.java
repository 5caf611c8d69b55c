package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Segments are numbered from 0 and 1000 bytes long; the initial window is ten of them. */
@Rule("tcp.md: Loss recovery")
class RackLossRecoveryTest {
    private static final int MSS = 1000;

    private static final long MS = 1_000_000;
    private static final long RTT = 20 * MS;

    private final CongestionControl reno = new NewReno();
    private final Counters counters = new Counters();
    private final AckSample sample = new AckSample();
    private final Acknowledgment arrived = new Acknowledgment();
    private RttEstimator rtt = new RttEstimator(200 * MS);
    private LossRecovery recovery = recovery(true);
    private long nowNs = 1000 * MS;
    private long una;
    private long nxt;

    private LossRecovery recovery(boolean sack) {
        rtt = new RttEstimator(200 * MS);
        rtt.onSample(RTT, 0);
        return new RackLossRecovery(reno, sack, MSS, false, rtt, counters, sample, new SegmentLogPool());
    }

    private void withoutSack() {
        recovery = recovery(false);
    }

    private void send(int segments) {
        for (int i = 0; i < segments; i++) {
            recovery.onSent(nxt, nxt + MSS, nowNs);
            nxt += MSS;
        }
    }

    private void after(long durationNs) {
        nowNs += durationNs;
    }

    /** A round trip later. */
    private void roundTrip() {
        after(RTT);
    }

    /** Acknowledges up to segment {@code next}, with SACK blocks as pairs of segment numbers. */
    private void ack(int next, long... blocks) {
        ackEchoing(Acknowledgment.NONE, next, blocks);
    }

    /** As {@link #ack}; the timestamp echoed left at that time. */
    private void ackEchoing(long echoNs, int next, long... blocks) {
        long prior = una;
        una = (long) next * MSS;
        arrived.sackBlocks = blocks.length / 2;
        for (int i = 0; i < arrived.sackBlocks; i++) {
            arrived.sackFrom[i] = blocks[2 * i] * MSS;
            arrived.sackTo[i] = blocks[2 * i + 1] * MSS;
        }
        arrived.una = una;
        arrived.acknowledged = una;
        arrived.duplicate = una == prior && nxt > una;
        arrived.echoNs = echoNs;
        arrived.windowLimited = true;
        arrived.nowNs = nowNs;
        recovery.onAck(arrived);
    }

    /** Sends again what recovery and window allow, and says how many segments that were; checks they begin where expected. */
    private int retransmit(long... expectedSegments) {
        int sent = 0;
        while (recovery.retransmitFrom() != LossRecovery.NOTHING && recovery.allowanceBytes() >= MSS) {
            long from = recovery.retransmitFrom();
            long to = recovery.retransmitTo();
            assertTrue(sent < expectedSegments.length, "unexpected retransmission of " + from);
            assertEquals(expectedSegments[sent] * MSS, from);
            assertEquals(from + MSS, to);
            recovery.onRetransmitted(from, to, nowNs);
            sent++;
        }
        assertEquals(expectedSegments.length, sent);
        return sent;
    }

    @Test
    void theInitialWindowIsTenSegments() {
        assertEquals(10 * MSS, recovery.allowanceBytes());
        send(10);
        assertEquals(0, recovery.allowanceBytes());
        assertEquals(10 * MSS, recovery.inFlightBytes());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void retransmitsAfterThreeDuplicateAcks(boolean sack) {
        if (!sack) {
            withoutSack();
        }
        send(10);
        roundTrip();
        for (int i = 2; i <= 3; i++) {
            ackDuplicate(sack, i);
            assertFalse(recovery.inRecovery());
            assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom());
        }
        ackDuplicate(sack, 4);
        assertTrue(recovery.inRecovery());
        retransmit(0);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
    }

    private void ackDuplicate(boolean sack, int upTo) {
        if (sack) {
            ack(0, 1, upTo);
        } else {
            ack(0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void limitedTransmitSendsNewDataOnTheFirstTwoDuplicates(boolean sack) {
        if (!sack) {
            withoutSack();
        }
        send(10);
        roundTrip();
        ackDuplicate(sack, 2);
        assertEquals(MSS, recovery.allowanceBytes());
        send(1);
        assertEquals(0, recovery.allowanceBytes());
        ackDuplicate(sack, 3);
        assertEquals(MSS, recovery.allowanceBytes());
        send(1);
        ackDuplicate(sack, 4);
        assertEquals(5 * MSS, recovery.ssthreshBytes(), "what limited transmit sent does not raise the threshold");
    }

    @Test
    void duplicatesThatSackNothingNewProveNothing() {
        send(10);
        roundTrip();
        ack(0, 1, 2);
        for (int i = 0; i < 10; i++) {
            ack(0, 1, 2);
        }
        assertFalse(recovery.inRecovery(), "forged duplicates");
        for (int i = 0; i < 10; i++) {
            ack(0);
        }
        assertFalse(recovery.inRecovery());
        assertEquals(9 * MSS, recovery.inFlightBytes());
    }

    @Test
    void severalHolesAreFilledWithinOneRoundTrip() {
        send(10); // 0, 2 and 4 are lost
        roundTrip();
        ack(0, 1, 2);
        ack(0, 3, 4, 1, 2);
        ack(0, 5, 6, 3, 4, 1, 2); // three segments: all sent before the last of them are lost
        retransmit(0);
        ack(0, 5, 7, 3, 4, 1, 2);
        retransmit(2);
        ack(0, 5, 8, 3, 4, 1, 2);
        retransmit(4);
        ack(0, 5, 10, 3, 4, 1, 2);
        assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom());
        roundTrip();
        ack(2, 3, 4, 5, 10);
        ack(4, 5, 10);
        assertTrue(recovery.inRecovery());
        ack(10);
        assertFalse(recovery.inRecovery());
        assertEquals(5 * MSS, recovery.cwndBytes());
        assertEquals(0, recovery.inFlightBytes());
    }

    @Test
    void oneWindowOfLossesReducesTheWindowOnce() {
        send(10);
        ack(0, 1, 4);
        retransmit(0);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        ack(4, 5, 8); // partial: 4 was lost as well
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        retransmit(4);
        ack(10);
        assertFalse(recovery.inRecovery());
    }

    /** As Linux; a burst of acknowledgments is taken in before anything is sent for it, so that SND.NXT − SND.UNA is small when its last one shows a loss. */
    @Test
    void theThresholdIsReckonedFromTheWindowNotFromWhatIsLeftInFlight() {
        send(10);
        roundTrip();
        ack(2);
        ack(4);
        ack(4, 5, 8);
        assertTrue(recovery.inRecovery());
        assertEquals(7 * MSS, recovery.ssthreshBytes(), "half of 14");
    }

    /** Windows count bytes: an application that writes byte by byte would else have so many packets sent at once. */
    @Test
    void smallSegmentsLostSideBySideAreSentAgainAsOne() {
        for (int i = 0; i < 700; i++) {
            recovery.onSent(nxt, nxt + 2, nowNs);
            nxt += 2;
        }
        after(300 * MS);
        recovery.onTimeout(nowNs);
        assertEquals(0, recovery.retransmitFrom());
        assertEquals(MSS, recovery.retransmitTo());
        recovery.onRetransmitted(0, MSS, nowNs);
        assertEquals(MSS, recovery.inFlightBytes());
        assertEquals(MSS, recovery.retransmitFrom());
        assertEquals(nxt, recovery.retransmitTo());
        roundTrip();
        una = MSS;
        arrived.una = una;
        arrived.acknowledged = una;
        arrived.sackBlocks = 0;
        arrived.duplicate = false;
        arrived.echoNs = Acknowledgment.NONE;
        arrived.nowNs = nowNs;
        recovery.onAck(arrived);
        recovery.onRetransmitted(MSS, nxt, nowNs);
        assertEquals(nxt - MSS, recovery.inFlightBytes());
        assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom());
    }

    @Test
    void whatHasArrivedOrIsOutIsNotSentAgainWithItsNeighbours() {
        for (int i = 0; i < 10; i++) {
            recovery.onSent(nxt, nxt + 100, nowNs);
            nxt += 100;
        }
        arrived.una = 0;
        arrived.acknowledged = 0;
        arrived.duplicate = true;
        arrived.sackBlocks = 1;
        arrived.sackFrom[0] = 300;
        arrived.sackTo[0] = 400;
        arrived.echoNs = Acknowledgment.NONE;
        arrived.nowNs = nowNs;
        recovery.onAck(arrived);
        recovery.onTimeout(nowNs);
        assertEquals(0, recovery.retransmitFrom());
        assertEquals(300, recovery.retransmitTo());
        recovery.onRetransmitted(0, 300, nowNs);
        assertEquals(400, recovery.retransmitFrom());
        assertEquals(1_000, recovery.retransmitTo());
    }

    @Test
    void afterATimeoutWhatWasSackedBeforeDoesNotGrowTheWindowAgain() {
        send(10);
        ack(0, 3, 10);
        recovery.onTimeout(nowNs);
        retransmit(0);
        roundTrip();
        ack(1, 3, 10);
        retransmit(1, 2);
        roundTrip();
        ack(10);
        assertEquals(4 * MSS, recovery.cwndBytes(), "one segment, one that arrived, two that arrived");
    }

    @Test
    void withoutSackEachPartialAckSendsTheNextHole() {
        withoutSack();
        send(10); // 0 and 3 are lost
        for (int i = 0; i < 8; i++) {
            ack(0);
        }
        retransmit(0);
        ack(3);
        assertTrue(recovery.inRecovery());
        retransmit(3);
        ack(10);
        assertFalse(recovery.inRecovery());
        assertEquals(5 * MSS, recovery.cwndBytes());
    }

    @Test
    void withoutSackDuplicatesLetNewDataOut() {
        withoutSack();
        send(10);
        for (int i = 0; i < 3; i++) {
            ack(0);
        }
        retransmit(0);
        assertEquals(0, recovery.allowanceBytes());
        for (int i = 0; i < 6; i++) {
            ack(0);
        }
        // RFC 5681 §3.2 (4): the window is inflated to 5 + 9, of which 10 are in flight
        assertEquals(4 * MSS, recovery.allowanceBytes());
        for (int i = 0; i < 100; i++) {
            ack(0);
        }
        assertEquals(4 * MSS, recovery.allowanceBytes(), "forged duplicates open nothing more");
    }

    @Test
    void withoutSackDuplicatesThatWhatWasSentAgainMayCauseStartNoOtherRecovery() {
        withoutSack();
        send(10);
        recovery.onTimeout(nowNs);
        retransmit(0);
        ack(10);
        assertFalse(recovery.inRecovery());
        send(2);
        for (int i = 0; i < 3; i++) {
            ack(10);
        }
        assertFalse(recovery.inRecovery(), "RFC 6582 §3.2 (1)");
        ack(11);
        send(4);
        for (int i = 0; i < 3; i++) {
            ack(11);
        }
        assertTrue(recovery.inRecovery());
    }

    @Test
    void withoutSackTheThirdDuplicateSendsAgainThoughLimitedTransmitHasCausedIt() {
        withoutSack();
        send(3);
        ack(0);
        ack(0);
        send(2);
        ack(0);
        assertTrue(recovery.inRecovery());
        retransmit(0);
    }

    @Test
    void withoutSackMoreDuplicatesThanThatTellOfALossRightBehindTheLastRecovery() {
        withoutSack();
        send(10);
        recovery.onTimeout(nowNs);
        retransmit(0);
        ack(10);
        send(5);
        for (int i = 0; i < 3; i++) {
            ack(10);
        }
        assertFalse(recovery.inRecovery());
        ack(10);
        assertTrue(recovery.inRecovery());
    }

    @Test
    void aTimeoutSendsEverythingNotSackedAgainInSlowStart() {
        send(10);
        ack(0, 3, 5);
        recovery.onTimeout(nowNs);
        assertEquals(MSS, recovery.cwndBytes());
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        retransmit(0);
        ack(1, 3, 5);
        retransmit(1, 2);
        ack(3, 3, 5);
        assertEquals(5 * MSS, recovery.retransmitFrom(), "SACKed segments are skipped");
        retransmit(5, 6, 7, 8);
        assertTrue(recovery.inRecovery());
        ack(10);
        assertFalse(recovery.inRecovery());
    }

    @Test
    void repeatedTimeoutsOfTheSameDataKeepTheThreshold() {
        send(10);
        recovery.onTimeout(nowNs);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        retransmit(0);
        recovery.onTimeout(nowNs);
        recovery.onTimeout(nowNs);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
    }

    @Test
    void aPeerThatDiscardsWhatItSackedIsSentEverything() {
        send(4);
        ack(0, 1, 4);
        ack(1, 1, 4); // SND.UNA is SACKed but not acknowledged
        recovery.onTimeout(nowNs);
        retransmit(1);
        ack(2);
        retransmit(2, 3);
    }

    @Test
    void bytesInFlightNeverGoNegative() {
        withoutSack();
        send(3);
        for (int i = 0; i < 10; i++) {
            ack(0);
            assertTrue(recovery.inFlightBytes() >= 0 && recovery.allowanceBytes() >= 0);
        }
    }

    @Test
    void anAckOfEverythingLeavesNothingInFlight() {
        for (int round = 0; round < 10; round++) {
            send(recovery.allowanceBytes() / MSS);
            ack((int) (nxt / MSS));
            assertEquals(0, recovery.inFlightBytes());
            assertEquals(recovery.cwndBytes(), recovery.allowanceBytes());
        }
    }

    // ---- RACK ----

    @Test
    void aSingleDuplicateIsEnoughOnceTheReorderingWindowHasPassed() {
        send(2); // 0 is lost; RFC 5827's early retransmit is superseded by this
        roundTrip();
        ack(0, 1, 2);
        assertFalse(recovery.inRecovery());
        assertEquals(nowNs + RTT / 4, recovery.reorderDeadlineNs());
        after(RTT / 4);
        recovery.onReorderTimer(nowNs);
        assertTrue(recovery.inRecovery());
        retransmit(0);
    }

    @Test
    void aLateSegmentWithinTheReorderingWindowIsNotLost() {
        send(3);
        roundTrip();
        ack(0, 1, 3);
        after(RTT / 8);
        ack(3);
        assertEquals(Long.MAX_VALUE, recovery.reorderDeadlineNs());
        assertFalse(recovery.inRecovery());
    }

    @Test
    void aLostRetransmissionIsFoundWithoutATimeout() {
        send(10);
        roundTrip();
        ack(0, 1, 5);
        retransmit(0);
        long limited = recovery.allowanceBytes();
        assertEquals(0, limited);
        after(MS);
        ack(0, 1, 10);
        after(MS);
        send(1); // sent after the retransmission
        roundTrip();
        after(RTT);
        ack(0, 1, 11);
        assertEquals(1, counters.get(Counter.TCP_LOST_RETRANSMISSIONS));
        retransmit(0);
        ack(11);
        assertFalse(recovery.inRecovery());
    }

    @Test
    void reorderingSeenTurnsDuplicateCountingOff() {
        send(10);
        roundTrip();
        ack(0, 1, 2);
        after(MS);
        ack(2); // 0 came late: reordering
        send(8);
        after(RTT);
        ack(2, 3, 7); // four segments beyond the hole
        assertFalse(recovery.inRecovery(), "the reordering window counts now, not three duplicates");
        after(RTT / 4);
        recovery.onReorderTimer(nowNs);
        assertTrue(recovery.inRecovery());
    }

    @Test
    void theReorderingWindowWidensWithDuplicatesReported() {
        send(4);
        roundTrip();
        ack(0, 1, 2);
        ack(4); // reordering seen
        for (int round = 1; round <= 3; round++) {
            int base = (int) (nxt / MSS);
            send(4);
            after(RTT);
            ack(base, base + 1, base + 4);
            long windowNs = recovery.reorderDeadlineNs() - nowNs;
            assertEquals(Math.min(round * RTT / 4, RTT), windowNs, "round " + round);
            after(windowNs);
            recovery.onReorderTimer(nowNs);
            retransmit(base);
            after(MS);
            ack(base + 4); // the original, late
            after(RTT);
            ack(base + 4, base, base + 1); // and the copy
        }
        assertEquals(3, counters.get(Counter.TCP_REDUCTIONS_UNDONE));
    }

    // ---- PRR ----

    @Test
    void theFlightShrinksInProportionToWhatIsDelivered() {
        send(10);
        roundTrip();
        ack(0, 1, 4); // pipe 6, threshold 5
        int sent = retransmit(0);
        for (int i = 5; i <= 10; i++) {
            ack(0, 1, i);
            int more = recovery.allowanceBytes() / MSS;
            assertTrue(more <= 1, "a burst of " + more);
            send(more);
            sent += more;
        }
        assertEquals(5, sent, "half of ten");
        assertEquals(5 * MSS, recovery.inFlightBytes());
    }

    /** RFC 9937 §6.2: RecoverFS counts no segment that had arrived, whose place a new one has taken. */
    @Test
    void whatLimitedTransmitSentSlowsRecoveryNoFurther() {
        send(10);
        roundTrip();
        ack(0, 1, 2);
        send(1);
        ack(0, 1, 3);
        send(1);
        ack(0, 1, 4);
        int sent = retransmit(0);
        for (int i = 5; i <= 7; i++) {
            ack(0, 1, i);
            int more = recovery.allowanceBytes() / MSS;
            send(more);
            sent += more;
        }
        assertEquals(2, sent, "half of the four that arrived meanwhile");
    }

    @Test
    void afterHeavyLossTheFlightGrowsBackToTheThresholdNoFasterThanSlowStart() {
        send(10); // all but the last three are lost
        roundTrip();
        ack(0, 7, 10);
        assertEquals(0, recovery.inFlightBytes());
        retransmit(0, 1, 2); // as much as was delivered
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        roundTrip();
        ack(1, 7, 10);
        retransmit(3, 4); // one for it, and one because it is safe
    }

    // ---- undo ----

    @Test
    void duplicatesReportedForAllRetransmissionsUndoTheReduction() {
        send(10);
        roundTrip();
        ack(0, 1, 4);
        retransmit(0);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        ack(4);
        ack(10);
        assertFalse(recovery.inRecovery());
        ack(10, 0, 1); // D-SACK
        assertEquals(1, counters.get(Counter.TCP_REDUCTIONS_UNDONE));
        assertEquals(10 * MSS, recovery.cwndBytes());
        assertTrue(recovery.ssthreshBytes() > 10 * MSS);
    }

    @Test
    void aDuplicateOfWhatWasNeverSentAgainUndoesNothing() {
        send(10);
        roundTrip();
        ack(0, 1, 4);
        retransmit(0);
        ack(10, 3, 4); // the network has doubled it
        ack(10, 3, 4);
        assertEquals(0, counters.get(Counter.TCP_REDUCTIONS_UNDONE));
        assertTrue(recovery.ssthreshBytes() < 10 * MSS);
    }

    @Test
    void anEchoFromBeforeTheRetransmissionUndoesTheReduction() {
        send(10);
        long sentNs = nowNs;
        roundTrip();
        ack(0, 1, 4);
        retransmit(0);
        after(MS);
        ackEchoing(sentNs, 10); // Eifel: answers the original
        assertEquals(1, counters.get(Counter.TCP_REDUCTIONS_UNDONE));
        assertEquals(10 * MSS, recovery.cwndBytes());
    }

    @Test
    void anEchoOfTheRetransmissionUndoesNothing() {
        send(10);
        roundTrip();
        ack(0, 1, 4);
        retransmit(0);
        long sentNs = nowNs;
        roundTrip();
        ackEchoing(sentNs, 10);
        assertEquals(0, counters.get(Counter.TCP_REDUCTIONS_UNDONE));
        assertEquals(5 * MSS, recovery.cwndBytes());
    }

    // ---- F-RTO ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aTimeoutIsSpuriousWhenSomethingSentOnceArrivesAfterIt(boolean sack) {
        recovery = recovery(sack);
        send(10);
        after(300 * MS);
        recovery.onTimeout(nowNs);
        retransmit(0);
        after(MS);
        arrived.newDataWaits = true;
        ack(1); // step 2: could answer either transmission
        assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom(), "new data goes first");
        send(2);
        after(MS);
        ack(2); // step 3b
        assertEquals(1, counters.get(Counter.TCP_SPURIOUS_TIMEOUTS));
        assertFalse(recovery.inRecovery());
        assertTrue(recovery.cwndBytes() >= 10 * MSS);
        assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom());
    }

    @Test
    void aTimeoutIsRealWhenNothingElseArrives() {
        send(10);
        after(300 * MS);
        recovery.onTimeout(nowNs);
        retransmit(0);
        roundTrip();
        arrived.newDataWaits = true;
        ack(1);
        send(2);
        roundTrip();
        ack(1, 10, 11); // step 3a
        assertEquals(0, counters.get(Counter.TCP_SPURIOUS_TIMEOUTS));
        assertEquals(MSS, recovery.retransmitFrom());
    }

    @Test
    void withoutSackADuplicateAfterTheNewDataLetsTheNextRetransmissionOut() {
        withoutSack();
        send(10);
        after(300 * MS);
        recovery.onTimeout(nowNs);
        retransmit(0);
        roundTrip();
        arrived.newDataWaits = true;
        ack(1);
        send(2);
        roundTrip();
        ack(1); // step 3a: one of the two has arrived
        retransmit(1);
        ack(1);
        retransmit(2);
        assertEquals(0, counters.get(Counter.TCP_SPURIOUS_TIMEOUTS));
    }

    @Test
    void withoutNewDataTheRetransmissionsGoOn() {
        send(10);
        after(300 * MS);
        recovery.onTimeout(nowNs);
        retransmit(0);
        roundTrip();
        arrived.newDataWaits = true;
        ack(1);
        assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom());
        assertTrue(recovery.releasesRetransmissions(), "it could not be sent after all");
        retransmit(1, 2);
        assertFalse(recovery.releasesRetransmissions());
    }

    // ---- tail loss probe ----

    @Test
    void aProbeIsDueAfterTwoRoundTrips() {
        assertEquals(LossRecovery.NOTHING, recovery.probeTimeoutNs());
        send(1);
        assertEquals(2 * RTT + 200 * MS, recovery.probeTimeoutNs(), "the peer may delay the acknowledgment of one");
        send(1);
        assertEquals(2 * RTT + 2 * MS, recovery.probeTimeoutNs());
        ack(0, 1, 2);
        assertEquals(LossRecovery.NOTHING, recovery.probeTimeoutNs(), "RACK is at work");
    }

    @Test
    void withoutSackThereIsNoProbe() {
        withoutSack();
        send(2);
        assertEquals(LossRecovery.NOTHING, recovery.probeTimeoutNs());
    }

    private void probeAgain() {
        after(recovery.probeTimeoutNs());
        recovery.onRetransmitted(recovery.probeFrom(), recovery.probeTo(), nowNs);
        recovery.onProbeSent(true);
        assertEquals(LossRecovery.NOTHING, recovery.probeTimeoutNs(), "one at a time");
    }

    @Test
    void aLossThatTheProbeRepairedReducesTheWindow() {
        send(10);
        roundTrip();
        ack(8);
        probeAgain();
        roundTrip();
        ack(10);
        assertEquals(Integer.MAX_VALUE, recovery.ssthreshBytes(), "original or probe");
        send(2);
        roundTrip();
        ack(12); // no word of the original
        assertEquals(10 * MSS, recovery.ssthreshBytes(), "half of 20");
        assertFalse(recovery.inRecovery());
    }

    @Test
    void aProbeThatWasNotNeededReducesNothing() {
        send(10);
        roundTrip();
        ack(8);
        probeAgain();
        roundTrip();
        ack(10);
        ack(10, 9, 10); // D-SACK
        send(2);
        roundTrip();
        ack(12);
        assertEquals(Integer.MAX_VALUE, recovery.ssthreshBytes());
    }

    @Test
    void aProbeOfNewDataShowsTheTailsLossToRack() {
        send(10);
        roundTrip();
        ack(8);
        after(recovery.probeTimeoutNs());
        send(1);
        recovery.onProbeSent(false);
        roundTrip();
        ack(8, 10, 11);
        after(RTT);
        recovery.onReorderTimer(nowNs);
        retransmit(8);
        roundTrip();
        ack(9, 10, 11);
        retransmit(9);
    }

    // ---- what else may come ----

    @Test
    void theScoreboardTakesAnyNumberOfHoles() {
        while (recovery.cwndBytes() < 2000 * MSS) {
            send(recovery.allowanceBytes() / MSS);
            roundTrip();
            while (una < nxt) {
                ack((int) (una / MSS) + 1);
            }
        }
        int base = (int) (nxt / MSS);
        int segments = recovery.allowanceBytes() / MSS;
        send(segments);
        roundTrip();
        for (int i = base + 1; i < base + segments; i += 2) {
            ack(base, i, i + 1);
        }
        assertTrue(recovery.inRecovery());
        ack(base + segments);
        assertEquals(0, recovery.inFlightBytes());
    }

    @Test
    void aSmallerPathCutsTheFirstAndKeepsTheWindow() {
        send(4);
        recovery.segmentBytes(400);
        recovery.onPathNarrowed(nowNs);
        int cwnd = recovery.cwndBytes();
        assertEquals(0, recovery.retransmitFrom());
        assertEquals(400, recovery.retransmitTo());
        recovery.onRetransmitted(0, 400, nowNs);
        assertEquals(400, recovery.retransmitFrom());
        assertEquals(MSS, recovery.retransmitTo(), "the rest in one go");
        recovery.onRetransmitted(400, MSS, nowNs);
        assertEquals(cwnd, recovery.cwndBytes());
        roundTrip();
        ack(4);
        assertEquals(0, recovery.inFlightBytes());
    }

    @Test
    void theSampleTellsWhatWasDeliveredAndLost() {
        send(10);
        roundTrip();
        ack(2);
        assertEquals(2 * MSS, sample.ackedBytes);
        assertEquals(2 * MSS, sample.deliveredBytes);
        assertEquals(10 * MSS, sample.priorInFlightBytes);
        assertEquals(8 * MSS, sample.inFlightBytes);
        assertEquals(2 * MSS, sample.rateBytes);
        assertEquals(RTT, sample.intervalNs);
        ack(2, 3, 7);
        assertEquals(0, sample.ackedBytes);
        assertEquals(4 * MSS, sample.deliveredBytes);
        assertEquals(MSS, sample.lostBytes);
        assertEquals(6 * MSS, sample.totalDeliveredBytes);
    }
}
