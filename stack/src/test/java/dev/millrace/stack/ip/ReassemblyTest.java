package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.PEER4;
import static dev.millrace.stack.ip.Host.PEER6;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.SECOND;
import static dev.millrace.stack.ip.Host.V4;
import static dev.millrace.stack.ip.Host.V6;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.port.LoopPort;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.Sleeper;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fragments of both families: any order, none twice, never overlapping, within a budget. */
@Rule("tcp.md: IPv4")
@Rule("tcp.md: IPv6")
class ReassemblyTest {
    private static final String SEGMENT = "198.18.0.2:1000 > 198.18.0.1:80 seq 1 len 3000";
    private final Host host = Host.settled();

    @AfterEach
    void close() {
        host.close();
    }

    /** A segment with 3000 bytes of payload in pieces of so many bytes. */
    private static List<byte[]> fragments(IpAddress source, int identification, int size) {
        byte[] whole = Frames.tcp(source, V4, 1000, 80, 3000);
        List<byte[]> frames = new ArrayList<>();
        for (int at = 0; at < whole.length; at += size) {
            int end = Math.min(whole.length, at + size);
            byte[] piece = Arrays.copyOfRange(whole, at, end);
            frames.add(Frames.v4Fragment(source, identification, IpProtocol.TCP, at, end < whole.length, piece));
        }
        return frames;
    }

    private static List<byte[]> fragments6(int size, int nextHeader) {
        byte[] whole = Frames.tcp(PEER6, V6, 1000, 80, 3000);
        List<byte[]> frames = new ArrayList<>();
        for (int at = 0; at < whole.length; at += size) {
            int end = Math.min(whole.length, at + size);
            byte[] piece = Arrays.copyOfRange(whole, at, end);
            byte[] header = Frames.fragmentHeader(nextHeader, at, end < whole.length, 99);
            frames.add(Frames.v6(PEER6, V6, IpProtocol.FRAGMENT, 64, Frames.concat(header, piece)));
        }
        return frames;
    }

