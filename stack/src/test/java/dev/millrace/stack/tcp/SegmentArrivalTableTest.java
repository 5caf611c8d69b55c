package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.tcp.SegmentArrivalOracle.Arrival;
import dev.millrace.stack.tcp.SegmentArrivalOracle.Before;
import dev.millrace.stack.tcp.SegmentArrivalOracle.Outcome;
import dev.millrace.stack.tcp.SegmentArrivalOracle.Reply;
import dev.millrace.stack.tcp.SegmentArrivalOracle.Timestamp;
import dev.millrace.stack.wire.TcpSegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * States × flags × sequence numbers × acknowledgments × lengths × timestamps, each at every value where a rule changes: one segment to a
 * fresh connection, and state, answer and bytes taken are what {@link SegmentArrivalOracle} computes from the RFCs. PSH, URG, window and
 * urgent pointer vary along with the rest, since they must make no difference.
 */
class SegmentArrivalTableTest {
    private static final int WINDOW = 65_535;
    private static final int[] LENGTHS = {0, 1, 1_000};
    private static final int[] SEQUENCES = {
        Integer.MIN_VALUE + 70_000, -1_000, -500, -1, 0, 1, 10, WINDOW - 1_000, WINDOW - 1, WINDOW, WINDOW + 1, 1 << 30
    };
    private static final int[] WINDOWS = {0, 1, WINDOW};
    private static final int[] URGENT = {0, 5, WINDOW};

    private final Trace t = new Trace();
    private Before before = new Before(TcpState.CLOSED, 0, 0, 0, 0, 0, 0, 0);
    private int cases;

    @AfterEach
    void close() {
        t.close();
    }

    @Rule("tcp.md: TCP core")
    @Rule("tcp.md: blind RST / SYN / data / ACK")
    @ParameterizedTest
    @EnumSource
    void anySegmentDoesWhatTheRfcsSay(TcpState state) {
        for (int flags = 0; flags < 16; flags++) {
            int kind = flags & 7 | (flags & 8) << 1; // FIN, SYN, RST, ACK
            for (int sequence : SEQUENCES) {
                for (int length : LENGTHS) {
                    segments(state, kind, sequence, length);
                }
            }
        }
        assertTrue(cases > 2_000, "only " + cases + " cases");
    }

    private void segments(TcpState state, int kind, int sequence, int length) {
        if ((kind & TcpSegment.ACK) == 0) {
            run(state, Timestamp.NOT_AGREED, kind, sequence, 0, length);
        } else {
            for (int acknowledgment = 0; acknowledgment < 8; acknowledgment++) {
                run(state, Timestamp.NOT_AGREED, kind, sequence, acknowledgment, length);
            }
        }
        if (state.sendsText() || state == TcpState.FIN_WAIT_2) {
            for (Timestamp timestamp : List.of(Timestamp.NEW, Timestamp.OLD, Timestamp.MISSING)) {
                run(state, timestamp, kind, sequence, 4, length);
            }
        }
    }

    /** Where the rules about acknowledgments change: RFC 5961's lower bound, SND.UNA, SND.NXT. */
    private int acknowledgment(int which) {
        return switch (which) {
            case 0 -> before.una() - WINDOW - 1;
            case 1 -> before.una() - WINDOW;
            case 2 -> before.una() - 1;
            case 3 -> before.una();
            case 4 -> before.snd();
            case 5 -> before.snd() + 1;
            case 6 -> before.snd() + (1 << 30);
            default -> 0;
        };
    }

    private void run(TcpState state, Timestamp timestamp, int kind, int sequence, int acknowledgment, int length) {
        cases++;
        int flags = kind | (cases % 3 == 0 ? TcpSegment.PSH : 0) | (cases % 5 == 0 ? TcpSegment.URG : 0);
        if (SegmentArrivalOracle.isNonsense(flags)) {
            return; // refused by TcpHeader, see TcpHeaderTest
        }
        arrange(state, timestamp);
        int ack = (flags & TcpSegment.ACK) == 0 ? 0 : acknowledgment(acknowledgment);
        Arrival arrival = new Arrival(flags, before.rcv() + sequence, ack, length, timestamp);
        String what = before + " " + arrival;
        Outcome expected = SegmentArrivalOracle.outcome(before, arrival);
        deliver(arrival);
        int taken = t.socket == null ? acceptedBytes() : t.socket().readableBytes();
        Outcome actual = new Outcome(state(), reply(arrival, what), taken);
        assertEquals(expected, actual, what);
        clear();
    }

    private int acceptedBytes() {
        if (t.listener == null) {
            return 0;
        }
        t.socket = t.listener.accept();
        return t.socket == null ? 0 : t.socket().readableBytes();
    }

    private void deliver(Arrival arrival) {
        t.peerSends("", 0, 0, 0, segment -> {
            segment.flags = arrival.flags();
            segment.sequence = arrival.sequence();
            segment.acknowledgment = arrival.acknowledgment();
            segment.payload = new byte[arrival.length()];
            segment.window = WINDOWS[cases % WINDOWS.length];
            segment.urgentPointer = URGENT[cases / 5 % URGENT.length];
            segment.hasTimestamp &= arrival.timestamp() != Timestamp.MISSING;
            segment.timestampValue -= arrival.timestamp() == Timestamp.OLD ? 1_000 : 0;
            if (segment.has(TcpSegment.SYN)) {
                segment.mss = 1_460;
            }
        });
        t.after(ms(45)); // delayed acknowledgments are due
    }

    // ---- what came of it ----

    private TcpState state() {
        List<TcpInfo> rows = t.host.tcp.snapshot(t.nowNs);
        if (!rows.isEmpty()) {
            return rows.get(0).state();
        }
        return t.listener != null && t.socket == null ? TcpState.LISTEN : TcpState.CLOSED;
    }

