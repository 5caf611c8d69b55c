package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IcmpError;
import org.junit.jupiter.api.Test;

/** {@link Quirks}: what scripts written for other systems find, and that without them nothing of it is so. */
class QuirksTest {
    private static final Quirks FREEBSD = quirks(false, false);

    private static Quirks quirks(boolean resetInWindow, boolean synInWindow) {
        return new Quirks(false, true, resetInWindow, synInWindow, true, true, true, 200 * Trace.MS, 1);
    }

    private static Trace trace(Quirks quirks) {
        return trace(quirks, EcnMode.PASSIVE);
    }

    private static Trace trace(Quirks quirks, EcnMode ecn) {
        TcpFeatures features = new TcpFeatures(true, true, true, QuickAck.NONE, true, quirks);
        Trace trace = new Trace(TcpConfig.of(0).with(features).withCongestion(CongestionAlgorithm.NEWRENO, ecn, false));
        trace.options.receiveBufferBytes = 65_536; // 45 segments of 1,460 bytes are 65,700
        return trace;
    }

    @Test
    void theWindowOfAResetReachesAsFarAsTheBuffer() {
        try (Trace t = trace(FREEBSD)) {
            t.acceptConnection();
            t.peerSends("R", 65_701, 0, 0);
            t.stackSendsNothing();
            t.peerSends("R", 65_700, 0, 0);
            assertEquals(65_535, t.stackSends(".", 1, 1, 0).window);
            assertEquals(TcpState.ESTABLISHED, t.state());
        }
        try (Trace t = trace(Quirks.NONE)) {
            t.acceptConnection();
            t.peerSends("R", 65_700, 0, 0);
            t.stackSendsNothing();
        }
    }

    @Test
    void aFinMovesThatWindow() {
        try (Trace t = trace(FREEBSD)) {
            t.acceptConnection();
            t.peerSends("F.", 1, 1, 0);
            t.stackSends(".", 1, 2, 0);
            t.peerSends("R", 65_702, 0, 0);
            t.stackSendsNothing();
            t.peerSends("R", 65_701, 0, 0);
            t.stackSends(".", 1, 2, 0);
        }
    }

    @Test
    void theWindowToldIsWhatThereIsRoomFor() {
        try (Trace t = trace(FREEBSD)) {
            t.peerScale = 7;
            t.acceptConnection();
            t.peerSends("P.", 1, 1, 1460);
            int unit = 1 << t.connection().receiver.window.scale;
            t.after(ms(41));
            assertEquals(Math.ceilDiv(65_700 - 1460, unit), t.stackSends(".", 1, 1461, 0).window);
            t.reads(1, 1460);
            t.peerSends("P.", 1461, 1, 100);
            t.after(ms(41));
            assertEquals(Math.ceilDiv(65_700 - 100, unit), t.stackSends(".", 1, 1561, 0).window);
        }
    }

    @Test
    void aResetAnywhereInTheWindowEndsTheConnectionIfAsked() {
        try (Trace t = trace(quirks(true, false))) {
            t.acceptConnection();
            t.peerSends("R", 65_701, 0, 0);
            t.peerSends("R", 0, 0, 0);
            assertEquals(TcpState.ESTABLISHED, t.state());
            t.peerSends("R", 65_700, 0, 0);
            assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
            t.stackSendsNothing();
        }
    }

    @Test
    void andAHalfOpenEntry() {
        try (Trace t = trace(quirks(true, false))) {
            t.listener = t.host.listen(Trace.PORT, 16, t.options);
            t.peerSends("S", 0, 0, 0);
            t.stackSends("S.", 0, 1, 0);
            t.peerSends("R", 65_536, 0, 0);
            assertEquals(1, t.host.tcp.flows.size());
            t.peerSends("R", 65_535, 0, 0);
            assertEquals(0, t.host.tcp.flows.size());
            t.stackSendsNothing();
        }
    }

    @Test
    void aSynInTheWindowIsAnsweredWithAResetIfAsked() {
        try (Trace t = trace(quirks(false, true))) {
            t.acceptConnection();
            t.peerSends("S", 65_701, 0, 0);
            t.stackSends(".", 1, 1, 0);
            t.peerSends("S", 65_700, 0, 0);
            t.stackSends("R.", 1, 1, 0);
            assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
        }
    }

    @Test
    void aSynWithFinIsASyn() {
        try (Trace t = trace(FREEBSD)) {
            t.peerSends("SF", 0, 0, 3);
            t.stackSends("R.", 0, 5, 0);
            t.listener = t.host.listen(Trace.PORT, 16, t.options);
            t.peerSends("SF", 0, 0, 3);
            t.stackSends("S.", 0, 1, 0);
        }
    }

