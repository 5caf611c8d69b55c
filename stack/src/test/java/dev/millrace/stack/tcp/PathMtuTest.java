package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IcmpError;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the path's MTU does to a connection, with ICMP (RFC 1191, 8201) and behind black holes (RFC 4821). */
@Rule("tcp.md: Path MTU")
class PathMtuTest {
    private static final int MSS = 1460;
    private static final int BASE = 1024;

    private Trace t = new Trace();
    /** Next byte that the application will write, and first that the peer has not received. */
    private long written = 1;

    private long received = 1;
    /** What the peer holds beyond a gap: ends by beginnings. */
    private final TreeMap<Long, Long> beyond = new TreeMap<>();
    /** Of so many segments beyond a gap the peer's acknowledgments get through. */
    private int acknowledgedBeyond = Integer.MAX_VALUE;

    @AfterEach
    void close() {
        t.close();
    }

    private void probing(MtuProbing mode) {
        t.close();
        t = new Trace(TcpConfig.of(0).withMtuProbing(mode));
        t.peerSack = true;
        t.peerScale = 7;
        t.acceptConnection();
    }

    private void write(int bytes) {
        assertEquals(bytes, t.write(written, bytes));
        written += bytes;
    }

    /** The first segment goes out again and again, in the given sizes, whenever the retransmission timer fires. */
    private void timeouts(int... sizes) {
        for (int size : sizes) {
            long timeouts = t.count(Counter.TCP_TIMEOUTS);
            while (t.count(Counter.TCP_TIMEOUTS) == timeouts) {
                t.ignoreSent(); // a tail loss probe
                t.after(ms(10));
            }
            t.stackSends(".", received, 1, size);
        }
    }

    /** Takes whatever has been sent up to {@code limit} bytes a segment, and acknowledges it; returns the largest that came through. */
    private int throughPathOf(int limit) {
        int largest = 0;
        t.collectSent();
        for (Segment next = t.pollSent(); next != null; next = t.pollSent()) {
            long from = Integer.toUnsignedLong(next.sequence - t.stackIss);
            if (next.payload.length > limit) {
                continue;
            }
            largest = Math.max(largest, next.payload.length);
            if (from == received) {
                received += next.payload.length;
                while (!beyond.isEmpty() && beyond.firstKey() <= received) {
                    received = Math.max(received, beyond.pollFirstEntry().getValue());
                }
                t.peerSends(".", 1, received, 0);
            } else if (from > received) {
                long end = from + next.payload.length;
                beyond.merge(from, end, Math::max);
                if (beyond.size() > acknowledgedBeyond) {
                    continue;
                }
                t.peerSends(".", 1, received, 0, ack -> {
                    ack.sackLeft = new int[] {t.stackIss + (int) from};
                    ack.sackRight = new int[] {t.stackIss + (int) end};
                });
            }
            t.collectSent();
        }
        return largest;
    }

    @Test
    void fullSegmentsThatTimeOutForThreeSecondsBecomeSmall() {
        probing(MtuProbing.BLACKHOLE);
        write(MSS);
        t.stackSends(".", 1, 1, MSS);
        timeouts(MSS, MSS, MSS, MSS, BASE);
        assertEquals(1, t.count(Counter.TCP_MTU_BLACK_HOLES));
        received = 1 + BASE;
        t.peerSends(".", 1, received, 0);
        t.stackSends(".", received, 1, MSS - BASE);
        assertEquals(BASE, t.connection().sender.segmentBytes());
    }

    @Test
    void whatTimesOutFurtherIsHalvedOnceAndNoMore() {
        probing(MtuProbing.BLACKHOLE);
        write(MSS);
        t.stackSends(".", 1, 1, MSS);
        timeouts(MSS, MSS, MSS, MSS, BASE, 512, 512, 512);
        assertEquals(2, t.count(Counter.TCP_MTU_BLACK_HOLES));
    }

    @Test
    void smallSegmentsThatTimeOutTellNothingAboutThePath() {
        probing(MtuProbing.BLACKHOLE);
        write(1000);
        t.stackSends(".", 1, 1, 1000);
        timeouts(1000, 1000, 1000, 1000, 1000, 1000, 1000);
        assertEquals(0, t.count(Counter.TCP_MTU_BLACK_HOLES));
        assertEquals(MSS, t.connection().sender.segmentBytes());
    }

    @Test
    void switchedOffOnlyIcmpMakesSegmentsSmaller() {
        probing(MtuProbing.OFF);
        write(MSS);
        t.stackSends(".", 1, 1, MSS);
        timeouts(MSS, MSS, MSS, MSS, MSS);
    }

