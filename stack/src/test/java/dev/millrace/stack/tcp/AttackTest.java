package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What wears a stack down slowly: answers that beget answers, ports that run out, states that nobody ends. */
class AttackTest {
    /** Two connections of the same tuple that know nothing of each other's numbers. */
    @Test
    @Rule("tcp.md: RST and ACK loops")
    void twoStacksThatDisagreeAboutEveryNumberDoNotAnswerEachOtherWithoutEnd() {
        try (TcpHost left = new TcpHost(Trace.PEER, TcpConfig.of(0), 1);
                TcpHost right = new TcpHost(Trace.STACK, TcpConfig.of(0), 2);
                TcpHost other = new TcpHost(Trace.STACK, TcpConfig.of(0), 3)) {
            TcpSocket client = handshake(left, right, 0);
            TcpHost stranger = new TcpHost(Trace.PEER, TcpConfig.of(0), 4);
            handshake(stranger, other, client.localPort());
            stranger.close();
            assertEquals(10, client.write(ByteBuffer.allocate(10), 0, 10));
            long nowNs = ms(2000);
            int segments = 0;
            for (int step = 0; step < 10_000; step++) {
                nowNs += ms(1);
                left.turn(nowNs);
                other.turn(nowNs);
                segments += exchange(left, other, nowNs);
            }
            assertTrue(segments <= 60, segments + " segments in ten seconds");
            left.checkUnbroken();
            other.checkUnbroken();
        }
    }

    private static TcpSocket handshake(TcpHost client, TcpHost server, int port) {
        server.listen(Trace.PORT, 4);
        TcpSocket connection;
        try {
            connection = client.tcp.connect(
                    null,
                    Trace.STACK,
                    Trace.PORT,
                    new TcpOptions(),
                    TcpObserver.NONE,
                    candidate -> port == 0 || candidate == port,
                    ms(1000));
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
        for (int i = 0; i < 3; i++) {
            exchange(client, server, ms(1000));
        }
        assertEquals(TcpState.ESTABLISHED, TcpHost.connectionOf(connection).state());
        return connection;
    }

    /** Everything under way arrives; answers are under way then. */
    private static int exchange(TcpHost one, TcpHost another, long nowNs) {
        int toOther = one.sent.size();
        int toOne = another.sent.size();
        for (int i = 0; i < toOther; i++) {
            another.receive(one.sent.remove(), nowNs);
        }
        for (int i = 0; i < toOne; i++) {
            one.receive(another.sent.remove(), nowNs);
        }
        one.tcp.endOfBurst(nowNs);
        another.tcp.endOfBurst(nowNs);
        return toOther + toOne;
    }

    @Test
    @Rule("tcp.md: port exhaustion")
    void withoutAFreePortTheErrorIsThatOfLinux() throws TcpException {
        try (Trace t = new Trace()) {
            PortChooser three = port -> port >= 40_000 && port < 40_003;
            for (int i = 0; i < 3; i++) {
                connect(t, three);
            }
            TcpException none = assertThrows(TcpException.class, () -> connect(t, three));
            assertEquals(TcpError.ADDRESS_NOT_AVAILABLE, none.error(), "Cannot assign requested address");
            assertEquals(3, t.host.tcp.flows.size());
        }
    }

    private static TcpSocket connect(Trace t, PortChooser chooser) throws TcpException {
        return t.host.tcp.connect(null, Trace.PEER, Trace.PEER_PORT, t.options, TcpObserver.NONE, chooser, t.nowNs);
    }

    @Test
    @Rule("tcp.md: Lifetime")
    void lastAckEndsThoughThePeerHasGone() {
        try (Trace t = new Trace()) {
            TcpSocket connection = t.acceptConnection();
            assertNotNull(connection);
            t.peerSends("F.", 1, 1, 0);
            connection.close();
            t.turn();
            assertEquals(TcpState.LAST_ACK, TcpHost.connectionOf(connection).state());
            t.after(ms(300_000));
            assertEquals(TcpState.CLOSED, TcpHost.connectionOf(connection).state());
            assertEquals(0, t.host.tcp.flows.size());
            assertEquals(0, t.host.chunks.chunksInUse());
        }
    }

    /** Many connections want packets, and there are hardly any: trying them all each time would cost a core whatever peers like. */
    @Test
    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    void connectionsWithoutPacketsTakeTurnsInSmallNumbers() {
        try (Trace t = new Trace()) {
            t.listener = t.host.listen(Trace.PORT, 16, t.options);
            List<TcpSocket> all = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                t.peerPort = 1024 + i;
                t.peerSends("S", 0, 0, 0);
                t.stackSends("S.", 0, 1, 0);
                t.peerSends(".", 1, 1, 0);
                all.add(t.listenerOrFail().accept());
            }
            t.host.packets = 0;
            for (TcpSocket connection : all) {
                connection.write(ByteBuffer.allocate(100), 0, 100);
            }
            t.turn();
            long before = t.count(Counter.TCP_OUTPUT_BLOCKED);
            t.host.tcp.onOutputAvailable(t.nowNs);
            assertEquals(Tcp.MAX_REFUSED, t.count(Counter.TCP_OUTPUT_BLOCKED) - before);
            t.host.tcp.checkInvariants();
            for (int i = 0; i < 50; i++) {
                t.host.packets = 10;
                t.host.tcp.onOutputAvailable(t.nowNs);
            }
            t.collectSent();
            int sent = 0;
            while (t.pollSent() != null) {
                sent++;
            }
            assertEquals(200, sent, "each has had its turn");
            assertFalse(t.host.tcp.hasBlocked());
        }
    }
}
