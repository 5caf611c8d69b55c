package dev.millrace.stack.udp;

import static dev.millrace.stack.udp.Pair.A4;
import static dev.millrace.stack.udp.Pair.A6;
import static dev.millrace.stack.udp.Pair.B4;
import static dev.millrace.stack.udp.Pair.B6;
import static dev.millrace.stack.udp.Pair.bind;
import static dev.millrace.stack.udp.Pair.content;
import static dev.millrace.stack.udp.Pair.count;
import static dev.millrace.stack.udp.Pair.send;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.DatagramQueue;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.UdpHeader;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Datagram sockets of two stacks that a cable joins (RFC 768, 1122 §4.1, 8085). */
@Rule("tcp.md: UDP")
class UdpTest {
    private Pair p = new Pair(1);

    @AfterEach
    void close() {
        p.close();
    }

    private void shards(int shards) {
        p.close();
        p = new Pair(shards);
    }

    // ---- there and back ----

    @ParameterizedTest
    @CsvSource({"1, 0", "1, 1", "1, 1472", "2, 9", "3, 100"})
    void aDatagramReachesTheSocketThatHasThePort(int shards, int length) {
        shards(shards);
        for (boolean v4 : new boolean[] {true, false}) {
            UdpSocket server = bind(p.b, v4 ? B4 : B6, 53);
            UdpSocket client = bind(p.a, v4 ? IpAddress.ANY4 : IpAddress.ANY6, 0);
            assertEquals(length, send(client, content(length, 1), v4 ? B4 : B6, 53));
            p.turn(4);
            assertNotEquals(0, server.readiness() & UdpSocket.READABLE);
            assertArrayEquals(content(length, 1), p.receive(server));
            assertEquals(v4 ? A4 : A6, p.sender());
            assertEquals(client.localPort(), p.from.remotePort);
            assertEquals(53, p.from.localPort);
            assertEquals(0, server.readiness() & UdpSocket.READABLE);
            assertEquals(length, send(server, content(length, 2), p.sender(), p.from.remotePort));
            p.turn(4);
            assertArrayEquals(content(length, 2), p.receive(client));
            assertNull(p.receive(client));
            client.close();
            server.close();
        }
        p.turn(2);
        assertEquals(0, Pair.chunksInUse(p.a) + Pair.chunksInUse(p.b), "closed sockets hold no memory");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aHostReachesItself(int shards) {
        shards(shards);
        IpAddress localhost = Pair.ip("127.0.0.1");
        UdpSocket server = bind(p.a, IpAddress.ANY6, 53);
        UdpSocket client = bind(p.a, IpAddress.ANY6, 0);
        for (IpAddress to : new IpAddress[] {localhost, A4, A6, Pair.ip("::1")}) {
            send(client, content(40_000, 3), to, 53);
            p.turn(4);
            assertArrayEquals(content(40_000, 3), p.receive(server), () -> "to " + to);
            assertEquals(to, p.sender());
        }
        assertTrue(p.cable.a.sent.isEmpty());
    }

    @Test
    void whatDoesNotFitTheReadersBufferIsDiscarded() {
        UdpSocket server = bind(p.b, B4, 53);
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(100, 1), B4, 53);
        send(client, content(5, 2), B4, 53);
        p.turn(4);
        ByteBuffer small = ByteBuffer.allocate(20);
        assertEquals(10, server.receive(small, 4, 10, p.from));
        assertEquals(100, p.from.length);
        assertArrayEquals(content(10, 1), Arrays.copyOfRange(small.array(), 4, 14));
        assertEquals(0, small.array()[14]);
        assertArrayEquals(content(5, 2), p.receive(server));
    }

