package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Data both ways, when it is acknowledged, and when it is held back: RFC 9293 §3.8.6, RFC 5681 §4.2, RFC 896. */
class DataTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    @Test
    void anAnswerCarriesTheAcknowledgment() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 64);
        t.stackSendsNothing();
        assertEquals(64, t.read());
        t.write(1, 64);
        t.stackSends(".", 1, 65, 64);
        t.after(ms(100));
        t.stackSendsNothing();
        assertEquals(0, t.count(Counter.TCP_PURE_ACKS));
    }

    /** Or the peer, whose next small segment waits for it (RFC 896), would be slowed down to one segment per delay. */
    @Test
    void acknowledgesASmallSegmentOnceEverythingIsRead() {
        t.acceptConnection();
        for (int i = 0; i < 3; i++) {
            t.peerSends("P.", 1 + i * 64, 1, 64);
            t.stackSendsNothing();
            t.reads(1 + i * 64, 64);
            t.stackSends(".", 1, 65 + i * 64, 0);
        }
        assertEquals(0, t.count(Counter.TCP_DELAYED_ACKS));
    }

    @Test
    void waitsForTheAnswerOnceTheApplicationHasAnsweredBefore() {
        answerOnce();
        t.peerSends("P.", 65, 65, 64);
        t.reads(65, 64);
        t.stackSendsNothing();
        t.write(65, 64);
        t.stackSends(".", 65, 129, 64);
    }

    @Test
    void waitsNoLongerForAnswersAfterADelayWithoutOne() {
        answerOnce();
        t.peerSends("P.", 65, 65, 64);
        t.reads(65, 64);
        t.after(ms(41));
        t.stackSends(".", 65, 129, 0);
        t.peerSends("P.", 129, 65, 64);
        t.reads(129, 64);
        t.stackSends(".", 65, 193, 0);
    }

    private void answerOnce() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 64);
        assertEquals(64, t.read());
        t.write(1, 64);
        t.stackSends(".", 1, 65, 64);
    }

    @Rule("RFC 9293 SHLD-18")
    @Rule("RFC 9293 MUST-40")
    @Test
    void acknowledgesASmallSegmentAfterADelay() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 64);
        t.after(ms(39));
        t.stackSendsNothing();
        t.after(ms(2));
        t.stackSends(".", 1, 65, 0);
        assertEquals(1, t.count(Counter.TCP_DELAYED_ACKS));
    }

    @Rule("tcp.md: Windows")
    @Test
    void acknowledgesFullSegmentsAtOnceAtTheStart() {
        t.acceptConnection();
        t.peerSends(".", 1, 1, 1460);
        t.stackSends(".", 1, 1461, 0);
    }

    @Rule("RFC 9293 SHLD-19")
    @Test
    void acknowledgesEverySecondFullSegmentLater() {
        t.acceptConnection();
        int next = 1;
        for (int i = 0; i < 16; i++) {
            t.peerSends(".", next, 1, 1460);
            next += 1460;
            t.reads(next - 1460, 1460);
        }
        t.ignoreSent();
        t.peerSends(".", next, 1, 1460);
        t.stackSendsNothing();
        t.peerSends(".", next + 1460, 1, 1460);
        t.stackSends(".", 1, next + 2920, 0);
    }

    @Rule("RFC 9293 MUST-58")
    @Rule("RFC 9293 MUST-59")
    @Test
    void segmentsOfABurstShareAnAcknowledgmentButForTheFirstTwo() {
        t.acceptConnection();
        for (int i = 0; i < 8; i++) {
            t.peerSendsInBurst(".", 1 + i * 1000, 1, 1000);
        }
        t.endOfBurst();
        t.stackSends(".", 1, 2001, 0); // if the only one were lost, the peer would wait for a timeout
        t.stackSends(".", 1, 8001, 0);
        t.stackSendsNothing();
    }

    @Test
    void twoSegmentsOfABurstAreAcknowledgedOnce() {
        t.acceptConnection();
        t.peerSendsInBurst(".", 1, 1, 1000);
        t.peerSendsInBurst(".", 1001, 1, 1000);
        t.endOfBurst();
        t.stackSends(".", 1, 2001, 0);
        t.stackSendsNothing();
    }

    @Rule("tcp.md: Windows")
    @Test
    void whoSendsAgainIsAcknowledgedAtOnceAndSegmentBySegment() {
        spendQuickAcks();
        t.peerSends("P.", 1, 1, 64);
        t.stackSends(".", 1, 20_001, 0); // it came again
        t.peerSendsInBurst(".", 20_001, 1, 1000);
        t.peerSendsInBurst(".", 21_001, 1, 64);
        t.endOfBurst();
        t.stackSends(".", 1, 21_001, 0);
        t.stackSends(".", 1, 21_065, 0);
        t.stackSendsNothing();
    }

    @Test
    void afterASilenceFullSegmentsAreAcknowledgedAtOnceAgain() {
        spendQuickAcks();
        t.after(ms(1_000)); // longer than a timeout
        t.peerSends(".", 20_001, 1, 1000);
        t.stackSends(".", 1, 21_001, 0);
    }

    @Rule("tcp.md: Options")
    @Test
    void threeSegmentsBeyondAGapAreReportedOneByOneAndMoreAtTheEndOfTheBurst() {
        t.peerSack = true;
        t.acceptConnection();
        for (int i = 1; i <= 6; i++) {
            t.peerSendsInBurst(".", 1 + i * 1000, 1, 1000);
        }
        t.endOfBurst();
        for (int i = 1; i <= 3; i++) {
            assertEquals(t.peerIss + 1001 + i * 1000, t.stackSends(".", 1, 1, 0).sackRight[0]);
        }
        assertEquals(t.peerIss + 7001, t.stackSends(".", 1, 1, 0).sackRight[0]);
        t.stackSendsNothing();
    }

    @Rule("tcp.md: Options")
    @Test
    void whatFillsAGapIsAcknowledgedApartFromWhatFollowsIt() {
        t.peerSack = true;
        t.acceptConnection();
        t.peerSends(".", 1001, 1, 1000);
        t.ignoreSent();
        t.peerSendsInBurst(".", 1, 1, 1000);
        t.peerSendsInBurst(".", 2001, 1, 1000);
        t.endOfBurst();
        t.stackSends(".", 1, 2001, 0);
        t.stackSends(".", 1, 3001, 0);
        t.stackSendsNothing();
    }

    /** Twenty segments of 1000 bytes, read and acknowledged. */
    private void spendQuickAcks() {
        t.acceptConnection();
        for (int i = 0; i < 20; i++) {
            t.peerSends(".", 1 + i * 1000, 1, 1000);
            t.reads(1 + i * 1000, 1000);
        }
        t.after(ms(41));
        t.ignoreSent();
        t.peerSends(".", 20_001, 1, 0);
        t.stackSendsNothing();
    }

    @Test
    void quickAckOptionAcknowledgesAtOnce() {
        t.options.quickAck = true;
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 1);
        t.stackSends(".", 1, 2, 0);
    }

    @Rule("RFC 9293 SHLD-27")
    @Rule("RFC 9293 MUST-61")
    @Rule("RFC 9293 SHLD-28")
    @Rule("RFC 9293 MUST-16")
    @Test
    void cutsDataIntoSegmentsAndPushesTheLast() {
        t.acceptConnection();
        t.write(1, 3000);
        assertEquals(false, t.stackSends(".", 1, 1, 1460).has(dev.millrace.stack.wire.TcpSegment.PSH));
        t.stackSends(".", 1461, 1, 1460);
        assertEquals(true, t.stackSends(".", 2921, 1, 80).has(dev.millrace.stack.wire.TcpSegment.PSH));
    }

    @Test
    void beginsWithTenSegments() {
        t.acceptConnection();
        t.write(1, 20_000);
        for (int i = 0; i < 10; i++) {
            t.stackSends(".", 1 + i * 1460, 1, 1460);
        }
        t.stackSendsNothing();
        t.peerSends(".", 1, 1 + 2920, 0);
        for (int i = 10; i < 13; i++) {
            t.stackSends(".", 1 + i * 1460, 1, 1460);
        }
    }

    @Rule("RFC 9293 SHLD-7")
    @Rule("RFC 9293 MUST-60")
    @Rule("tcp.md: Windows")
    @Test
    void nagleHoldsASecondSmallSegment() {
        t.options.noDelay = false;
        t.acceptConnection();
        t.write(1, 10);
        t.stackSends(".", 1, 1, 10);
        t.write(11, 10);
        t.write(21, 10);
        t.stackSendsNothing();
        t.peerSends(".", 1, 11, 0);
        t.stackSends(".", 11, 1, 20);
    }

    @Rule("RFC 9293 SHLD-28")
    @Test
    void nagleLetsFullSegmentsAndTheirTailGo() {
        t.options.noDelay = false;
        t.acceptConnection();
        t.write(1, 1470);
        t.stackSends(".", 1, 1, 1460);
        t.stackSends(".", 1461, 1, 10); // Minshall: only a small segment holds a small one back
    }

    @Rule("RFC 9293 MUST-17")
    @Test
    void noDelaySendsEachWrite() {
        t.acceptConnection();
        t.write(1, 10);
        t.write(11, 10);
        t.stackSends(".", 1, 1, 10);
        t.stackSends(".", 11, 1, 10);
    }

    @Rule("RFC 9293 MUST-17")
    @Test
    void enablingNoDelayReleasesWhatNagleHeld() {
        t.options.noDelay = false;
        t.acceptConnection();
        t.write(1, 10);
        t.write(11, 10);
        t.stackSends(".", 1, 1, 10);
        t.stackSendsNothing();
        t.socket().options().noDelay = true;
        t.socket().optionsChanged();
        t.turn();
        t.stackSends(".", 11, 1, 10);
    }

    @Test
    void theCorkHoldsWhatIsNoFullSegment() {
        t.options.cork = true;
        t.acceptConnection();
        t.write(1, 1470);
        t.stackSends(".", 1, 1, 1460);
        t.peerSends(".", 1, 1461, 0);
        t.stackSendsNothing();
        t.socket().options().cork = false;
        t.socket().optionsChanged();
        t.turn();
        t.stackSends(".", 1461, 1, 10);
    }

    @Test
    void theCorkGivesWayAfterARetransmissionTimeout() {
        t.options.cork = true;
        t.acceptConnection();
        t.write(1, 10);
        t.stackSendsNothing();
        t.after(ms(199));
        t.stackSendsNothing();
        t.after(ms(4));
        t.stackSends(".", 1, 1, 10);
    }

    @Test
    void whatMoreFollowsWaitsForItOrForAnAcknowledgment() {
        t.acceptConnection();
        t.write(1, 10);
        t.stackSends(".", 1, 1, 10);
        t.socket().moreFollows(true);
        t.write(11, 10);
        t.stackSendsNothing();
        t.peerSends(".", 1, 11, 0);
        assertEquals(".", t.stackSends(".", 11, 1, 10).flagText(), "nothing was pushed");
        t.write(21, 10);
        t.stackSendsNothing();
        t.socket().moreFollows(false);
        t.write(31, 10);
        assertTrue(t.stackSends(".", 21, 1, 20).flagText().contains("P"));
    }

    @Rule("RFC 9293 SHLD-31")
    @Test
    void putsSegmentsInOrder() {
        t.acceptConnection();
        t.peerSends(".", 1001, 1, 500);
        t.stackSends(".", 1, 1, 0);
        assertEquals(0, t.socket().readableBytes());
        t.peerSends(".", 501, 1, 500);
        t.stackSends(".", 1, 1, 0);
        t.peerSends(".", 1, 1, 500);
        t.stackSends(".", 1, 1501, 0);
        t.reads(1, 1500);
    }

    @Rule("tcp.md: overlapping segments with different bytes")
    @Test
    void theFirstBytesOfAnOverlapWin() {
        t.acceptConnection();
        t.peerSends(".", 101, 1, 100);
        t.peerSends(".", 51, 1, 100, s -> java.util.Arrays.fill(s.payload, 50, 100, (byte) 0xee));
        t.peerSends(".", 1, 1, 50);
        t.reads(1, 200);
    }

    @Test
    void trimsWhatIsOldFromASegment() {
        t.acceptConnection();
        t.peerSends(".", 1, 1, 100);
        t.peerSends(".", 51, 1, 100);
        t.reads(1, 150);
    }

    @Test
    void acknowledgesAnOldSegmentAtOnce() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        t.write(1, 5);
        t.ignoreSent();
        t.peerSends("P.", 1, 1, 100);
        t.stackSends(".", 6, 101, 0);
    }

    @Rule("RFC 9293 MUST-5")
    @Rule("RFC 9293 MAY-13")
    @Test
    void reportsGapsBySackMostRecentFirst() {
        t.peerSack = true;
        t.acceptConnection();
        t.peerSends(".", 101, 1, 100);
        Segment first = t.stackSends(".", 1, 1, 0);
        assertEquals(1, first.sackLeft.length);
        assertEquals(t.peerIss + 101, first.sackLeft[0]);
        assertEquals(t.peerIss + 201, first.sackRight[0]);
        t.peerSends(".", 301, 1, 100);
        Segment second = t.stackSends(".", 1, 1, 0);
        assertEquals(t.peerIss + 301, second.sackLeft[0]);
        assertEquals(t.peerIss + 101, second.sackLeft[1]);
    }

    @Rule("tcp.md: Options")
    @Test
    void reportsADuplicateByDsack() {
        t.peerSack = true;
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        t.write(1, 1);
        t.ignoreSent();
        t.peerSends("P.", 1, 1, 100);
        Segment ack = t.stackSends(".", 2, 101, 0);
        assertEquals(1, ack.sackLeft.length);
        assertEquals(t.peerIss + 1, ack.sackLeft[0]);
        assertEquals(t.peerIss + 101, ack.sackRight[0]);
    }

    @Rule("tcp.md: Options")
    @Test
    void reportsByDsackWhatOfASegmentWasThereBefore() {
        t.peerSack = true;
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        t.write(1, 1);
        t.ignoreSent();
        t.peerSends("P.", 51, 1, 100);
        Segment answer = t.stackSends(".", 2, 151, 0);
        assertEquals(1, answer.sackLeft.length);
        assertEquals(t.peerIss + 51, answer.sackLeft[0]);
        assertEquals(t.peerIss + 101, answer.sackRight[0]);
        t.reads(1, 150);
    }

    @Test
    void becomesWritableWhenAThirdIsFree() {
        t.options.sendBufferBytes = 9000;
        t.acceptConnection();
        assertEquals(9000, t.write(1, 20_000));
        assertEquals(0, t.socket().readiness() & TcpSocket.WRITABLE);
        assertEquals(0, t.write(9001, 10));
        int[] told = {0};
        t.socket().observer(() -> told[0]++);
        t.turn();
        told[0] = 0;
        t.peerSends(".", 1, 1461, 0);
        assertEquals(0, told[0], "1460 of 9000 are free");
        t.peerSends(".", 1, 4381, 0);
        assertEquals(1, told[0], "4380 of 9000 are free");
        assertTrue((t.socket().readiness() & TcpSocket.WRITABLE) != 0);
    }

    @Test
    void tellsTheObserverOncePerBurst() {
        t.acceptConnection();
        int[] told = {0};
        t.socket().observer(() -> told[0]++);
        t.turn();
        assertEquals(1, told[0], "a new observer is called");
        t.peerSendsInBurst(".", 1, 1, 10);
        t.peerSendsInBurst(".", 11, 1, 10);
        t.endOfBurst();
        assertEquals(2, told[0]);
        t.peerSends(".", 21, 1, 0);
        assertEquals(2, told[0], "a pure ACK makes nothing ready");
    }

    @Test
    void anIdleConnectionHoldsNoMemory() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        t.write(1, 100);
        t.peerSends(".", 101, 101, 0);
        t.reads(1, 100);
        assertTrue(t.host.chunks.chunksInUse() <= 1);
        t.after(ms(500));
        assertEquals(0, t.host.chunks.chunksInUse());
    }

    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    @Test
    void waitsForPacketsAndGoesOn() {
        t.acceptConnection();
        t.host.packets = 1;
        t.write(1, 3000);
        t.stackSends(".", 1, 1, 1460);
        t.stackSendsNothing();
        assertTrue(t.host.tcp.hasBlocked());
        t.host.packets = 100;
        t.turn();
        t.stackSends(".", 1461, 1, 1460);
        t.stackSends(".", 2921, 1, 80);
        assertEquals(false, t.host.tcp.hasBlocked());
    }

    @Test
    void takesWhatFitsWhenBufferMemoryRunsOut() {
        Trace poor = new Trace(TcpConfig.of(0), 1 << 20);
        poor.options.receiveBufferBytes = 4 << 20;
        poor.peerScale = 7;
        poor.acceptConnection();
        long next = 1;
        for (int i = 0; i < 1000; i++) {
            poor.peerSends(".", next, 1, 1460);
            next += 1460;
        }
        assertTrue(poor.count(Counter.TCP_RECEIVE_MEMORY_SHORT) > 0);
        int held = poor.socket().readableBytes();
        assertTrue(held > 1_000_000 && held <= 1 << 20, "held " + held);
        poor.reads(1, held);
        poor.ignoreSent();
        poor.peerSends(".", 1 + held, 1, 1000);
        poor.reads(1 + held, 1000);
        poor.close();
    }
}
