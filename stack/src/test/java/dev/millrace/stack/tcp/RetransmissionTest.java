package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IcmpError;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Loss: RFC 6298, 5681, 6582, 6675; path MTU: RFC 1191, 5927. */
class RetransmissionTest {
    private static final int MSS = 1460;

    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    private void writeSegments(int count) {
        t.write(1, count * MSS);
        for (int i = 0; i < count; i++) {
            t.stackSends(".", seq(i), 1, MSS);
        }
    }

    private static long seq(int segment) {
        return 1 + (long) segment * MSS;
    }

    @Rule("RFC 9293 MUST-19")
    @Rule("tcp.md: RTO")
    @Test
    void retransmitsAfterATimeoutWithBackOff() {
        t.acceptConnection();
        t.write(1, 100);
        t.stackSends(".", 1, 1, 100);
        // SRTT 1 ms, so the minimum of 200 ms counts on top of it
        t.stackSendsAfter(ms(201), ".", 1, 1, 100);
        t.stackSendsAfter(ms(402), ".", 1, 1, 100);
        t.stackSendsAfter(ms(804), ".", 1, 1, 100);
        t.peerSends(".", 1, 101, 0);
        t.after(ms(10_000));
        t.stackSendsNothing();
    }

    @Rule("tcp.md: Loss recovery")
    @Test
    void retransmitsAfterThreeDuplicateAcks() {
        t.acceptConnection();
        writeSegments(5);
        t.peerSends(".", 1, 1, 0);
        t.peerSends(".", 1, 1, 0);
        t.stackSendsNothing();
        t.peerSends(".", 1, 1, 0);
        t.stackSends(".", 1, 1, MSS);
        t.stackSendsNothing();
        t.peerSends(".", 1, seq(5), 0);
        assertEquals(0, t.count(Counter.TCP_TIMEOUTS));
    }

    @Rule("tcp.md: Loss recovery")
    @Test
    void limitedTransmitSendsNewDataOnTheFirstDuplicates() {
        t.acceptConnection();
        t.write(1, 20 * MSS);
        for (int i = 0; i < 10; i++) {
            t.stackSends(".", seq(i), 1, MSS);
        }
        t.peerSends(".", 1, 1, 0);
        t.stackSends(".", seq(10), 1, MSS);
        t.peerSends(".", 1, 1, 0);
        t.stackSends(".", seq(11), 1, MSS);
    }

    @Test
    void aWindowUpdateIsNoDuplicate() {
        t.acceptConnection();
        writeSegments(5);
        for (int i = 0; i < 4; i++) {
            t.peerWindow -= 100;
            t.peerSends(".", 1, 1, 0);
        }
        t.stackSendsNothing();
    }

    @Test
    void aSegmentWithDataIsNoDuplicate() {
        t.acceptConnection();
        writeSegments(5);
        for (int i = 0; i < 4; i++) {
            t.peerSends("P.", 1 + i, 1, 1);
        }
        t.stackSendsNothing();
    }

    @Rule("tcp.md: Loss recovery")
    @Test
    void newRenoRetransmitsTheNextHoleOnAPartialAck() {
        t.acceptConnection();
        writeSegments(8);
        for (int i = 0; i < 3; i++) {
            t.peerSends(".", 1, 1, 0);
        }
        t.stackSends(".", 1, 1, MSS);
        t.peerSends(".", 1, seq(3), 0);
        t.stackSends(".", seq(3), 1, MSS);
    }

    @Rule("tcp.md: Loss recovery")
    @Test
    void sackRecoveryFillsTheHolesOnly() {
        t.peerSack = true;
        t.acceptConnection();
        writeSegments(10);
        t.after(ms(1));
        // 0 and 4 are lost
        sack(seq(1), seq(4));
        t.stackSends(".", seq(0), 1, MSS);
        t.stackSendsNothing(); // seven are in flight, and the window is seven
        sack(seq(5), seq(6), seq(1), seq(4));
        t.stackSends(".", seq(4), 1, MSS); // sent before one that has arrived (RFC 8985 §6.2)
        sack(seq(5), seq(7), seq(1), seq(4));
        sack(seq(5), seq(10), seq(1), seq(4));
        t.stackSendsNothing();
        t.peerSends(".", 1, seq(10), 0);
        assertEquals(2, t.count(Counter.TCP_RETRANSMITTED_SEGMENTS));
        assertEquals(0, t.count(Counter.TCP_TIMEOUTS));
    }