    @Test
    void datagramsFromEveryShardReachOneSocket() {
        shards(4);
        UdpSocket server = bind(p.b, B4, 53);
        Set<Integer> expected = new HashSet<>();
        for (int i = 0; i < 64; i++) {
            UdpSocket client = bind(p.a, A4, 0);
            expected.add(client.localPort());
            send(client, content(8, i), B4, 53);
        }
        p.turn(6);
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < 64; i++) {
            byte[] bytes = p.receive(server);
            assertTrue(bytes != null && bytes.length == 8, "datagram " + i);
            seen.add(p.from.remotePort);
        }
        assertEquals(expected, seen);
        long busiest = 0;
        for (int shard = 0; shard < 4; shard++) {
            busiest = Math.max(busiest, p.b.core(shard).counters().get(Counter.UDP_IN_DATAGRAMS));
        }
        assertTrue(busiest < 50, "the hash spreads them; the busiest had " + busiest);
    }

    @Test
    void oneFlowKeepsItsOrder() {
        shards(3);
        UdpSocket server = bind(p.b, B4, 53);
        UdpSocket client = bind(p.a, A4, 0);
        for (int i = 0; i < 200; i++) {
            send(client, new byte[] {(byte) i}, B4, 53);
        }
        p.turn(6);
        for (int i = 0; i < 200; i++) {
            assertArrayEquals(new byte[] {(byte) i}, p.receive(server));
        }
    }

    // ---- sizes ----

    private static boolean isV4(byte[] frame) {
        return frame[12] == 8 && frame[13] == 0;
    }

    private static int flagsAndOffset(byte[] frame) {
        return (frame[20] & 0xff) << 8 | (frame[21] & 0xff);
    }

    @Test
    void whatThePathTakesMayNotBeFragmentedOnItsWay() {
        send(bind(p.a, A4, 0), content(1472, 1), B4, 53);
        p.turn(4);
        byte[] frame = p.cable.a.sent.getLast();
        assertTrue(isV4(frame));
        assertEquals(Ipv4Header.DONT_FRAGMENT, flagsAndOffset(frame));
    }

    @ParameterizedTest
    @CsvSource({
        "1, true, 1473",
        "1, false, 1453",
        "1, true, 65507",
        "2, true, 65507",
        "1, false, 65527",
        "2, false, 65527"
    })
    void whatItDoesNotTakeIsSentInFragments(int shards, boolean v4, int length) {
        shards(shards);
        UdpSocket server = bind(p.b, IpAddress.ANY6, 53);
        UdpSocket client = bind(p.a, IpAddress.ANY6, 0);
        send(client, content(length, 1), v4 ? B4 : B6, 53);
        p.turn(8);
        assertArrayEquals(content(length, 1), p.receive(server));
        int fragments = 0;
        for (byte[] frame : p.cable.a.sent) {
            assertTrue(frame.length <= 14 + Cable.MTU);
            boolean fragment = isV4(frame)
                    ? (flagsAndOffset(frame) & ~Ipv4Header.DONT_FRAGMENT) != 0
                    : frame[20] == IpProtocol.FRAGMENT;
            fragments += fragment ? 1 : 0;
        }
        int each = v4 ? 1480 : 1448;
        assertEquals((length + UdpHeader.BYTES + each - 1) / each, fragments);
        assertEquals(1, count(p.a, Counter.UDP_OUT_FRAGMENTED));
    }

    @Test
    void noDatagramIsLongerThanItsLengthFieldsAllow() {
        UdpSocket client = bind(p.a, IpAddress.ANY6, 0);
        assertEquals(UdpSocket.TOO_LONG, send(client, new byte[65_508], B4, 53));
        assertEquals(UdpSocket.TOO_LONG, send(client, new byte[65_528], B6, 53));
    }

    @Test
    void withFragmentsForbiddenALargeDatagramIsRefused() {
        UdpOptions options = new UdpOptions();
        options.dontFragment = true;
        UdpSocket client = bind(p.a, A4, 0, options);
        assertEquals(1473, send(client, new byte[1473], B4, 53)); // the path is not known yet
        p.turn(2);
        assertEquals(TcpError.MESSAGE_TOO_LONG, client.takeError());
        assertEquals(TcpError.NONE, client.takeError());
        assertEquals(1, count(p.a, Counter.UDP_SEND_TOO_BIG));
        p.connect(p.a, client, B4, 53);
        send(client, new byte[1], B4, 53);
        p.turn(2);
        assertEquals(UdpSocket.TOO_LONG, send(client, new byte[1473], B4, 53));
        assertEquals(1472, send(client, new byte[1472], B4, 53));
    }

    // ---- errors ----

    @ParameterizedTest
    @CsvSource({"1, true", "2, true", "3, true", "1, false", "2, false"})
    void aConnectedSocketHearsThatNobodyHasThePort(int shards, boolean v4) {
        shards(shards);
        UdpSocket client = bind(p.a, IpAddress.ANY6, 0);
        p.connect(p.a, client, v4 ? B4 : B6, 53);
        assertEquals(v4 ? A4 : A6, client.localAddress());
        send(client, content(10, 1), v4 ? B4 : B6, 53);
        p.turn(6);
        assertEquals(UdpSocket.FAILED, client.readiness() & UdpSocket.FAILED);
        assertEquals(TcpError.CONNECTION_REFUSED, client.takeError());
        assertEquals(0, client.readiness() & UdpSocket.FAILED);
        assertEquals(1, count(p.b, Counter.DROP_UDP_NO_PORT));
    }

    @Test
    void anUnconnectedSocketDoesNot() {
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(10, 1), B4, 53);
        p.turn(6);
        assertEquals(TcpError.NONE, client.takeError());
        assertEquals(1, count(p.b, Counter.ICMP_ERRORS_SENT));
    }

    @Test
    void anErrorAboutAnotherPeerIsNotHeard() {
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(10, 1), B4, 53);
        p.connect(p.a, client, B4, 54);
        p.turn(6);
        assertEquals(TcpError.NONE, client.takeError());
    }

    @Test
    @Rule("tcp.md: ICMP")
    void refusalsAreLimited() {
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(1, 1), B4, 53);
        p.turn(4);
        p.nowNs -= 3_000_000;
        for (int i = 0; i < 1000; i++) {
            send(client, content(1, 1), B4, 53);
        }
        p.turn(10);
        assertEquals(1001, count(p.b, Counter.DROP_UDP_NO_PORT));
        assertTrue(count(p.b, Counter.ICMP_ERRORS_SENT) < 100, "sent " + count(p.b, Counter.ICMP_ERRORS_SENT));
        assertTrue(count(p.b, Counter.ICMP_ERRORS_WITHHELD) > 900);
    }

    @Test
    void withoutARouteTheSocketHearsOfIt() {
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(1, 1), Pair.ip("203.0.113.1"), 53);
        p.turn(2);
        assertEquals(TcpError.NETWORK_UNREACHABLE, client.takeError());
    }

    // ---- path MTU ----

    /** What a router says about a frame that it cannot forward. */
    private static byte[] tooBig(byte[] frame, int mtu) {
        int quoted = Math.min(frame.length - 14, 200);
        return isV4(frame) ? tooBigV4(frame, quoted, mtu) : tooBigV6(frame, quoted, mtu);
    }

    private static byte[] bytes(int length, LongConsumer writer) {
        try (Arena arena = Arena.ofConfined()) {
            long at = arena.allocate(length).address();
            writer.accept(at);
            byte[] made = new byte[length];
            Memory.copy(at, made, 0, length);
            return made;
        }
    }

    private static byte[] tooBigV4(byte[] frame, int quoted, int mtu) {
        return bytes(14 + 28 + quoted, at -> {
            EthernetHeader.write(at, 0x02_00_00_00_0a_01L, 0x02_00_00_00_0b_01L, EthernetHeader.TYPE_IPV4);
            Ipv4Header.write(at + 14, 0, 28 + quoted, 64, IpProtocol.ICMP, B4.v4Bits(), A4.v4Bits());
            Memory.copy(frame, 14, at + 42, quoted);
            Icmpv4Message.write(at + 34, Icmpv4Message.DESTINATION_UNREACHABLE, 4, mtu, 8 + quoted);
        });
    }

    private static byte[] tooBigV6(byte[] frame, int quoted, int mtu) {
        return bytes(14 + 48 + quoted, at -> {
            EthernetHeader.write(at, 0x02_00_00_00_0a_01L, 0x02_00_00_00_0b_01L, EthernetHeader.TYPE_IPV6);
            long high = A6.high();
            Ipv6Header.write(at + 14, 0, 0, 8 + quoted, IpProtocol.ICMPV6, 64, high, B6.low(), high, A6.low());
            Memory.copy(frame, 14, at + 62, quoted);
            int type = Icmpv6Message.PACKET_TOO_BIG;
            Icmpv6Message.write(at + 54, type, 0, mtu, 8 + quoted, high, B6.low(), high, A6.low());
        });
    }

    @ParameterizedTest
    @CsvSource({"1, true", "4, true", "1, false", "4, false"})
    @Rule("tcp.md: Path MTU")
    void whatARouterCannotForwardIsSentInFragmentsFromThenOn(int shards, boolean v4) {
        shards(shards);
        UdpSocket server = bind(p.b, IpAddress.ANY6, 53);
        int heard = 0;
        for (int i = 0; i < 6; i++) { // homes on each of the shards, which have paths of their own
            UdpSocket client = bind(p.a, IpAddress.ANY6, 0);
            p.connect(p.a, client, v4 ? B4 : B6, 53);
            send(client, content(1400, 1), v4 ? B4 : B6, 53);
            p.turn(6);
            assertArrayEquals(content(1400, 1), p.receive(server));
            byte[] last = p.cable.a.sent.getLast();
            if (last.length > 14 + 1300) {
                p.cable.a.arrives(tooBig(last, 1300));
                p.turn(4);
                assertEquals(TcpError.MESSAGE_TOO_LONG, client.takeError());
                heard++;
            }
            p.cable.a.sent.clear();
            send(client, content(1400, 2), v4 ? B4 : B6, 53);
            p.turn(6);
            assertArrayEquals(content(1400, 2), p.receive(server));
            assertTrue(p.cable.a.sent.stream().allMatch(frame -> frame.length <= 14 + 1300));
        }
        assertEquals(shards, heard);
    }

    // ---- who receives ----

    @Test
    void aConnectedSocketReceivesFromItsPeerAlone() {
        UdpSocket server = bind(p.b, IpAddress.ANY4, 53);
        UdpSocket client = bind(p.a, A4, 1000);
        UdpSocket stranger = bind(p.a, A4, 1001);
        p.connect(p.b, server, A4, 1000);
        send(stranger, content(3, 1), B4, 53);
        send(client, content(3, 2), B4, 53);
        p.turn(6);
        assertArrayEquals(content(3, 2), p.receive(server));
        assertNull(p.receive(server));
        assertEquals(1, count(p.b, Counter.DROP_UDP_NO_PORT));
        server.connect(null);
        send(stranger, content(3, 3), B4, 53);
        p.turn(4);
        assertArrayEquals(content(3, 3), p.receive(server));
    }

    @Test
    void aClosedSocketReceivesNothing() {
        UdpSocket server = bind(p.b, B4, 53);
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(3, 1), B4, 53);
        p.turn(4);
        server.close();
        send(client, content(3, 2), B4, 53);
        p.turn(4);
        assertEquals(1, count(p.b, Counter.DROP_UDP_NO_PORT));
        assertEquals(0, Pair.chunksInUse(p.b));
        bind(p.b, B4, 53).close();
    }

    @Test
    void whatWasSentBeforeCloseStillLeaves() {
        UdpSocket server = bind(p.b, B4, 53);
        UdpSocket client = bind(p.a, A4, 0);
        for (int i = 0; i < 600; i++) {
            send(client, content(100, i), B4, 53);
        }
        client.close();
        p.turn(20);
        for (int i = 0; i < 600; i++) {
            assertArrayEquals(content(100, i), p.receive(server), "datagram " + i);
        }
        assertEquals(0, Pair.chunksInUse(p.a));
    }

    // ---- bounds ----

    @Test
    @Rule("tcp.md: tiny segments holding big buffers")
    void theReceiveBufferIsBoundedInBytesThatAreReallyHeld() {
        UdpOptions options = new UdpOptions();
        options.receiveBufferBytes = 20_000;
        UdpSocket server = bind(p.b, B4, 53, options);
        UdpSocket client = bind(p.a, A4, 0);
        for (int i = 0; i < 1000; i++) {
            send(client, content(1, i), B4, 53);
        }
        p.turn(20);
        int held = 20_000 / (DatagramQueue.HEADER_BYTES + 8) + 1;
        long dropped = count(p.b, Counter.DROP_UDP_RECEIVE_BUFFER_FULL);
        assertTrue(Math.abs(1000 - dropped - held) <= 8, "dropped " + dropped);
        assertTrue(Pair.chunksInUse(p.b) <= 6, "chunks " + Pair.chunksInUse(p.b));
        assertArrayEquals(content(1, 0), p.receive(server));
        for (int i = 0; i < 10; i++) {
            p.receive(server);
        }
        send(client, content(1, 77), B4, 53);
        p.turn(4);
        assertEquals(dropped, count(p.b, Counter.DROP_UDP_RECEIVE_BUFFER_FULL), "room again");
    }

    @Test
    void aFullSendBufferPushesBackAndTellsWhenThereIsRoom() {
        AtomicInteger told = new AtomicInteger();
        UdpSocket client = bind(p.a, A4, 0);
        client.observer(told::incrementAndGet);
        int taken = 0;
        while (send(client, content(1000, 1), B4, 53) == 1000) {
            taken++;
        }
        assertEquals(UdpOptions.DEFAULT_BUFFER_BYTES, taken * 1048, 4096);
        assertEquals(0, client.readiness() & UdpSocket.WRITABLE);
        assertEquals(0, told.get());
        p.turn(4);
        assertEquals(1, told.get());
        assertNotEquals(0, client.readiness() & UdpSocket.WRITABLE);
        assertEquals(1000, send(client, content(1000, 1), B4, 53));
    }

    @Test
    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    void withoutPacketsDatagramsWaitInTheirOrder() {
        UdpSocket server = bind(p.b, B4, 53);
        UdpSocket client = bind(p.a, A4, 0);
        send(client, content(10, 0), B4, 53);
        p.turn(4);
        p.cable.a.packets(0, 3);
        for (int i = 1; i < 10; i++) {
            send(client, content(10, i), B4, 53);
        }
        p.turn(4);
        assertTrue(count(p.a, Counter.UDP_OUTPUT_BLOCKED) > 0);
        p.cable.a.packets(0, Integer.MAX_VALUE);
        p.turn(4);
        for (int i = 0; i < 10; i++) {
            assertArrayEquals(content(10, i), p.receive(server), "datagram " + i);
        }
    }

    // ---- checksums ----

    private byte[] datagram(IpAddress source, IpAddress destination, @Nullable Integer checksum) {
        boolean v4 = source.isV4();
        int header = v4 ? 20 : 40;
        return bytes(14 + header + 12, at -> {
            int type = v4 ? EthernetHeader.TYPE_IPV4 : EthernetHeader.TYPE_IPV6;
            EthernetHeader.write(at, 0x02_00_00_00_0b_01L, 0x02_00_00_00_0a_01L, type);
            if (v4) {
                Ipv4Header.write(at + 14, 0, 32, 64, IpProtocol.UDP, source.v4Bits(), destination.v4Bits());
            } else {
                Ipv6Header.write(
                        at + 14,
                        0,
                        0,
                        12,
                        IpProtocol.UDP,
                        64,
                        source.high(),
                        source.low(),
                        destination.high(),
                        destination.low());
            }
            long udp = at + 14 + header;
            UdpHeader.write(udp, 1000, 53, 12);
            Memory.putInt(udp + 8, 0x01020304);
            if (checksum == null) {
                long sum = Checksum.pseudoHeader(source, destination, IpProtocol.UDP, 12);
                UdpHeader.writeChecksum(udp, Checksum.add(sum, udp, 12));
            } else {
                Memory.putShort(udp + 6, checksum);
            }
        });
    }

    @Test
    void aChecksumIsVerifiedAndOnlyWithIpv4MayBeMissing() {
        UdpSocket server = bind(p.b, IpAddress.ANY6, 53);
        p.cable.b.arrives(datagram(A4, B4, null));
        p.cable.b.arrives(datagram(A6, B6, null));
        p.cable.b.arrives(datagram(A4, B4, 0));
        p.turn(1);
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(new byte[] {1, 2, 3, 4}, p.receive(server));
        }
        p.cable.b.arrives(datagram(A6, B6, 0));
        p.cable.b.arrives(datagram(A4, B4, 0x1234));
        p.cable.b.arrives(datagram(A6, B6, 0x1234));
        p.turn(1);
        assertNull(p.receive(server));
        assertEquals(3, count(p.b, Counter.DROP_UDP_MALFORMED));
    }

    /** Without a checksum, as IPv4 allows, the length is all there is to go by. */
    @Test
    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    void aLengthBelowTheHeadersOrBeyondThePacketIsRefused() {
        UdpSocket server = bind(p.b, IpAddress.ANY6, 53);
        for (int length : new int[] {0, 1, 7, 13, 20, 0xffff}) {
            p.cable.b.arrives(ofLength(length));
        }
        p.turn(1);
        assertNull(p.receive(server));
        assertEquals(6, count(p.b, Counter.DROP_UDP_MALFORMED));
        p.cable.b.arrives(ofLength(8));
        p.cable.b.arrives(ofLength(10));
        p.turn(1);
        assertArrayEquals(new byte[0], p.receive(server));
        assertArrayEquals(new byte[] {1, 2}, p.receive(server), "bytes behind its length are no part of it");
    }

    /** A datagram of 12 bytes that says so many, in a frame with padding. */
    private byte[] ofLength(int length) {
        byte[] frame = Arrays.copyOf(datagram(A4, B4, 0), 60);
        frame[14 + 20 + 4] = (byte) (length >> 8);
        frame[14 + 20 + 5] = (byte) length;
        return frame;
    }
}
