package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * States × fields × boundary values: what a segment may do in each state (RFC 9293 §3.10.7, RFC 5961, RFC 1337), first rule by rule, then
 * with random segments around the edges of both windows, of which most are forgeries.
 */
class SegmentArrivesTest {
    private static final int WINDOW = 65_535;
    private static final String[] SYNCHRONISED = {
        "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"
    };

    private Trace t = new Trace();
    /** RCV.NXT, relative to the peer's SYN. */
    private long receiveNext;
    /** SND.NXT and SND.UNA, relative to the stack's SYN. */
    private long sendNext;

    private long unacknowledged;

    @AfterEach
    void close() {
        t.host.close();
    }

    /** Brings a connection into this state; in the synchronised ones the stack has sent 100 bytes that are acknowledged. */
    private void arrange(TcpState state) {
        receiveNext = 0;
        sendNext = 0;
        unacknowledged = 0;
        switch (state) {
            case CLOSED -> {
                // no listener
            }
            case LISTEN -> t.listener = t.host.listen(Trace.PORT, 16, t.options);
            case SYN_SENT -> {
                t.connect();
                t.stackSends("S", 0, 0, 0);
                sendNext = 1;
            }
            case SYN_RECEIVED -> {
                t.listener = t.host.listen(Trace.PORT, 16, t.options);
                t.peerSends("S", 0, 0, 0);
                t.stackSends("S.", 0, 1, 0);
                receiveNext = 1;
                sendNext = 1;
            }
            default -> arrangeSynchronised(state);
        }
        assertEquals(state, state());
    }

    private void arrangeSynchronised(TcpState state) {
        t.acceptConnection();
        t.write(1, 100);
        t.stackSends(".", 1, 1, 100);
        t.peerSends(".", 1, 101, 0);
        receiveNext = 1;
        sendNext = 101;
        switch (state) {
            case FIN_WAIT_1 -> closeByStack();
            case FIN_WAIT_2 -> {
                closeByStack();
                t.peerSends(".", 1, 102, 0);
            }
            case CLOSE_WAIT -> closeByPeer(101);
            case CLOSING -> {
                closeByStack();
                closeByPeer(101);
            }
            case LAST_ACK -> {
                closeByPeer(101);
                closeByStack();
            }
            case TIME_WAIT -> {
                closeByStack();
                closeByPeer(102);
            }
            default -> assertEquals(TcpState.ESTABLISHED, state);
        }
        unacknowledged = switch (state) {
            case FIN_WAIT_1, CLOSING, LAST_ACK -> 101;
            default -> sendNext;
        };
        t.after(ms(600)); // acknowledgments have been sent, and challenges may be
        t.ignoreSent();
    }

    private void closeByStack() {
        t.socket().shutdownOutput();
        t.turn();
        t.stackSends("F.", 101, receiveNext, 0);
        sendNext = 102;
    }

    private void closeByPeer(long ack) {
        t.peerSends("F.", 1, ack, 0);
        receiveNext = 2;
        t.after(ms(50));
        t.ignoreSent();
    }

    private TcpState state() {
        List<TcpInfo> rows = t.host.tcp.snapshot(t.nowNs);
        if (rows.isEmpty()) {
            return t.listener == null || t.socket != null ? TcpState.CLOSED : TcpState.LISTEN;
        }
        return rows.get(0).state();
    }

    private void assertChallenged(TcpState expected) {
        t.stackSends(".", sendNext, receiveNext, 0);
        t.stackSendsNothing();
        assertEquals(expected, state());
    }

    private void assertIgnored(TcpState expected) {
        t.stackSendsNothing();
        assertEquals(expected, state());
    }

    // ---- RST ----

    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"})
    void aResetExactlyAtRcvNxtEndsTheConnection(TcpState state) {
        arrange(state);
        t.peerSends("R", receiveNext, 0, 0);
        assertIgnored(TcpState.CLOSED);
        assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
        assertTrue((t.socket().readiness() & TcpSocket.GONE) != 0);
    }