    @Rule("tcp.md: LAND, christmas tree, null, SYN+FIN, SYN+RST")
    @Test
    void usuallyItIsDroppedWithItsReason() {
        try (Trace t = trace(Quirks.NONE)) {
            t.peerSends("SF", 0, 0, 3);
            t.listener = t.host.listen(Trace.PORT, 16, t.options);
            t.peerSends("SF", 0, 0, 0);
            t.peerSends("SF.", 0, 1, 0);
            t.stackSendsNothing();
            assertEquals(3, t.count(Counter.DROP_TCP_FLAGS));
            assertEquals(0, t.host.tcp.flows.size());
        }
    }

    @Test
    void textWithACrossingSynIsReadOnceTheHandshakeIsComplete() {
        try (Trace t = trace(FREEBSD)) {
            t.connect();
            t.stackSends("S", 0, 0, 0);
            t.peerSends("S", 0, 0, 3, s -> s.payload = Trace.pattern(1, 3));
            t.stackSends("S.", 0, 1, 0);
            assertEquals(0, t.socket().readableBytes());
            t.peerSends(".", 4, 1, 0);
            t.reads(1, 3);
            t.after(ms(41));
            t.stackSends(".", 1, 4, 0);
        }
    }

    @Test
    void textWithASynAckIsAcknowledgedWithIt() {
        try (Trace t = trace(FREEBSD)) {
            t.connect();
            t.stackSends("S", 0, 0, 0);
            t.peerSends("S.", 0, 1, 3, s -> s.payload = Trace.pattern(1, 3));
            t.stackSends(".", 1, 4, 0);
            t.reads(1, 3);
        }
    }

    @Test
    void timeoutsOfASynAreLongerByTheSlop() {
        try (Trace t = trace(FREEBSD)) {
            t.connect();
            t.stackSends("S", 0, 0, 0);
            t.stackSendsAfter(ms(1000), "S", 0, 0, 0);
            t.stackSendsAfter(ms(2200), "S", 0, 0, 0);
            t.stackSendsAfter(ms(4200), "S", 0, 0, 0);
        }
    }

    @Test
    void andThoseOfASynAck() {
        try (Trace t = trace(FREEBSD)) {
            t.listener = t.host.listen(Trace.PORT, 16, t.options);
            t.peerSends("S", 0, 0, 0);
            t.stackSends("S.", 0, 1, 0);
            t.stackSendsAfter(ms(1000), "S.", 0, 1, 0);
            t.stackSendsAfter(ms(2200), "S.", 0, 1, 0);
        }
    }

    @Test
    void theFirstSynSentAgainStillAsksForEcn() {
        try (Trace t = trace(FREEBSD, EcnMode.ON)) {
            t.connect();
            t.stackSends("SEW", 0, 0, 0);
            t.stackSendsAfter(ms(1000), "SEW", 0, 0, 0);
            t.stackSendsAfter(ms(2200), "S", 0, 0, 0);
        }
    }

    @Test
    void aFilterRefusesAConnectAndARouteMayComeBack() {
        assertEquals(TcpError.CONNECTION_REFUSED, errorAfter(FREEBSD, IcmpError.ADMINISTRATIVELY_PROHIBITED));
        assertEquals(TcpError.HOST_UNREACHABLE, errorAfter(FREEBSD, IcmpError.TIME_EXCEEDED));
        assertEquals(TcpError.NONE, errorAfter(FREEBSD, IcmpError.HOST_UNREACHABLE));
        assertEquals(TcpError.HOST_UNREACHABLE, errorAfter(Quirks.NONE, IcmpError.ADMINISTRATIVELY_PROHIBITED));
        assertEquals(TcpError.NONE, errorAfter(Quirks.NONE, IcmpError.TIME_EXCEEDED));
        assertEquals(TcpError.HOST_UNREACHABLE, errorAfter(Quirks.NONE, IcmpError.HOST_UNREACHABLE));
    }

    private static TcpError errorAfter(Quirks quirks, IcmpError kind) {
        try (Trace t = trace(quirks)) {
            TcpSocket socket = t.connect();
            Segment syn = t.stackSends("S", 0, 0, 0);
            t.host.tcp.onIcmpError(
                    kind,
                    Trace.STACK.high(),
                    Trace.STACK.low(),
                    syn.sourcePort,
                    Trace.PEER.high(),
                    Trace.PEER.low(),
                    syn.destinationPort,
                    syn.sequence,
                    0,
                    t.nowNs);
            return socket.error();
        }
    }
}
