package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * 200,000 SYNs a second from forged sources for 20 seconds of virtual time, while 1,000 clients connect and 50 connections that were there
 * before exchange bytes: everybody but the attacker is served, and memory stays within the limits.
 */
@Rule("tcp.md: SYN flood")
class SynFloodTest {
    private static final long MS = 1_000_000L;
    private static final int PER_MS = 200;
    private static final int DURATION_MS = 20_000;
    private static final int CLIENTS = 1000;
    private static final int ESTABLISHED = 50;
    private static final int CLIENT_NET = 0xc612_8000;
    private static final int FLOOD_NET = 0xc613_0000;

    /** A client with an address of its own. */
    private static final class Client {
        final int iss;
        int stackIss;
        boolean open;
        long sent;
        long read;
        long echoed;

        Client(int iss) {
            this.iss = iss;
        }
    }

    private final TcpHost host = new TcpHost(Trace.STACK, TcpConfig.of(0), new SplittableRandom(42), 64 << 20);
    private final SplittableRandom random = new SplittableRandom(1);
    private final TcpSegment syn = new TcpSegment();
    private final Map<Integer, Client> clients = new HashMap<>();
    private final Map<Integer, TcpSocket> accepted = new HashMap<>();
    private final TcpListener listener = host.listen(Trace.PORT, 2 * CLIENTS);
    private final ByteBuffer buffer = ByteBuffer.allocate(4096);
    private long nowNs = 1_000 * MS;

    @Test
    void everybodyElseIsServedAndMemoryStaysBounded() {
        for (int i = 0; i < ESTABLISHED; i++) {
            connect(i);
            answer();
        }
        assertEquals(ESTABLISHED, accepted.size());
        int most = 0;
        for (int at = 0; at < DURATION_MS; at++) {
            nowNs += MS;
            for (int i = 0; i < PER_MS; i++) {
                flood();
            }
            if (at % (DURATION_MS / CLIENTS) == 5) {
                connect(ESTABLISHED + at / (DURATION_MS / CLIENTS));
            }
            if (at % 100 == 50) {
                for (int i = 0; i < ESTABLISHED; i++) {
                    say(i);
                }
            }
            answer();
            host.tcp.endOfBurst(nowNs);
            host.turn(nowNs);
            answer();
            most = Math.max(most, host.tcp.flows.size());
        }
        host.checkUnbroken();
        assertEquals(ESTABLISHED + CLIENTS, accepted.size(), "legitimate clients connected");
        for (int i = 0; i < ESTABLISHED; i++) {
            Client client = client(i);
            assertEquals(client.sent, client.read, "bytes of an established connection that arrived");
            assertEquals(client.sent, client.echoed, "and were acknowledged");
        }
        int limit = TcpConfig.of(0).handshake().maxHalfOpenPerListener();
        assertTrue(most <= limit + ESTABLISHED + CLIENTS, "flows " + most);
        long beyond = (long) PER_MS * DURATION_MS + CLIENTS - limit;
        assertTrue(
                host.count(Counter.TCP_SYN_COOKIES_SENT) > beyond - 100,
                "all but the first ones, and those that happen to repeat one of them, were answered with cookies");
        assertEquals(CLIENTS - 1, host.count(Counter.TCP_SYN_COOKIES_RECEIVED), "one came before the table was full");
        assertEquals(
                0,
                host.count(Counter.TCP_RETRANSMITTED_SEGMENTS) - (long) limit * repeatsWithin(DURATION_MS),
                "only SYN+ACKs of the entries were repeated");
        host.close();
    }

    /** SYN+ACK retransmissions of an entry within that time: after 1, 3, 7, 15, 31 s. */
    private static int repeatsWithin(int durationMs) {
        int repeats = 0;
        for (long at = 1000; at < durationMs; at = 2 * at + 1000) {
            repeats++;
        }
        return repeats;
    }

    private Client client(int number) {
        Client client = clients.get(number);
        assertNotNull(client);
        return client;
    }

    private void flood() {
        syn.sourceHigh = 0;
        syn.sourceLow = IpAddress.v4(FLOOD_NET | random.nextInt(1 << 16)).low();
        syn.destinationHigh = Trace.STACK.high();
        syn.destinationLow = Trace.STACK.low();
        syn.sourcePort = 1 + random.nextInt(65_535);
        syn.destinationPort = Trace.PORT;
        syn.sequence = random.nextInt();
        syn.acknowledgment = 0;
        syn.flags = TcpSegment.SYN;
        syn.window = 65_535;
        syn.payloadLength = 0;
        syn.mss = 1460;
        syn.sackPermitted = true;
        syn.windowScale = 7;
        syn.hasTimestamp = true;
        syn.timestampValue = 1;
        host.tcp.onSegment(syn, nowNs);
    }

    private void connect(int number) {
        Client client = new Client(random.nextInt());
        clients.put(number, client);
        Segment segment = new Segment();
        segment.flags = TcpSegment.SYN;
        segment.sequence = client.iss;
        segment.mss = 1460;
        send(number, segment);
    }

    /** A byte more of the client's stream. */
    private void say(int number) {
        Client client = client(number);
        client.sent++;
        Segment segment = new Segment();
        segment.flags = TcpSegment.ACK | TcpSegment.PSH;
        segment.sequence = client.iss + (int) client.sent;
        segment.acknowledgment = client.stackIss + 1;
        segment.payload = new byte[] {1};
        send(number, segment);
        TcpSocket connection = accepted.get(number);
        assertNotNull(connection);
        client.read += Math.max(0, connection.read(buffer, 0, 4096));
    }

    private void send(int number, Segment segment) {
        segment.sourcePort = 40_000;
        segment.destinationPort = Trace.PORT;
        IpAddress from = IpAddress.v4(CLIENT_NET | number);
        host.receive(new TcpHost.Wire(from, Trace.STACK, segment.toBytes(), SegmentOutput.Kind.DATA, nowNs), nowNs);
    }

    /** What clients do with what the stack has sent; the forged sources do not exist. */
    private void answer() {
        host.tcp.endOfBurst(nowNs);
        for (TcpHost.Wire wire = host.sent.poll(); wire != null; wire = host.sent.poll()) {
            int destination = wire.destination().v4Bits();
            if ((destination & 0xffff_8000) == CLIENT_NET) {
                onSegment(destination & 0x7fff, Segment.parse(wire));
            }
        }
    }

    private void onSegment(int number, Segment segment) {
        Client client = client(number);
        if (!segment.has(TcpSegment.SYN)) {
            assertEquals(TcpSegment.ACK, segment.flags, "nothing but acknowledgments");
            client.echoed = Integer.toUnsignedLong(segment.acknowledgment - client.iss - 1);
            return;
        }
        assertTrue(!client.open, "SYN+ACK once only");
        client.open = true;
        client.stackIss = segment.sequence;
        Segment ack = new Segment();
        ack.flags = TcpSegment.ACK;
        ack.sequence = client.iss + 1;
        ack.acknowledgment = segment.sequence + 1;
        send(number, ack);
        TcpSocket connection = listener.accept();
        assertNotNull(connection, "client " + number);
        accepted.put(number, connection);
    }
}