    private Reply reply(Arrival arrival, String what) {
        Reply reply = Reply.NONE;
        for (TcpHost.Wire wire = t.host.sent.poll(); wire != null; wire = t.host.sent.poll()) {
            Segment sent = Segment.parse(wire);
            if (!sent.has(TcpSegment.FIN)) {
                assertEquals(Reply.NONE, reply, "a second answer: " + what);
                reply = kindOf(sent, arrival, what);
            }
        }
        return reply;
    }

    private Reply kindOf(Segment sent, Arrival arrival, String what) {
        if (sent.has(TcpSegment.RST)) {
            boolean withAck = sent.has(TcpSegment.ACK);
            assertEquals(withAck ? 0 : arrival.acknowledgment(), sent.sequence, what);
            assertEquals(withAck ? arrival.end() : 0, sent.acknowledgment, what);
            return withAck ? Reply.RST_ACK : Reply.RST;
        }
        assertTrue(sent.has(TcpSegment.ACK), what);
        if (sent.has(TcpSegment.SYN)) {
            return Reply.SYN_ACK;
        }
        assertEquals(before.snd(), sent.sequence, "SND.NXT: " + what);
        int received = t.socket == null ? before.rcv() : t.connection().receiver.sequence();
        assertEquals(received, sent.acknowledgment, "RCV.NXT: " + what);
        return Reply.ACK;
    }

    // ---- the state before ----

    /** A fresh connection of another port in this state, with 100 bytes sent and acknowledged where it is synchronised. */
    private void arrange(TcpState state, Timestamp timestamp) {
        t.peerPort = 1_024 + cases % 60_000;
        t.stackPort = Trace.PORT;
        t.peerIss = cases * 77_777;
        t.peerWindow = WINDOW;
        t.peerClock = timestamp == Timestamp.NOT_AGREED ? -1 : 50_000;
        t.socket = null;
        t.listener = null;
        t.stackIss = 0;
        t.options.oobInline = true; // else urgent bytes are missing from what can be read
        switch (state) {
            case CLOSED -> snapshot(state, 0, 0);
            case LISTEN -> {
                t.listener = t.host.listen(Trace.PORT, 16, t.options);
                snapshot(state, 0, 0);
            }
            case SYN_SENT -> {
                t.socket = t.host.connect(Trace.PEER, t.peerPort, t.options, t.nowNs);
                t.stackSends("S", 0, 0, 0);
                t.stackPort = t.connection().localPort;
                snapshot(state, 0, 1);
            }
            case SYN_RECEIVED -> {
                t.listener = t.host.listen(Trace.PORT, 16, t.options);
                t.peerSends("S", 0, 0, 0);
                t.stackSends("S.", 0, 1, 0);
                snapshot(state, 0, 1);
            }
            default -> arrangeSynchronised(state);
        }
    }

    private void arrangeSynchronised(TcpState state) {
        t.acceptConnection();
        t.write(1, 100);
        t.stackSends(".", 1, 1, 100);
        t.peerSends(".", 1, 101, 0);
        switch (state) {
            case FIN_WAIT_1 -> closeByStack();
            case FIN_WAIT_2 -> {
                closeByStack();
                t.peerSends(".", 1, 102, 0);
            }
            case CLOSE_WAIT -> t.peerSends("F.", 1, 101, 0);
            case CLOSING -> {
                closeByStack();
                t.peerSends("F.", 1, 101, 0);
            }
            case LAST_ACK -> {
                t.peerSends("F.", 1, 101, 0);
                closeByStack();
            }
            case TIME_WAIT -> {
                closeByStack();
                t.peerSends("F.", 1, 102, 0);
            }
            default -> assertEquals(TcpState.ESTABLISHED, state);
        }
        t.after(ms(state == TcpState.TIME_WAIT ? 600 : 100)); // acknowledgments have been sent
        boolean stackClosed = state != TcpState.ESTABLISHED && state != TcpState.CLOSE_WAIT;
        boolean acknowledged = state == TcpState.FIN_WAIT_2 || state == TcpState.TIME_WAIT || !stackClosed;
        int sent = stackClosed ? 102 : 101;
        snapshot(state, acknowledged ? sent : sent - 1, sent);
    }

    private void closeByStack() {
        t.socket().shutdownOutput();
        t.turn();
    }

    private void snapshot(TcpState state, int una, int snd) {
        t.ignoreSent();
        t.host.sent.clear();
        assertEquals(state, state());
        boolean peerOpened = state != TcpState.CLOSED && state != TcpState.LISTEN && state != TcpState.SYN_SENT;
        boolean peerClosed = state == TcpState.CLOSE_WAIT
                || state == TcpState.CLOSING
                || state == TcpState.LAST_ACK
                || state == TcpState.TIME_WAIT;
        int rcv = t.peerIss + (peerOpened ? 1 : 0) + (peerClosed ? 1 : 0);
        int edge = t.peerIss + 1 + WINDOW + (peerClosed ? 1 : 0); // a FIN takes no room in it
        before = new Before(state, t.stackIss, t.stackIss + una, t.stackIss + snd, t.peerIss, rcv, edge, WINDOW);
    }

    /** Nothing is left of a case, neither flows nor its listener. */
    private void clear() {
        t.host.tcp.closeAll(t.nowNs);
        if (t.socket != null) {
            t.socket().close();
        }
        if (t.listener != null) {
            t.listener.close();
        }
        t.turn();
        t.host.sent.clear();
        t.ignoreSent();
        assertEquals(0, t.host.tcp.flows.size());
        assertEquals(0, t.host.chunks.chunksInUse());
    }
}