    @Rule("tcp.md: IPv4")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void piecesMayComeInAnyOrder(long seed) {
        List<byte[]> frames = fragments(PEER4, 7, 480);
        Collections.shuffle(frames, new Random(seed));
        frames.forEach(host::receives);
        assertEquals(List.of(SEGMENT), host.segments);
        assertNull(host.dropped());
        assertEquals(1, host.count(Counter.PACKETS_REASSEMBLED));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void ipv6PiecesMayComeInAnyOrder(long seed) {
        List<byte[]> frames = fragments6(480, IpProtocol.TCP);
        Collections.shuffle(frames, new Random(seed));
        frames.forEach(host::receives);
        assertEquals(List.of("fd00:18::2:1000 > fd00:18::1:80 seq 1 len 3000"), host.segments);
        assertNull(host.dropped());
    }

    @Test
    void aPieceThatComesTwiceIsIgnored() {
        List<byte[]> frames = fragments(PEER4, 7, 1480);
        host.receives(frames.get(0));
        host.receives(frames.get(0));
        host.receives(frames.get(1));
        host.receives(frames.get(2));
        assertEquals(List.of(SEGMENT), host.segments);
        assertEquals(Counter.DROP_FRAGMENT_DUPLICATE, host.dropped());
    }

    @Rule("tcp.md: IPv4")
    @Test
    void anOverlapVoidsThePacketAndAllThatStillComesOfIt() {
        List<byte[]> frames = fragments(PEER4, 7, 1480);
        host.receives(frames.get(0));
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, 1472, true, new byte[16]));
        frames.forEach(host::receives);
        assertEquals(List.of(), host.segments);
        assertEquals(Counter.DROP_FRAGMENT_OVERLAP, host.dropped());
        assertEquals(5, host.drops(), "each frame once");
        host.runFor(61 * SECOND);
        frames.forEach(host::receives);
        assertEquals(List.of(SEGMENT), host.segments);
    }

    @Test
    void anIpv6OverlapVoidsThePacket() {
        List<byte[]> frames = fragments6(1200, IpProtocol.TCP);
        host.receives(frames.get(0));
        byte[] header = Frames.fragmentHeader(IpProtocol.TCP, 1192, true, 99);
        host.receives(Frames.v6(PEER6, V6, IpProtocol.FRAGMENT, 64, Frames.concat(header, new byte[16])));
        host.receives(frames.get(1));
        host.receives(frames.get(2));
        assertEquals(List.of(), host.segments);
        assertEquals(4, host.count(Counter.DROP_FRAGMENT_OVERLAP));
    }

    @Test
    void twoEndsVoidThePacket() {
        List<byte[]> frames = fragments(PEER4, 7, 1480);
        host.receives(frames.get(2));
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, 4000, false, new byte[16]));
        host.receives(frames.get(0));
        host.receives(frames.get(1));
        assertEquals(List.of(), host.segments);
        assertEquals(4, host.count(Counter.DROP_FRAGMENT_OVERLAP));
    }

    @Test
    void aPacketLongerThanPacketsCanBeIsVoid() {
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, 65_528, false, new byte[8]));
        host.receives(Frames.v4Fragment(PEER4, 8, IpProtocol.TCP, 65_528, false, new byte[7]));
        assertEquals(1, host.drops());
        assertEquals(Counter.DROP_FRAGMENT_OVERLAP, host.dropped());
    }

    /** The pieces are not longer than a packet; with the header, the whole is. */
    @Test
    void aWholeLongerThanPacketsCanBeIsNotMade() {
        int size = 21_840;
        for (int at = 0; at < 3 * size; at += size) {
            host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, at, true, new byte[size]));
        }
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, 3 * size, false, new byte[10]));
        assertEquals(0, host.count(Counter.PACKETS_REASSEMBLED));
        assertEquals(Counter.DROP_FRAGMENT_MALFORMED, host.dropped());
        assertEquals(4, host.drops(), "each piece counts");
    }

    @Test
    void aMiddlePieceIsAMultipleOfEightBytes() {
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, 0, true, new byte[9]));
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, 8, true, new byte[0]));
        assertEquals(Counter.DROP_FRAGMENT_MALFORMED, host.dropped());
        assertEquals(2, host.drops());
    }

    @Test
    void whatIsNotWholeInTimeIsDroppedAndReported() {
        host.receives(Frames.arp(ArpPacket.REQUEST, PEER_MAC, PEER4, 0, V4));
        host.port.sent.clear();
        byte[] piece = Frames.v4Fragment(PEER4, 7, IpProtocol.UDP, 0, true, new byte[1480]);
        host.receives(piece);
        host.runFor(29 * SECOND);
        assertEquals(0, host.drops());
        host.runFor(2 * SECOND);
        assertEquals(Counter.DROP_FRAGMENT_TIMEOUT, host.dropped());
        byte[] answer = host.port.sent.get(0);
        assertEquals(Icmpv4Message.TIME_EXCEEDED, answer[Frames.V4_PAYLOAD]);
        assertEquals(Icmpv4Message.REASSEMBLY_TIME, answer[Frames.V4_PAYLOAD + 1]);
    }

    @Test
    void whatNeverHadABeginningIsDroppedWithoutAReport() {
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.UDP, 1480, true, new byte[1480]));
        host.runFor(31 * SECOND);
        assertEquals(Counter.DROP_FRAGMENT_TIMEOUT, host.dropped());
        assertEquals(List.of(), host.port.sent);
    }

    @Test
    @Rule("tcp.md: out-of-order flood, fragment flood")
    void oneSourceCannotCrowdOutOthers() {
        List<byte[]> frames = fragments(Host.OTHER4, 7, 1480);
        host.receives(frames.get(0));
        for (int i = 0; i < 1000; i++) {
            host.receives(fragments(PEER4, 100 + i, 1480).get(1));
            host.nowNs++;
        }
        host.receives(frames.get(1));
        host.receives(frames.get(2));
        assertEquals(List.of("198.18.0.3:1000 > 198.18.0.1:80 seq 1 len 3000"), host.segments);
        assertEquals(996, host.count(Counter.DROP_FRAGMENT_BUDGET));
    }

    @Rule("tcp.md: out-of-order flood, fragment flood")
    @Test
    @Rule("tcp.md: out-of-order flood, fragment flood")
    void manySourcesShareTheBudgetAndTheNewestStay() {
        for (int i = 0; i < 100; i++) {
            IpAddress source = IpAddress.v4(PEER4.v4Bits() + 1 + i);
            host.receives(fragments(source, 7, 1480).get(0));
            host.nowNs++;
        }
        assertEquals(84, host.count(Counter.DROP_FRAGMENT_BUDGET));
        IpAddress last = IpAddress.v4(PEER4.v4Bits() + 100);
        List<byte[]> frames = fragments(last, 7, 1480);
        host.receives(frames.get(1));
        host.receives(frames.get(2));
        assertEquals(1, host.segments.size());
    }

    @Rule("tcp.md: out-of-order flood, fragment flood")
    @Test
    @Rule("tcp.md: out-of-order flood, fragment flood")
    void tinyPiecesEndAtALimit() {
        for (int i = 0; i < 200; i++) {
            host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.TCP, i * 8, true, new byte[8]));
        }
        assertEquals(Datagram.MAX_PIECES + 1, host.count(Counter.DROP_FRAGMENT_BUDGET));
        assertEquals(200, host.drops());
    }

    @Test
    void anEchoTooLargeToAnswerIsIgnored() {
        byte[] echo = Frames.icmp(Icmpv4Message.ECHO_REQUEST, 0, 1, new byte[1992]);
        host.receives(Frames.v4Fragment(PEER4, 7, IpProtocol.ICMP, 0, true, Arrays.copyOf(echo, 1480)));
        host.receives(
                Frames.v4Fragment(PEER4, 7, IpProtocol.ICMP, 1480, false, Arrays.copyOfRange(echo, 1480, echo.length)));
        assertEquals(Counter.DROP_ICMP_IGNORED, host.dropped());
    }

    @Test
    void fragmentedNeighbourDiscoveryIsIgnored() {
        byte[] body = Frames.neighborBody(V6, NeighborMessage.SOURCE_LINK_LAYER, PEER_MAC);
        byte[] message = Frames.icmp6(PEER6, V6, 135, 0, 0, body);
        byte[] header = Frames.fragmentHeader(IpProtocol.ICMPV6, 0, false, 1);
        host.receives(Frames.v6(PEER6, V6, IpProtocol.FRAGMENT, 255, Frames.concat(header, message)));
        assertEquals(Counter.DROP_ICMP_IGNORED, host.dropped());
    }

    @Test
    void aPacketThatIsItsOnlyFragmentNeedsNoReassembly() {
        byte[] header = Frames.fragmentHeader(IpProtocol.TCP, 0, false, 1);
        byte[] segment = Frames.tcp(PEER6, V6, 1000, 80, 3);
        host.receives(Frames.v6(PEER6, V6, IpProtocol.FRAGMENT, 64, Frames.concat(header, segment)));
        assertEquals(1, host.segments.size());
        assertEquals(0, host.count(Counter.PACKETS_REASSEMBLED));
    }

    @Test
    void congestionMarkedOnOnePieceIsMarkedOnTheWhole() {
        List<byte[]> frames = fragments(PEER4, 7, 1480);
        List<Integer> marks = new ArrayList<>();
        for (int[] ecn : new int[][] {{2, 3, 2}, {0, 3, 0}, {2, 2, 2}}) {
            int before = host.segments.size();
            for (int i = 0; i < 3; i++) {
                int mark = ecn[i];
                host.receives(Frames.patchV4(frames.get(i), at -> Memory.putByte(at + 1, mark)));
            }
            marks.add(host.segments.size() - before == 1 ? host.lastEcn : -1);
        }
        assertEquals(List.of(3, -1, 2), marks);
    }

    private record NoSleep() implements Sleeper {
        @Override
        public void await(long timeoutNs) {
            throw new AssertionError("a test does not wait");
        }

        @Override
        public void wake() {}
    }

    @Test
    void aWholePacketReachesTheShardOfItsFlow() {
        LoopPort loop = new LoopPort("lo", 2, 16_384, 256, queue -> new NoSleep());
        Host first = new Host(PortCapabilities.NONE, 1500, 0, 2, loop);
        Host second = new Host(PortCapabilities.NONE, 1500, 1, 2, loop);
        int flows = 16;
        for (int flow = 0; flow < flows; flow++) {
            byte[] whole = Frames.tcp(PEER4, V4, 1000 + flow, 80, 3000);
            byte[] head = Arrays.copyOf(whole, 1480);
            byte[] tail = Arrays.copyOfRange(whole, 1480, whole.length);
            first.receives(Frames.v4Fragment(PEER4, flow, IpProtocol.TCP, 0, true, head));
            first.receives(Frames.v4Fragment(PEER4, flow, IpProtocol.TCP, 1480, false, tail));
        }
        second.receivesLoopback(1);
        assertEquals(flows, first.segments.size() + second.segments.size());
        assertNull(first.dropped());
        assertNull(second.dropped());
        assertEquals(
                0, Collections.frequency(List.of(first.segments.size(), second.segments.size()), 0), "both had some");
        first.ip.close();
        second.close();
    }
}