    @Test
    void anAcknowledgmentBetweenTimeoutsStartsTheCountAnew() {
        probing(MtuProbing.BLACKHOLE);
        write(2 * MSS);
        t.stackSends(".", 1, 1, MSS);
        t.stackSends(".", 1 + MSS, 1, MSS);
        t.after(ms(700)); // two timeouts
        t.ignoreSent();
        received = 1 + MSS;
        t.peerSends(".", 1, received, 0);
        t.ignoreSent();
        t.after(ms(1700)); // and one or two more
        t.ignoreSent();
        assertEquals(0, t.count(Counter.TCP_MTU_BLACK_HOLES));
    }

    @Test
    void behindABlackHoleProbesFindTheSizeThatGetsThrough() {
        probing(MtuProbing.BLACKHOLE);
        int limit = 1300;
        write(60_000);
        for (int i = 0; i < 40 && received == 1; i++) {
            throughPathOf(limit);
            t.after(ms(200));
        }
        for (int i = 0; i < 400; i++) {
            if (written - received < 40_000) {
                write(20_000);
            }
            throughPathOf(limit);
            t.after(ms(20));
        }
        int found = t.connection().sender.segmentBytes();
        assertTrue(found <= limit && found > limit - 16, "found " + found + " of " + limit);
        assertTrue(
                t.count(Counter.TCP_MTU_PROBES_DELIVERED) >= 2,
                "delivered " + t.count(Counter.TCP_MTU_PROBES_DELIVERED));
        assertTrue(t.count(Counter.TCP_MTU_PROBES) <= 10, "binary search took " + t.count(Counter.TCP_MTU_PROBES));
    }

    @Test
    void askedToEveryConnectionBeginsSmallAndGrowsToWhatThePathTakes() {
        probing(MtuProbing.ON);
        write(40_000);
        t.collectSent();
        assertEquals(BASE, t.connection().sender.segmentBytes());
        for (int i = 0; i < 200; i++) {
            if (written - received < 40_000) {
                write(20_000);
            }
            throughPathOf(MSS);
            t.after(ms(20));
        }
        assertTrue(t.connection().sender.segmentBytes() > MSS - 8);
        assertEquals(0, t.count(Counter.TCP_TIMEOUTS));
    }

    @Test
    void whatWasTooLargeIsTriedAgainAfterTenMinutes() {
        probing(MtuProbing.ON);
        for (int i = 0; i < 300; i++) {
            if (written - received < 40_000) {
                write(20_000);
            }
            throughPathOf(1200);
            t.after(ms(20));
        }
        int before = t.connection().sender.segmentBytes();
        assertTrue(before <= 1200);
        for (int i = 0; i < 300; i++) {
            if (written - received < 40_000) {
                write(20_000);
            }
            throughPathOf(MSS);
            t.after(ms(20));
        }
        assertEquals(before, t.connection().sender.segmentBytes());
        t.after(PathMtuSearch.INTERVAL_NS);
        for (int i = 0; i < 300; i++) {
            if (written - received < 40_000) {
                write(20_000);
            }
            throughPathOf(MSS);
            t.after(ms(20));
        }
        assertTrue(t.connection().sender.segmentBytes() > MSS - 8);
    }

    /** With fewer than three segments SACKed behind it, it is the reordering timer that finds it lost. */
    @ParameterizedTest
    @ValueSource(ints = {Integer.MAX_VALUE, 2})
    void aProbeThatIsLostCostsNoCongestionWindow(int acknowledged) {
        acknowledgedBeyond = acknowledged;
        probing(MtuProbing.ON);
        long recoveries = 0;
        for (int i = 0; i < 300; i++) {
            if (written - received < 40_000) {
                write(20_000);
            }
            long threshold = t.connection().sender.ssthreshBytes();
            throughPathOf(1200);
            if (t.count(Counter.TCP_FAST_RECOVERIES) > recoveries) {
                recoveries = t.count(Counter.TCP_FAST_RECOVERIES);
                assertEquals(threshold, t.connection().sender.ssthreshBytes());
            }
            t.after(ms(20));
        }
        assertTrue(recoveries > 0, "probes of more than 1200 bytes were lost");
        assertEquals(0, t.count(Counter.TCP_TIMEOUTS));
    }

    @Test
    void icmpBoundsTheSearch() {
        probing(MtuProbing.ON);
        write(40_000);
        t.ignoreSent();
        TcpConnection c = t.connection();
        t.host.tcp.onIcmpError(
                IcmpError.PACKET_TOO_BIG,
                c.localHigh,
                c.localLow,
                c.localPort,
                c.remoteHigh,
                c.remoteLow,
                c.remotePort,
                t.stackIss + 1,
                900,
                t.nowNs);
        assertEquals(860, c.sender.segmentBytes());
        for (int i = 0; i < 100; i++) {
            throughPathOf(860);
            t.after(ms(20));
        }
        assertEquals(860, c.sender.segmentBytes());
        assertEquals(0, t.count(Counter.TCP_MTU_PROBES));
    }
}
