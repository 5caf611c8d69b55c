package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Acknowledgments that lie, and time that jumps: what loss recovery does not let itself be talked into. */
class RecoveryAttackTest {
    private static final int MSS = 1460;

    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    private static long seq(int segment) {
        return 1 + (long) segment * MSS;
    }

    private void open(boolean sack) {
        t.peerSack = sack;
        t.peerScale = 8;
        t.acceptConnection();
    }

    private int sent() {
        t.collectSent();
        int segments = 0;
        for (Segment next = t.pollSent(); next != null; next = t.pollSent()) {
            segments += next.payload.length > 0 ? 1 : 0;
        }
        return segments;
    }

    private void sack(long ack, long... edges) {
        t.peerSends(".", 1, ack, 0, s -> {
            s.sackLeft = new int[edges.length / 2];
            s.sackRight = new int[edges.length / 2];
            for (int i = 0; i < edges.length / 2; i++) {
                s.sackLeft[i] = t.stackIss + (int) edges[2 * i];
                s.sackRight[i] = t.stackIss + (int) edges[2 * i + 1];
            }
        });
    }

    @Test
    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    void splitAcknowledgmentsGrowTheWindowNoFasterThanWholeOnes() {
        open(true);
        t.write(1, 100 * MSS);
        assertEquals(10, sent());
        for (int i = 1; i <= MSS; i++) {
            t.peerSends(".", 1, 1 + i, 0); // one segment, acknowledged byte by byte
        }
        assertTrue(
                t.connection().sender.cwndBytes() <= 11 * MSS,
                "cwnd " + t.connection().sender.cwndBytes());
        assertTrue(sent() <= 2);
    }

    @Test
    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    void acknowledgmentsOfWhatWasNotSentAreRefused() {
        open(true);
        t.write(1, 100 * MSS);
        assertEquals(10, sent());
        for (int i = 1; i < 50; i++) {
            t.peerSends(".", 1, seq(10 + i), 0);
        }
        assertEquals(0, sent());
        assertEquals(49, t.count(Counter.DROP_TCP_BAD_ACK));
        assertEquals(10 * MSS, t.connection().sender.cwndBytes());
    }

    @Test
    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    void forgedDuplicatesDoNotGrowTheWindow() {
        open(false);
        t.write(1, 100 * MSS);
        assertEquals(10, sent());
        for (int i = 0; i < 1000; i++) {
            t.peerSends(".", 1, 1, 0);
        }
        assertTrue(t.connection().sender.ssthreshBytes() <= 7 * MSS);
        assertTrue(
                t.connection().sender.cwndBytes() <= 7 * MSS,
                "cwnd " + t.connection().sender.cwndBytes());
        // the nine others of the flight and two of limited transmit could cause one each, and let out what the window
        // lacks
        assertTrue(sent() <= 2 + 1 + 7, "bytes in flight count, not acknowledgments");
        long nxt = t.connection().sender.nxt;
        for (int i = 0; i < 1000; i++) {
            t.peerSends(".", 1, 1, 0);
        }
        assertEquals(nxt, t.connection().sender.nxt);
    }

    @Test
    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    void forgedDuplicatesAfterAPartialAcknowledgmentAreBoundedToo() {
        open(false);
        t.write(1, 100 * MSS);
        assertEquals(10, sent());
        for (int i = 0; i < 12; i++) {
            t.peerSends(".", 1, 1, 0);
        }
        sent();
        t.peerSends(".", 1, seq(3), 0); // a second hole
        for (int i = 0; i < 1000; i++) {
            t.peerSends(".", 1, seq(3), 0);
        }
        assertTrue(sent() <= 10, "no more than was in flight");
        for (int i = 0; i < 1000; i++) {
            t.peerSends(".", 1, seq(3), 0);
        }
        assertEquals(0, sent());
    }

    @Test
    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    void duplicatesThatSackNothingNewLetOutNothing() {
        open(true);
        t.write(1, 100 * MSS);
        assertEquals(10, sent());
        t.after(ms(1));
        sack(1, seq(1), seq(2));
        int limited = sent();
        for (int i = 0; i < 1000; i++) {
            sack(1, seq(1), seq(2));
        }
        assertTrue(limited <= 1);
        assertEquals(0, sent());
    }

    /** A peer may report duplicates without end; no more are believed than there were retransmissions. */
    @Test
    void forgedDuplicateReportsUndoNothing() {
        open(true);
        t.write(1, 100 * MSS);
        assertEquals(10, sent());
        t.after(ms(1));
        sack(1, seq(1), seq(4)); // a loss
        for (int i = 0; i < 100; i++) {
            sack(1, seq(-3), seq(0), seq(1), seq(4));
        }
        assertEquals(0, t.count(Counter.TCP_REDUCTIONS_UNDONE));
        assertTrue(t.connection().sender.ssthreshBytes() <= 7 * MSS);
    }