    @Rule("tcp.md: Security")
    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"})
    void aResetElsewhereInTheWindowIsChallenged(TcpState state) {
        for (long offset : new long[] {1, 1_000, WINDOW - 2}) {
            arrange(state);
            t.peerSends("R", receiveNext + offset, 0, 0);
            assertChallenged(state);
            restart();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT"})
    void aResetOutsideTheWindowIsIgnored(TcpState state) {
        for (long offset : new long[] {-1, -1_000, 200_000, 1L << 31, (1L << 31) - 1}) {
            arrange(state);
            t.peerSends("R.", receiveNext + offset, sendNext, 0);
            assertIgnored(state);
            restart();
        }
    }

    @Rule("tcp.md: RST in TIME-WAIT")
    @Test
    void timeWaitIsNotAssassinated() {
        arrange(TcpState.TIME_WAIT);
        t.peerSends("R", receiveNext, 0, 0);
        assertIgnored(TcpState.TIME_WAIT);
        assertEquals(1, t.count(Counter.DROP_TCP_RESET_IN_TIME_WAIT));
    }

    private void restart() {
        t.host.close();
        t = new Trace();
    }

    // ---- SYN ----

    @Rule("tcp.md: Security")
    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"})
    void aSynInsideAConnectionIsChallenged(TcpState state) {
        for (long offset : new long[] {-100, -1, 0, 1, WINDOW + 10}) {
            for (String flags : new String[] {"S", "S."}) {
                arrange(state);
                t.peerSends(flags, receiveNext + offset, sendNext, 0);
                assertChallenged(state);
                restart();
            }
        }
    }

    // ---- ACK ----

    @Rule("RFC 9293 MAY-12")
    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"})
    void anAckOfWhatWasNotSentIsChallengedAndItsTextDropped(TcpState state) {
        for (long offset : new long[] {1, 2, 100_000, (1L << 31) - 1}) {
            arrange(state);
            t.peerSends(".", receiveNext, sendNext + offset, 10);
            assertChallenged(state);
            assertEquals(0, t.socket().readableBytes());
            restart();
        }
    }

    @Rule("RFC 9293 MAY-12")
    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT"})
    void anAckFromBeforeTheLargestWindowIsChallengedAndItsTextDropped(TcpState state) {
        arrange(state);
        t.peerSends(".", receiveNext, unacknowledged - WINDOW - 1, 10);
        assertChallenged(state);
        assertEquals(0, t.socket().readableBytes());
    }

    @Test
    void textWithAnOldAckInTheWindowIsTaken() {
        arrange(TcpState.ESTABLISHED);
        t.peerSends(".", receiveNext, sendNext - 50, 10);
        t.reads(1, 10);
    }

    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING", "LAST_ACK"})
    void aSegmentWithoutAckIsDropped(TcpState state) {
        arrange(state);
        t.peerSends("P", receiveNext, 0, 10, segment -> segment.flags = TcpSegment.FIN);
        assertIgnored(state);
        assertEquals(0, t.socket().readableBytes());
    }

    // ---- sequence number ----

    @ParameterizedTest
    @EnumSource(names = {"ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2"})
    void textOutsideTheWindowIsAnsweredWithOurState(TcpState state) {
        for (long offset : new long[] {-10, 200_000, -100_000}) {
            arrange(state);
            t.peerSends(".", receiveNext + offset, sendNext, 10);
            assertEquals(0, t.socket().readableBytes());
            assertChallenged(state);
            restart();
        }
    }

    @Rule("tcp.md: data or FIN after FIN")
    @ParameterizedTest
    @EnumSource(names = {"CLOSE_WAIT", "CLOSING", "LAST_ACK"})
    void textAfterTheFinIsIgnored(TcpState state) {
        arrange(state);
        t.peerSends(".", receiveNext, unacknowledged, 10);
        assertEquals(0, t.socket().readableBytes());
        assertChallenged(state);
        assertEquals(TcpSocket.END, t.read());
    }

    @Rule("tcp.md: data or FIN after FIN")
    @ParameterizedTest
    @EnumSource(names = {"CLOSE_WAIT", "CLOSING", "LAST_ACK", "TIME_WAIT"})
    void aRepeatedFinIsAcknowledgedAgain(TcpState state) {
        arrange(state);
        t.peerSends("F.", receiveNext - 1, unacknowledged, 0);
        assertChallenged(state);
    }

    @Rule("tcp.md: Security")
    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @Test
    void challengesOfOneConnectionAreHalfASecondApart() {
        arrange(TcpState.ESTABLISHED);
        t.peerSends("S", receiveNext, 0, 0);
        t.stackSends(".", sendNext, receiveNext, 0);
        for (int i = 0; i < 10; i++) {
            t.peerSends("S", receiveNext, 0, 0);
            t.peerSends("R", receiveNext + 1, 0, 0);
            t.peerSends(".", receiveNext, sendNext + 1, 0);
        }
        t.stackSendsNothing();
        t.after(ms(501));
        t.stackSendsNothing();
        t.peerSends("R", receiveNext + 1, 0, 0);
        t.stackSends(".", sendNext, receiveNext, 0);
    }

    // ---- random segments around the edges ----

    private static final long[] SEQUENCE_OFFSETS = {
        -(1L << 31),
        -100_000,
        -1_000,
        -2,
        -1,
        0,
        1,
        2,
        10,
        1_000,
        WINDOW - 1,
        WINDOW,
        WINDOW + 1,
        200_000,
        (1L << 31) - 1
    };
    private static final long[] ACK_OFFSETS = {-(1L << 31), -65_536, -101, -100, -2, -1, 0, 1, 2, 1_000, (1L << 31) - 1
    };
    private static final int[] LENGTHS = {0, 0, 0, 1, 10, 1_000, 1_460};
    private static final int[] WINDOWS = {0, 1, 1_000, 65_535};
    private static final int[] FLAGS = {
        0, TcpSegment.FIN, TcpSegment.SYN, TcpSegment.RST, TcpSegment.PSH, TcpSegment.URG
    };

    @Rule("tcp.md: TCP core")
    @ParameterizedTest
    @EnumSource
    void noSegmentBreaksAnythingInAnyState(TcpState state) {
        long seed = 20_260_731L + state.ordinal();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 1_500; round++) {
            String at = state + " seed " + seed + " round " + round;
            boolean timestamps = random.nextInt(3) == 0;
            t.peerClock = timestamps ? 50_000 : -1;
            t.peerSack = random.nextBoolean();
            arrange(state);
            int segments = 1 + random.nextInt(4);
            for (int i = 0; i < segments; i++) {
                sendRandomSegment(random, at + " segment " + i);
                if (random.nextInt(3) == 0) {
                    t.after(ms(random.nextInt(700)));
                    t.ignoreSent();
                }
            }
            t.host.tcp.closeAll(t.nowNs);
            assertTrue(t.host.tcp.snapshot(t.nowNs).isEmpty(), at);
            TcpSocket connection = t.socket;
            if (connection != null) {
                connection.close();
            }
            if (t.listener != null) {
                t.listener.close(); // what was not accepted ends with it
            }
            t.turn();
            assertEquals(0, t.host.chunks.chunksInUse(), at + ": memory is missing");
            restart();
        }
    }

    private void sendRandomSegment(SplittableRandom random, String at) {
        int flags = random.nextInt(8) == 0 ? 0 : TcpSegment.ACK;
        flags |= FLAGS[random.nextInt(FLAGS.length)];
        if ((flags & (TcpSegment.SYN | TcpSegment.ACK | TcpSegment.RST | TcpSegment.FIN)) == 0) {
            flags |= TcpSegment.ACK;
        }
        int kind = flags;
        TcpState before = state();
        long received = receivedBytes();
        long expected = t.socket == null ? receiveNext : t.connection().receiver.nxt + 1;
        long sequence = receiveNext + SEQUENCE_OFFSETS[random.nextInt(SEQUENCE_OFFSETS.length)];
        long ack = sendNext + ACK_OFFSETS[random.nextInt(ACK_OFFSETS.length)];
        int length = (kind & TcpSegment.SYN) != 0 && random.nextBoolean() ? 0 : LENGTHS[random.nextInt(LENGTHS.length)];
        int window = WINDOWS[random.nextInt(WINDOWS.length)];
        int clock = random.nextInt(4) == 0 ? random.nextInt() : t.peerClock;
        boolean dropTimestamp = random.nextInt(10) == 0;
        boolean sack = random.nextInt(4) == 0;
        int[] edges = {(int) random.nextLong(), (int) (t.stackIss + unacknowledged), t.stackIss + (int) sendNext};
        t.peerSends("", sequence, ack, length, segment -> {
            segment.flags = kind;
            segment.acknowledgment = t.stackIss + (int) ack;
            segment.window = window;
            segment.timestampValue = clock;
            segment.hasTimestamp &= !dropTimestamp;
            if (sack && (kind & TcpSegment.SYN) == 0) {
                segment.sackLeft = new int[] {edges[random.nextInt(3)], edges[random.nextInt(3)]};
                segment.sackRight = new int[] {edges[random.nextInt(3)], edges[random.nextInt(3)] + random.nextInt(5)};
            }
        });
        check(
                before,
                received,
                expected,
                kind,
                sequence,
                at + " flags " + kind + " seq " + sequence + " ack " + ack + " len " + length);
    }

    private long receivedBytes() {
        return t.socket == null ? 0 : t.socket().readableBytes();
    }

    private void check(TcpState before, long received, long expected, int flags, long sequence, String at) {
        TcpState after = state();
        boolean reset = (flags & TcpSegment.RST) != 0;
        boolean syn = (flags & TcpSegment.SYN) != 0;
        boolean hasAck = (flags & TcpSegment.ACK) != 0;
        int replies = 0;
        for (TcpHost.Wire wire = t.host.sent.poll(); wire != null; wire = t.host.sent.poll()) {
            replies++;
            assertTrue(!reset || !Segment.parse(wire).has(TcpSegment.RST), at + ": a reset for a reset");
        }
        assertTrue(replies <= 1, at + ": " + replies + " replies to one segment");
        if (reset || syn || !hasAck) {
            assertEquals(received, receivedBytes(), at + ": text was taken");
        }
        boolean synchronised = List.of(SYNCHRONISED).contains(before.name());
        if (synchronised && reset && sequence != expected) {
            assertEquals(before, after, at + ": a reset that is not at RCV.NXT ended the connection");
        }
        if (synchronised && syn) {
            assertEquals(before, after, at + ": a SYN changed the state");
        }
        if (synchronised && !reset && !hasAck) {
            assertEquals(before, after, at + ": a segment without ACK changed the state");
        }
        if (before == TcpState.TIME_WAIT && !(syn && !hasAck)) {
            assertEquals(TcpState.TIME_WAIT, after, at);
        }
        if (before == TcpState.LISTEN && !(syn && !hasAck)) {
            assertEquals(TcpState.LISTEN, after, at);
        }
        if (before == TcpState.CLOSED && t.listener == null) {
            assertEquals(TcpState.CLOSED, after, at);
        }
    }
}