    /** The path has swapped two acknowledgments: what the older one SACKs has arrived all the same. */
    @Rule("tcp.md: Loss recovery")
    @Test
    void takesTheSacksOfAnAckThatWasOvertaken() {
        t.peerSack = true;
        t.acceptConnection();
        writeSegments(10);
        t.after(ms(1));
        sack(seq(1), seq(4));
        t.stackSends(".", seq(0), 1, MSS);
        t.after(ms(2));
        t.peerSends(".", 1, seq(5), 0);
        t.ignoreSent();
        assertEquals(0, t.connection().sender.recoveryFigures().sackedSegments);
        sack(seq(6), seq(8), seq(1), seq(4)); // acknowledges nothing but the beginning
        assertEquals(2, t.connection().sender.recoveryFigures().sackedSegments);
        assertEquals(0, t.count(Counter.TCP_DSACKS_RECEIVED), "what it SACKs first is new to it");
    }

    /** Without SACK the acknowledgment that ends the disorder was caused by one segment; duplicates have told of the others already. */
    @Test
    void afterDuplicatesThatWereReorderingTheWindowGrowsByOneSegment() {
        t.acceptConnection();
        t.write(1, 20 * MSS);
        for (int i = 0; i < 10; i++) {
            t.stackSends(".", seq(i), 1, MSS);
        }
        t.peerSends(".", 1, 1, 0);
        t.stackSends(".", seq(10), 1, MSS);
        t.peerSends(".", 1, 1, 0);
        t.stackSends(".", seq(11), 1, MSS);
        t.peerSends(".", 1, seq(3), 0);
        assertEquals(11 * MSS, t.connection().sender.cwndBytes());
        t.stackSends(".", seq(12), 1, MSS);
        t.stackSends(".", seq(13), 1, MSS);
        t.stackSendsNothing();
    }

    private void sack(long... edges) {
        t.peerSends(".", 1, 1, 0, s -> {
            s.sackLeft = new int[edges.length / 2];
            s.sackRight = new int[edges.length / 2];
            for (int i = 0; i < edges.length / 2; i++) {
                s.sackLeft[i] = t.stackIss + (int) edges[2 * i];
                s.sackRight[i] = t.stackIss + (int) edges[2 * i + 1];
            }
        });
    }

    @Test
    void ignoresSackBlocksForWhatWasNotSent() {
        t.peerSack = true;
        t.acceptConnection();
        writeSegments(4);
        for (int i = 0; i < 5; i++) {
            sack(seq(100), seq(101));
            sack(seq(3), seq(2));
            sack(seq(0) - 5000, seq(0) - 10);
        }
        t.stackSendsNothing();
    }

    @Test
    void afterATimeoutSlowStartsOverWhatWasNotAcknowledged() {
        t.acceptConnection();
        writeSegments(4);
        t.stackSendsAfter(ms(201), ".", seq(0), 1, MSS);
        t.stackSendsNothing();
        t.peerSends(".", 1, seq(1), 0);
        t.stackSends(".", seq(1), 1, MSS);
        t.stackSends(".", seq(2), 1, MSS);
        t.stackSendsNothing();
        t.peerSends(".", 1, seq(4), 0);
        t.after(ms(1000));
        t.stackSendsNothing();
    }

    @Test
    void retransmitsTheFin() {
        t.acceptConnection();
        t.write(1, 100);
        t.socket().shutdownOutput();
        t.turn();
        t.stackSends(".", 1, 1, 100);
        t.stackSends("F.", 101, 1, 0);
        t.peerSends(".", 1, 101, 0);
        t.stackSendsAfter(ms(201), "F.", 101, 1, 0);
    }

    @Rule("RFC 9293 MUST-18")
    @Test
    void takesNoSampleFromARetransmittedSegment() {
        t.acceptConnection();
        t.write(1, 100);
        t.stackSends(".", 1, 1, 100);
        t.stackSendsAfter(ms(201), ".", 1, 1, 100);
        t.after(ms(100));
        t.peerSends(".", 1, 101, 0);
        assertEquals(ms(1), t.connection().sender.rtt.smoothedRttNs());
    }

    @Rule("tcp.md: RTO")
    @Test
    void withTimestampsARetransmissionGivesASample() {
        t.peerClock = 100;
        t.acceptConnection();
        t.write(1, 100);
        t.stackSends(".", 1, 1, 100);
        t.stackSendsAfter(ms(201), ".", 1, 1, 100);
        t.after(ms(9));
        t.peerSends(".", 1, 101, 0);
        assertTrue(t.connection().sender.rtt.latestRttNs() >= ms(9));
        assertTrue(t.connection().sender.rtt.latestRttNs() <= ms(11));
    }

    @Rule("RFC 9293 MUST-20")
    @Rule("RFC 9293 SHLD-11")
    @Rule("tcp.md: RTO")
    @Test
    void givesUpAfterRetries() {
        t.acceptConnection();
        t.write(1, 100);
        t.after(ms(20 * 60_000));
        assertEquals(TcpError.TIMED_OUT, t.socket().error());
        assertEquals(16, t.count(Counter.TCP_TIMEOUTS), "tcp_retries2 and the one that gives up");
        assertEquals(0, t.host.tcp.flows.size());
        assertEquals(0, t.host.chunks.chunksInUse());
    }

