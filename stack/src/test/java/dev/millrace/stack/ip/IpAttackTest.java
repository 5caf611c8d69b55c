package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.MAC;
import static dev.millrace.stack.ip.Host.PEER4;
import static dev.millrace.stack.ip.Host.PEER6;
import static dev.millrace.stack.ip.Host.PEER_LINK_LOCAL6;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.V4;
import static dev.millrace.stack.ip.Host.V6;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What somebody on the link can try with many frames, or with few that are not what they seem. */
class IpAttackTest {
    private static final IpAddress ALL_NODES = Host.ip("ff02::1");

    private final Host host = Host.settled();

    @AfterEach
    void close() {
        assertEquals(0, host.count(Counter.CORE_INVARIANT_BROKEN));
        host.close();
    }

    private boolean reaches(IpAddress local, IpAddress remote) {
        int before = host.port.sent.size();
        assertTrue(host.sends(local, remote, 1000, 1, Kind.DATA));
        host.ip.flush();
        byte[] frame = host.port.sent.get(before);
        return Frames.destinationMac(frame) == PEER_MAC && frame.length == 14 + (local.isV4() ? 20 : 40) + 21;
    }

    // ---- neighbours ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    void aFloodOfNeighboursForgetsNoneThatIsInUse(boolean v4) {
        host.receives(Frames.arp(ArpPacket.REQUEST, PEER_MAC, PEER4, 0, V4));
        host.receives(Frames.solicitation(PEER6, V6, PEER_MAC));
        assertTrue(reaches(V4, PEER4) && reaches(V6, PEER6));
        host.port.sent.clear();
        for (int i = 0; i < 20_000; i++) {
            long mac = 0x06_00_00_00_00_00L + i;
            if (v4) {
                IpAddress asker = IpAddress.v4(V4.v4Bits() - 1 + 10 + i % 240);
                host.receives(Frames.arp(ArpPacket.REQUEST, mac, asker, 0, V4));
            } else {
                host.receives(Frames.solicitation(new IpAddress(V6.high(), 0x1_0000L + i), V6, mac));
            }
            host.port.sent.clear();
        }
        assertTrue(reaches(V4, PEER4) && reaches(V6, PEER6));
        if (!v4) {
            assertTrue(host.count(Counter.NEIGHBORS_EVICTED) > 18_000);
        }
    }

    @Test
    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    void packetsToNobodyFillNeitherTableNorPool() {
        host.receives(Frames.solicitation(PEER6, V6, PEER_MAC));
        assertTrue(reaches(V6, PEER6));
        for (int i = 0; i < 5000; i++) { // as answers to forged senders on the link would be
            host.sends(V6, new IpAddress(V6.high(), 0x1_0000L + i), 1000, 1, Kind.CONTROL);
            host.ip.flush();
        }
        assertTrue(host.port.packetsInUse() <= WaitingPackets.MAX_WAITING, "in use " + host.port.packetsInUse());
        assertTrue(reaches(V6, PEER6));
        host.runFor(10 * Host.SECOND);
        assertEquals(0, host.port.packetsInUse());
    }

    @Test
    @Rule("tcp.md: ARP, ND")
    void aRedirectChangesNoPath() {
        host.receives(Frames.solicitation(PEER6, V6, PEER_MAC));
        byte[] targets = new byte[32]; // target and destination
        System.arraycopy(Host.ip("fd00:18::66").bytes(), 0, targets, 0, 16);
        System.arraycopy(PEER6.bytes(), 0, targets, 16, 16);
        byte[] message = Frames.icmp6(PEER_LINK_LOCAL6, V6, 137, 0, 0, targets);
        host.receives(Frames.v6(PEER_LINK_LOCAL6, V6, IpProtocol.ICMPV6, 255, message));
        assertEquals(1, host.count(Counter.DROP_ICMP_IGNORED));
        assertTrue(reaches(V6, PEER6));
        host.receives(Frames.arp(ArpPacket.REQUEST, PEER_MAC, PEER4, 0, V4));
        byte[] quoted = new byte[28];
        quoted[0] = 0x45;
        int other = Host.OTHER4.v4Bits();
        host.receives(Frames.v4(PEER4, V4, IpProtocol.ICMP, Frames.icmp(5, 1, other, quoted)));
        assertEquals(2, host.count(Counter.DROP_ICMP_IGNORED));
        assertTrue(reaches(V4, PEER4));
    }

    // ---- errors that nobody may be sent ----

    private static byte[] unknown4(IpAddress source, IpAddress destination, long mac) {
        return Frames.v4(mac, PEER_MAC, source, destination, 99, new byte[8]);
    }

    static Stream<Arguments> unanswerable() {
        byte[] udp6 = Frames.udp(PEER6, ALL_NODES, new byte[4]);
        byte[] quoted = Frames.v4(V4, PEER4, 99, new byte[8]);
        byte[] packet = new byte[quoted.length - 14];
        System.arraycopy(quoted, 14, packet, 0, packet.length);
        byte[] error = Frames.icmp(3, 2, 0, packet);
        IpAddress broadcast = Host.ip("198.18.0.255");
        return Stream.of(
                Arguments.of("a broadcast", unknown4(PEER4, broadcast, EthernetHeader.BROADCAST)),
                Arguments.of("an IPv4 group", unknown4(PEER4, Host.ip("224.0.0.1"), 0x0100_5e00_0001L)),
                Arguments.of("a broadcast frame", unknown4(PEER4, V4, EthernetHeader.BROADCAST)),
                Arguments.of("a sender that is a broadcast", unknown4(broadcast, V4, MAC)),
                Arguments.of("a sender that is a group", unknown4(Host.ip("224.0.0.9"), V4, MAC)),
                Arguments.of("a sender that is loopback", unknown4(Host.ip("127.0.0.1"), V4, MAC)),
                Arguments.of("no sender", unknown4(IpAddress.ANY4, V4, MAC)),
                Arguments.of("an ICMP error", Frames.v4(PEER4, V4, IpProtocol.ICMP, error)),
                Arguments.of("a fragment but the first", Frames.v4Fragment(PEER4, 7, 99, 8, false, new byte[8])),
                Arguments.of("an IPv6 group", Frames.v6(PEER6, ALL_NODES, IpProtocol.UDP, 64, udp6)),
                Arguments.of("no IPv6 sender", Frames.v6(IpAddress.ANY6, V6, 99, 64, new byte[8])));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unanswerable")
    @Rule("tcp.md: ICMP")
    void isNeverAnsweredWithAnError(String about, byte[] frame) {
        host.receives(Frames.arp(ArpPacket.REQUEST, PEER_MAC, PEER4, 0, V4));
        host.receives(Frames.solicitation(PEER6, V6, PEER_MAC));
        assertEquals(List.of(), host.receives(frame), about);
        assertEquals(0, host.count(Counter.ICMP_ERRORS_SENT));
        host.runFor(100 * Host.SECOND); // reassembly gives up
        assertEquals(0, host.count(Counter.ICMP_ERRORS_SENT));
    }

    // ---- fragments ----

    @Test
    @Rule("tcp.md: out-of-order flood, fragment flood")
    void aFloodOfFragmentsEndsWithItsTimeAndOthersAreServedMeanwhile() {
        for (int i = 0; i < 10_000; i++) {
            IpAddress source = IpAddress.v4(0xcb007100 | i & 0xff); // 203.0.113.x, behind the gateway
            host.receives(Frames.v4Fragment(source, i, IpProtocol.TCP, i % 100 * 8, true, new byte[8]));
        }
        byte[] segment = Frames.tcp(PEER4, V4, 1000, 80, 100);
        byte[] first = java.util.Arrays.copyOf(segment, 64);
        byte[] rest = java.util.Arrays.copyOfRange(segment, 64, segment.length);
        host.receives(Frames.v4Fragment(PEER4, 1, IpProtocol.TCP, 0, true, first));
        host.receives(Frames.v4Fragment(PEER4, 1, IpProtocol.TCP, 64, false, rest));
        assertEquals(1, host.segments.size(), "the newest come through");
        host.runFor(31 * Host.SECOND);
        long accounted = host.count(Counter.DROP_FRAGMENT_BUDGET)
                + host.count(Counter.DROP_FRAGMENT_TIMEOUT)
                + host.count(Counter.DROP_FRAGMENT_DUPLICATE)
                + host.count(Counter.DROP_FRAGMENT_OVERLAP);
        assertEquals(10_000, accounted, "each is dropped for a reason");
    }
}
