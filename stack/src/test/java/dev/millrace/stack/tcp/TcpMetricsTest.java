package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** TCP_INFO: each figure at a moment when it differs from its neighbours. */
class TcpMetricsTest {
    private static final int MSS = 1460;

    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.close();
    }

    private long metric(TcpMetric metric) {
        return TcpMetrics.of(t.connection(), t.nowNs).get(metric);
    }

    private static long seq(int segment) {
        return 1 + (long) segment * MSS;
    }

    private void writeSegments(int count) {
        t.write(1, count * MSS);
        for (int i = 0; i < count; i++) {
            t.stackSends(".", seq(i), 1, MSS);
        }
    }

    private void sack(Segment segment, long from, long to) {
        segment.sackLeft = new int[] {t.stackIss + (int) from};
        segment.sackRight = new int[] {t.stackIss + (int) to};
    }

    @Test
    void namesAreUniqueAndReachTheSameValues() {
        t.acceptConnection();
        TcpMetrics metrics = TcpMetrics.of(t.connection(), t.nowNs);
        Set<String> names = new HashSet<>();
        for (TcpMetric metric : TcpMetric.values()) {
            assertTrue(names.add(metric.linuxName()), metric.linuxName());
            assertEquals(metrics.get(metric), metrics.get(metric.linuxName()));
        }
        assertEquals(names, metrics.keySet());
        assertNull(metrics.get("tcpi_no_such"));
    }

    @Test
    void tellsWhatTheHandshakeAgreedOn() {
        t.peerSack = true;
        t.peerScale = 3;
        t.peerClock = 100;
        t.acceptConnection();
        assertEquals(1 | 2 | 4, metric(TcpMetric.OPTIONS));
        assertEquals(3, metric(TcpMetric.SND_WSCALE));
        assertEquals(7, metric(TcpMetric.RCV_WSCALE));
        assertEquals(MSS - 12, metric(TcpMetric.SND_MSS));
        assertEquals(MSS, metric(TcpMetric.ADVMSS));
        assertEquals(1500, metric(TcpMetric.PMTU));
        assertEquals(1000, metric(TcpMetric.RTT));
        assertEquals(500, metric(TcpMetric.RTTVAR));
        assertEquals(1000, metric(TcpMetric.MIN_RTT));
        assertEquals(201_000, metric(TcpMetric.RTO));
        assertEquals(40_000, metric(TcpMetric.ATO));
        assertEquals(10, metric(TcpMetric.SND_CWND));
        assertEquals(0x7fff_ffffL, metric(TcpMetric.SND_SSTHRESH));
    }

    @Test
    void countsTheFlight() {
        t.acceptConnection();
        writeSegments(4);
        assertEquals(4, metric(TcpMetric.UNACKED));
        t.after(ms(10));
        t.peerSends(".", 1, seq(1), 0);
        assertEquals(3, metric(TcpMetric.UNACKED));
        assertEquals(MSS, metric(TcpMetric.BYTES_ACKED));
        assertEquals(2, metric(TcpMetric.DELIVERED), "the SYN and a segment");
        assertEquals(4L * MSS, metric(TcpMetric.BYTES_SENT));
        assertEquals(4, metric(TcpMetric.DATA_SEGS_OUT));
        assertEquals(10, metric(TcpMetric.LAST_DATA_SENT));
        assertEquals(0, metric(TcpMetric.LAST_ACK_RECV));
        // a segment in 10 ms; the application has sent no more, so that is all that is known
        assertEquals(100L * MSS, metric(TcpMetric.DELIVERY_RATE));
    }

    @Test
    void tellsRecoveryWithSack() {
        t.peerSack = true;
        t.acceptConnection();
        writeSegments(6);
        t.after(ms(1));
        t.peerSends(".", 1, 1, 0, segment -> sack(segment, seq(1), seq(2)));
        assertEquals(RecoveryFigures.DISORDER, metric(TcpMetric.CA_STATE));
        assertEquals(1, metric(TcpMetric.SACKED));
        assertEquals(0, metric(TcpMetric.LOST));
        t.peerSends(".", 1, 1, 0, segment -> sack(segment, seq(1), seq(4)));
        t.stackSends(".", 1, 1, MSS);
        assertEquals(RecoveryFigures.FAST_RECOVERY, metric(TcpMetric.CA_STATE));
        assertEquals(3, metric(TcpMetric.SACKED));
        assertEquals(1, metric(TcpMetric.LOST));
        assertEquals(1, metric(TcpMetric.RETRANS));
        assertEquals(1, metric(TcpMetric.TOTAL_RETRANS));
        assertEquals(MSS, metric(TcpMetric.BYTES_RETRANS));
        assertEquals(7, metric(TcpMetric.SND_SSTHRESH), "0.7 of the window");
    }

    @Rule("RFC 9293 SHLD-9")
    @Test
    void tellsTimeouts() {
        t.acceptConnection();
        writeSegments(1);
        t.stackSendsAfter(ms(201), ".", 1, 1, MSS);
        t.stackSendsAfter(ms(402), ".", 1, 1, MSS);
        assertEquals(RecoveryFigures.AFTER_TIMEOUT, metric(TcpMetric.CA_STATE));
        assertEquals(2, metric(TcpMetric.RETRANSMITS));
        assertEquals(2, metric(TcpMetric.BACKOFF));
        assertEquals(2, metric(TcpMetric.TOTAL_RTO));
        assertEquals(804_000, metric(TcpMetric.RTO));
        t.peerSends(".", 1, seq(1), 0);
        assertEquals(0, metric(TcpMetric.RETRANSMITS));
        assertEquals(2, metric(TcpMetric.TOTAL_RTO));
        assertEquals(RecoveryFigures.OPEN, metric(TcpMetric.CA_STATE));
    }

    @Test
    void tellsWhatLimitsTheSender() {
        t.peerWindow = 2 * MSS;
        t.acceptConnection();
        t.write(1, 3 * MSS);
        t.stackSends(".", 1, 1, MSS);
        t.stackSends(".", seq(1), 1, MSS);
        assertEquals(MSS, metric(TcpMetric.NOTSENT_BYTES));
        assertEquals(2 * MSS, metric(TcpMetric.SND_WND));
        t.after(ms(20));
        assertEquals(20_000, metric(TcpMetric.RWND_LIMITED));
        t.peerSends(".", 1, seq(2), 0);
        t.stackSends(".", seq(2), 1, MSS);
        t.after(ms(5));
        t.peerSends(".", 1, seq(3), 0);
        t.after(ms(7));
        assertEquals(20_000, metric(TcpMetric.RWND_LIMITED));
        assertEquals(25_000, metric(TcpMetric.BUSY_TIME));
        assertEquals(0, metric(TcpMetric.SNDBUF_LIMITED));
    }

    @Test
    void tellsThatTheSendBufferIsTooSmall() {
        t.options.sendBufferBytes = 2 * MSS;
        t.acceptConnection();
        int taken = t.write(1, 20 * MSS);
        assertTrue(taken < 20 * MSS, "the buffer took " + taken);
        t.after(ms(10));
        assertEquals(10_000, metric(TcpMetric.SNDBUF_LIMITED));
    }

    @Test
    void countsProbesOfAClosedWindow() {
        t.peerWindow = 0;
        t.acceptConnection();
        t.write(1, 100);
        t.stackSendsAfter(ms(202), ".", 0, 1, 0);
        t.stackSendsAfter(ms(402), ".", 0, 1, 0);
        assertEquals(2, metric(TcpMetric.PROBES));
        assertEquals(2, metric(TcpMetric.BACKOFF));
    }

    @Test
    void countsWhatIsReceived() {
        t.acceptConnection();
        t.peerSends(".", 1, 1, 500);
        t.peerSends(".", 701, 1, 100); // beyond a gap
        assertEquals(500, metric(TcpMetric.BYTES_RECEIVED));
        assertEquals(1, metric(TcpMetric.RCV_OOOPACK));
        assertEquals(2, metric(TcpMetric.DATA_SEGS_IN));
        t.after(ms(30));
        assertEquals(30, metric(TcpMetric.LAST_DATA_RECV));
        assertEquals(t.connection().receiver.window.edge - 500, metric(TcpMetric.RCV_WND));
    }

    @Test
    void beforeAnyDataTheTimeSinceItCountsFromTheHandshake() {
        t.acceptConnection();
        t.after(ms(70));
        assertEquals(70, metric(TcpMetric.LAST_DATA_RECV));
        t.peerSends(".", 1, 1, 500);
        assertEquals(0, metric(TcpMetric.LAST_DATA_RECV));
    }

    @Test
    void tellsByHowManySegmentsOneWasOvertaken() {
        t.peerSack = true;
        t.acceptConnection();
        writeSegments(8);
        t.peerSends(".", 1, 1, 0, segment -> sack(segment, seq(6), seq(7)));
        assertEquals(3, metric(TcpMetric.REORDERING));
        assertEquals(0, metric(TcpMetric.REORD_SEEN));
        t.peerSends(".", 1, 1, 0, segment -> sack(segment, seq(2), seq(3)));
        assertEquals(5, metric(TcpMetric.REORDERING));
        assertEquals(1, metric(TcpMetric.REORD_SEEN));
        t.peerSends(".", 1, 1 + 8 * MSS, 0); // the others together are one case more; what was sent again is none
        assertEquals(5, metric(TcpMetric.REORDERING));
        assertEquals(2, metric(TcpMetric.REORD_SEEN));
    }
}