    @Rule("RFC 9293 MUST-21")
    @Rule("tcp.md: Lifetime")
    @Test
    void userTimeoutEndsSooner() {
        t.options.userTimeoutMs = 3000;
        t.acceptConnection();
        t.write(1, 100);
        t.after(ms(2900));
        assertEquals(TcpError.NONE, t.socket().error());
        t.after(ms(200));
        assertEquals(TcpError.TIMED_OUT, t.socket().error());
    }

    @Rule("RFC 9293 SHLD-25")
    @Rule("RFC 9293 MUST-47")
    @Rule("RFC 9293 MUST-56")
    @Test
    void aSoftIcmpErrorIsReportedWhenRetransmissionsGiveUp() {
        t.options.userTimeoutMs = 1000;
        t.acceptConnection();
        t.write(1, 100);
        icmp(IcmpError.HOST_UNREACHABLE, 1, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
        t.after(ms(2000));
        assertEquals(TcpError.HOST_UNREACHABLE, t.socket().error());
    }

    @Rule("RFC 9293 MUST-54")
    @Rule("RFC 9293 SHLD-26")
    @Rule("tcp.md: Security")
    @Rule("tcp.md: forged ICMP")
    @Test
    void ignoresAnIcmpErrorThatQuotesNothingInFlight() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        icmp(IcmpError.PORT_UNREACHABLE, 77, 0);
        assertEquals(TcpState.SYN_SENT, t.state());
        icmp(IcmpError.PORT_UNREACHABLE, 0, 0);
        assertEquals(TcpError.CONNECTION_REFUSED, t.socket().error());
    }

    private void icmp(IcmpError kind, long quoted, int mtu) {
        TcpConnection c = t.connection();
        t.host.tcp.onIcmpError(
                kind,
                c.localHigh,
                c.localLow,
                c.localPort,
                c.remoteHigh,
                c.remoteLow,
                c.remotePort,
                t.stackIss + (int) quoted,
                mtu,
                t.nowNs);
        t.host.checkUnbroken();
    }

    @Rule("RFC 9293 MUST-16")
    @Rule("RFC 9293 SHLD-6")
    @Rule("tcp.md: Path MTU")
    @Test
    void sendsSmallerSegmentsWhenThePathSaysSo() {
        t.acceptConnection();
        t.write(1, 2 * MSS);
        t.stackSends(".", seq(0), 1, MSS);
        t.stackSends(".", seq(1), 1, MSS);
        icmp(IcmpError.PACKET_TOO_BIG, 1, 1000);
        Segment again = t.stackSends(".", 1, 1, 960);
        assertEquals(960, again.payload.length);
        t.stackSends(".", 961, 1, 500);
        t.stackSends(".", seq(1), 1, 960);
        t.stackSends(".", seq(1) + 960, 1, 500);
        assertEquals(10 * MSS, t.connection().sender.cwndBytes(), "it is no congestion");
    }

    @Rule("tcp.md: Path MTU")
    @Rule("tcp.md: forged ICMP")
    @Test
    void ignoresPacketTooBigThatQuotesNothingInFlight() {
        t.acceptConnection();
        t.write(1, MSS);
        t.stackSends(".", 1, 1, MSS);
        icmp(IcmpError.PACKET_TOO_BIG, 50_000, 600);
        t.stackSendsNothing();
        assertEquals(1, t.count(Counter.TCP_ICMP_OUT_OF_WINDOW));
        assertEquals(1500, t.connection().path.mtu());
    }

    @Rule("tcp.md: Congestion control")
    @Test
    void restartsTheWindowAfterIdleness() {
        t.acceptConnection();
        int acked = 1;
        for (int round = 0; round < 4; round++) {
            int bytes = (10 << round) * MSS;
            t.write(acked, Math.min(bytes, 60_000));
            acked += Math.min(bytes, 60_000);
            t.ignoreSent();
            t.peerSends(".", 1, acked, 0);
            t.ignoreSent();
        }
        assertTrue(t.connection().sender.cwndBytes() > 10 * MSS);
        t.after(ms(60_000));
        t.write(acked, 30_000);
        assertTrue(t.connection().sender.cwndBytes() <= 10 * MSS, "RFC 5681 §4.1");
    }

    /** As Linux: idle is who has nothing to send, not who waits for the peer's window. */
    @Rule("tcp.md: Congestion control")
    @Test
    void waitingForThePeersWindowIsNotIdleness() {
        t.acceptConnection();
        t.write(1, 10 * MSS);
        t.ignoreSent();
        t.peerWindow = 0;
        t.peerSends(".", 1, seq(10), 0);
        assertEquals(20 * MSS, t.connection().sender.cwndBytes());
        t.write(seq(10), 30 * MSS);
        t.after(ms(5_000));
        t.ignoreSent();
        t.peerWindow = 65_535;
        t.peerSends(".", 1, seq(10), 0);
        assertEquals(20 * MSS, t.connection().sender.cwndBytes());
    }
}
