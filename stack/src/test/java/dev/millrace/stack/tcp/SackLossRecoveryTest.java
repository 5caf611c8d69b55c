package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Segments are numbered from 0 and 1000 bytes long; the initial window is ten of them. */
class SackLossRecoveryTest {
    private static final int MSS = 1000;

    private final CongestionControl reno = new NewReno();
    private LossRecovery recovery = new SackLossRecovery(reno, true, MSS, false, new AckSample());
    private long una;
    private long nxt;

    private void withoutSack() {
        recovery = new SackLossRecovery(reno, false, MSS, false, new AckSample());
    }

    private void send(int segments) {
        for (int i = 0; i < segments; i++) {
            recovery.onSent(nxt, nxt + MSS, 0);
            nxt += MSS;
        }
    }

    /** Acknowledges up to segment {@code next}, with SACK blocks as pairs of segment numbers. */
    private void ack(int next, long... blocks) {
        long prior = una;
        una = (long) next * MSS;
        int count = blocks.length / 2;
        long[] from = new long[count];
        long[] to = new long[count];
        for (int i = 0; i < count; i++) {
            from[i] = blocks[2 * i] * MSS;
            to[i] = blocks[2 * i + 1] * MSS;
        }
        recovery.onAck(prior, una, nxt, una == prior && nxt > una, from, to, count, -1, true, 0);
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
            recovery.onRetransmitted(from, to, 0);
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
        for (int i = 2; i <= 3; i++) {
            ackDuplicate(sack, i);
            assertFalse(recovery.inRecovery());
            assertEquals(LossRecovery.NOTHING, recovery.retransmitFrom());
        }
        ackDuplicate(sack, 4);
        assertTrue(recovery.inRecovery());
        retransmit(0);
        assertEquals(5 * MSS, recovery.cwndBytes());
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
        ack(0, 1, 2);
        ack(0, 3, 4, 1, 2);
        ack(0, 5, 6, 3, 4, 1, 2);
        // three discontiguous blocks: byte 0 is lost; pipe 1 + 6 not lost is above the new window of 5, but the first
        // goes out
        retransmit(0);
        ack(0, 5, 7, 3, 4, 1, 2);
        ack(0, 5, 8, 3, 4, 1, 2); // three segments above 4: 2 and 4 are lost
        ack(0, 5, 9, 3, 4, 1, 2);
        ack(0, 5, 10, 3, 4, 1, 2);
        assertTrue(recovery.inFlightBytes() <= 5 * MSS);
        // the loop above sends as the pipe drains
        assertEquals(2 * MSS, recovery.retransmitFrom());
        retransmit(2, 4);
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
    void withoutSackDuplicatesAfterATimeoutDoNotStartAnotherRecovery() {
        withoutSack();
        send(10);
        recovery.onTimeout(una, nxt, 0);
        retransmit(0);
        ack(10);
        assertFalse(recovery.inRecovery());
        send(2);
        for (int i = 0; i < 5; i++) {
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
    void aTimeoutSendsEverythingNotSackedAgainInSlowStart() {
        send(10);
        ack(0, 3, 5);
        recovery.onTimeout(una, nxt, 0);
        assertEquals(MSS, recovery.cwndBytes());
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        retransmit(0);
        ack(1, 3, 5);
        retransmit(1, 2);
        ack(3, 3, 5);
        assertEquals(5 * MSS, recovery.retransmitFrom(), "SACKed segments are skipped");
        retransmit(5, 6, 7); // after a timeout an ACK opens one segment, whatever it covers (RFC 3465 §2.3)
        assertTrue(recovery.inRecovery());
        ack(10);
        assertFalse(recovery.inRecovery());
    }

    @Test
    void repeatedTimeoutsOfTheSameDataKeepTheThreshold() {
        send(10);
        recovery.onTimeout(una, nxt, 0);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
        retransmit(0);
        recovery.onTimeout(una, nxt, 0);
        recovery.onTimeout(una, nxt, 0);
        assertEquals(5 * MSS, recovery.ssthreshBytes());
    }

    @Test
    void aPeerThatDiscardsWhatItSackedIsSentEverything() {
        send(4);
        ack(0, 1, 4);
        ack(1, 1, 4); // SND.UNA is SACKed but not acknowledged
        recovery.onTimeout(una, nxt, 0);
        retransmit(1);
        ack(2);
        retransmit(2, 3);
    }

    @Test
    void aTailThatDriesUpIsRescuedOnce() {
        send(10); // 0 and 9 are lost
        ack(0, 1, 9);
        retransmit(0);
        assertEquals(9 * MSS, recovery.speculateFrom());
        assertEquals(10 * MSS, recovery.speculateTo());
        recovery.onRetransmitted(9 * MSS, 10 * MSS, 0);
        assertEquals(LossRecovery.NOTHING, recovery.speculateFrom());
    }

    @Test
    void aHoleNotYetDeemedLostIsFilledWhenThereIsNothingElse() {
        send(6); // 0 and 3 are lost
        ack(0, 1, 3);
        ack(0, 4, 5, 1, 3);
        ack(0, 4, 6, 1, 3);
        retransmit(0);
        assertEquals(3 * MSS, recovery.speculateFrom());
        assertEquals(4 * MSS, recovery.speculateTo());
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
        for (int round = 0; round < 20; round++) {
            send(recovery.allowanceBytes() / MSS);
            ack((int) (nxt / MSS));
            assertEquals(0, recovery.inFlightBytes());
            assertEquals(recovery.cwndBytes(), recovery.allowanceBytes());
        }
    }
}