    /** CVE-2019-11477 and 11478: blocks of single bytes, on the smallest MSS there is. */
    @Test
    @Rule("tcp.md: SACK panic, SACK slowness, tiny MSS")
    void sackBlocksOfSingleBytesMarkNothingAndCostNothing() {
        t.peerMss = 8;
        open(true);
        t.write(1, 60_000);
        int segments = sent();
        assertTrue(segments > 5);
        t.after(ms(1));
        int payload = t.connection().sender.segmentBytes();
        assertTrue(payload >= 36, "a floor for the peer's MSS: " + payload);
        for (int round = 0; round < 200; round++) {
            for (int at = payload + 2; at < segments * payload; at += 2) {
                sack(1, at, at + 1);
            }
        }
        assertEquals(0, t.count(Counter.TCP_FAST_RECOVERIES), "no segment was SACKed as a whole");
        assertEquals((long) segments * payload, t.connection().sender.nxt - t.connection().sender.una);
    }

    /** RFC 2018 §8: what was SACKed is kept until it is acknowledged, and goes out again when the peer turns out to have dropped it. */
    @Test
    @Rule("tcp.md: Loss recovery")
    void aPeerThatDiscardsWhatItSackedIsSentItAgain() {
        open(true);
        t.write(1, 4 * MSS);
        assertEquals(4, sent());
        t.after(ms(1));
        sack(1, seq(1), seq(4));
        t.stackSends(".", 1, 1, MSS);
        t.after(ms(1));
        t.peerSends(".", 1, seq(1), 0); // and no more, though it had SACKed that
        t.stackSendsNothing();
        t.after(ms(12));
        t.stackSends(".", seq(1), 1, MSS);
        assertEquals(1, t.count(Counter.TCP_SACK_RENEGING));
        t.peerSends(".", 1, seq(2), 0);
        t.stackSends(".", seq(2), 1, MSS);
        t.stackSends(".", seq(3), 1, MSS);
        t.peerSends(".", 1, seq(4), 0);
        assertEquals(0, t.connection().sender.nxt - t.connection().sender.una);
    }

    @Test
    void aRetransmissionHasTheSameBytesWhateverWasWrittenSince() {
        open(true);
        t.write(1, 100);
        Segment original = t.stackSends(".", 1, 1, 100);
        t.write(101, 100);
        t.write(201, 50);
        t.ignoreSent();
        t.after(ms(203));
        t.ignoreSent();
        t.after(ms(1));
        while (t.count(Counter.TCP_TIMEOUTS) == 0) {
            t.ignoreSent();
            t.after(ms(1));
        }
        byte[] again = t.stackSends(".", 1, 1, 250).payload; // the small ones behind it come along
        assertArrayEquals(original.payload, Arrays.copyOf(again, 100));
    }

    /** The JVM stood still for a minute: the timer fires once and backs off once, whatever else it would have done meanwhile. */
    @Test
    @Rule("tcp.md: long pause of the JVM (GC, stop-the-world, suspended host)")
    void afterAPauseTimersCatchUpWithoutABurst() {
        open(true);
        t.write(1, 20 * MSS);
        assertEquals(10, sent());
        t.nowNs += ms(60_000);
        t.turn();
        assertTrue(sent() <= 1, "a probe or a retransmission, not both and not several");
        t.nowNs += ms(60_000);
        t.turn();
        assertTrue(sent() <= 1);
        assertTrue(t.count(Counter.TCP_TIMEOUTS) <= 2);
        assertEquals(TcpError.NONE, t.socket().error(), "Linux would have kept it");
        t.peerSends(".", 1, seq(10), 0);
        assertTrue(sent() > 0, "and it goes on");
    }

    /** RFC 9293 §3.8.3 R2 as Linux has it: retries stand for a time. */
    @Test
    void aLongRoundTripDoesNotLengthenGivingUp() {
        t.peerSack = false;
        t.peerClock = 0;
        t.acceptConnection();
        for (int i = 0; i < 40; i++) { // RTO grows to several seconds
            t.connection().sender.rtt.onSample(ms(3_000), t.nowNs);
        }
        t.write(1, 100);
        long startNs = t.nowNs;
        while (t.socket().error() == TcpError.NONE && t.nowNs - startNs < ms(3_000_000)) {
            t.after(ms(1_000));
        }
        long tookMs = (t.nowNs - startNs) / Trace.MS;
        assertTrue(tookMs > 924_600 && tookMs < 924_600 + 130_000, "gave up after " + tookMs + " ms");
        assertTrue(t.count(Counter.TCP_TIMEOUTS) < 16);
    }
}
