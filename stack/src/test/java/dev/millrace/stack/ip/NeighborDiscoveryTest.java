package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.GATEWAY6;
import static dev.millrace.stack.ip.Host.GATEWAY_MAC;
import static dev.millrace.stack.ip.Host.LINK_LOCAL6;
import static dev.millrace.stack.ip.Host.MAC;
import static dev.millrace.stack.ip.Host.OTHER_MAC;
import static dev.millrace.stack.ip.Host.PEER6;
import static dev.millrace.stack.ip.Host.PEER_LINK_LOCAL6;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.SECOND;
import static dev.millrace.stack.ip.Host.V6;
import static dev.millrace.stack.ip.Host.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** RFC 4861, 4862, 4429, 3810 as a host speaks them. */
@Rule("tcp.md: ARP, ND")
class NeighborDiscoveryTest {
    private static final IpAddress ALL_NODES = ip("ff02::1");
    private Host host = Host.settled();

    @AfterEach
    void close() {
        host.close();
    }

    private void fresh() {
        host.close();
        host = new Host(PortCapabilities.NONE, 1500, 0, 1);
    }

    /** The ICMPv6 type of a frame, behind hop-by-hop options if there are any; −1 when it is none. */
    private static int type(byte[] frame) {
        if (Frames.type(frame) != EthernetHeader.TYPE_IPV6) {
            return -1;
        }
        int next = Frames.unsignedByte(frame, Frames.IP + 6);
        int at = next == IpProtocol.HOP_BY_HOP ? Frames.V6_PAYLOAD + 8 : Frames.V6_PAYLOAD;
        return next == IpProtocol.HOP_BY_HOP || next == IpProtocol.ICMPV6 ? Frames.unsignedByte(frame, at) : -1;
    }

    private static IpAddress source(byte[] frame) {
        return Frames.address(frame, Frames.IP + 8, 16);
    }

    private static IpAddress destination(byte[] frame) {
        return Frames.address(frame, Frames.IP + 24, 16);
    }

    private static IpAddress target(byte[] frame) {
        return Frames.address(frame, Frames.V6_PAYLOAD + 8, 16);
    }

    private static int flags(byte[] frame) {
        return Frames.unsignedByte(frame, Frames.V6_PAYLOAD + 4);
    }

    private List<byte[]> sent(int type) {
        return host.port.sent.stream().filter(frame -> type(frame) == type).toList();
    }

    // ---- answering ----

    @Test
    void answersASolicitationToTheAsker() {
        List<byte[]> answers = host.receives(Frames.solicitation(PEER6, V6, PEER_MAC));
        assertEquals(1, answers.size());
        byte[] answer = answers.get(0);
        assertEquals(Icmpv6Message.NEIGHBOR_ADVERTISEMENT, type(answer));
        assertEquals(V6, target(answer));
        assertEquals(PEER6, destination(answer));
        assertEquals(PEER_MAC, Frames.destinationMac(answer));
        assertEquals(NeighborMessage.SOLICITED | NeighborMessage.OVERRIDE, flags(answer));
        assertEquals(255, Frames.unsignedByte(answer, Frames.IP + 7));
        long told = Frames.read(
                answer,
                at -> NeighborMessage.linkLayerAddress(
                        at + Frames.V6_PAYLOAD + 24, at + answer.length, NeighborMessage.TARGET_LINK_LAYER));
        assertEquals(MAC, told);
        assertNull(host.dropped());
    }

    @Test
    void answersForTheLinkLocalAddress() {
        byte[] answer = host.receives(Frames.solicitation(PEER_LINK_LOCAL6, LINK_LOCAL6, PEER_MAC))
                .get(0);
        assertEquals(LINK_LOCAL6, target(answer));
    }

    @Test
    void tellsEverybodyWhoTriesAnAddressOfOursThatItIsTaken() {
        byte[] answer =
                host.receives(Frames.solicitation(IpAddress.ANY6, V6, 0)).get(0);
        assertEquals(ALL_NODES, destination(answer));
        assertEquals(0x3333_0000_0001L, Frames.destinationMac(answer));
        assertEquals(NeighborMessage.OVERRIDE, flags(answer));
    }

    @Test
    void asksFirstWhereAnAskerIsWhoDoesNotTell() {
        List<byte[]> frames = host.receives(Frames.solicitation(PEER6, V6, 0));
        assertEquals(1, frames.size());
        assertEquals(Icmpv6Message.NEIGHBOR_SOLICITATION, type(frames.get(0)));
        List<byte[]> released =
                host.receives(Frames.advertisement(PEER6, V6, PEER6, NeighborMessage.SOLICITED, PEER_MAC));
        assertEquals(Icmpv6Message.NEIGHBOR_ADVERTISEMENT, type(released.get(0)));
        assertEquals(PEER_MAC, Frames.destinationMac(released.get(0)));
    }

    @Test
    void anotherShardLearnsButLeavesTheAnswerToTheFirst() {
        try (Host second = new Host(PortCapabilities.NONE, 1500, 1, 2)) {
            second.settle();
            assertEquals(List.of(), second.receives(Frames.solicitation(PEER6, V6, PEER_MAC)));
            assertTrue(second.sends(V6, PEER6, 1000, 1, Kind.DATA));
            second.ip.flush();
            assertEquals(PEER_MAC, Frames.destinationMac(second.port.sent.get(0)));
        }
    }

    static Stream<Arguments> invalid() {
        byte[] hopLimit = Frames.solicitation(PEER6, V6, PEER_MAC);
        hopLimit[Frames.IP + 7] = (byte) 254;
        byte[] body = Frames.neighborBody(V6, NeighborMessage.SOURCE_LINK_LAYER, PEER_MAC);
        byte[] emptyOption = body.clone();
        emptyOption[17] = 0;
        byte[] longOption = body.clone();
        longOption[17] = 2;
        byte[] groupMac = Frames.neighborBody(V6, NeighborMessage.SOURCE_LINK_LAYER, 0x3333_0000_0001L);
        byte[] groupTarget = Frames.neighborBody(ALL_NODES, NeighborMessage.SOURCE_LINK_LAYER, PEER_MAC);
        IpAddress stranger = ip("2001:db8::5");
        return Stream.of(
                Arguments.of("a router has passed it", hopLimit),
                Arguments.of("code", solicitation(PEER6, 1, body)),
                Arguments.of("an option of length 0", solicitation(PEER6, 0, emptyOption)),
                Arguments.of("an option beyond the message", solicitation(PEER6, 0, longOption)),
                Arguments.of("too short", solicitation(PEER6, 0, new byte[15])),
                Arguments.of("a group's hardware address", solicitation(PEER6, 0, groupMac)),
                Arguments.of("a group as target", solicitation(PEER6, 0, groupTarget)),
                Arguments.of("a probe with an option", solicitation(IpAddress.ANY6, 0, body)),
                Arguments.of("an asker that is not on the link", solicitation(stranger, 0, body)),
                Arguments.of(
                        "solicited, yet to all",
                        Frames.advertisement(PEER6, ALL_NODES, PEER6, NeighborMessage.SOLICITED, PEER_MAC)));
    }

    private static byte[] solicitation(IpAddress source, int code, byte[] body) {
        IpAddress group = Frames.solicitedNode(V6);
        byte[] message = Frames.icmp6(source, group, Icmpv6Message.NEIGHBOR_SOLICITATION, code, 0, body);
        return Frames.v6(source, group, IpProtocol.ICMPV6, 255, message);
    }

    @Rule("tcp.md: ARP, ND")
    @ParameterizedTest(name = "{0}")
    @MethodSource("invalid")
    void whatBreaksTheRulesIsDropped(String rule, byte[] frame) {
        assertEquals(List.of(), host.receives(frame), rule);
        assertEquals(Counter.DROP_ND_INVALID, host.dropped());
    }

    @Rule("tcp.md: ARP, ND")
    @Test
    void aHardwareAddressOfAnotherLengthIsNotLearned() {
        byte[] body = Frames.concat(Frames.neighborBody(V6, NeighborMessage.SOURCE_LINK_LAYER, PEER_MAC), new byte[8]);
        body[17] = 2; // of 14 bytes
        host.receives(solicitation(PEER6, 0, body));
        host.port.sent.clear();
        assertTrue(host.sends(V6, PEER6, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertFalse(host.port.sent.stream().anyMatch(frame -> frame[Frames.IP + 6] == IpProtocol.TCP));
    }

    // ---- resolving ----

    @Rule("tcp.md: ARP, ND")
    @Test
    void packetsWaitForTheHardwareAddress() {
        assertTrue(host.sends(V6, PEER6, 1000, 1, Kind.DATA));
        host.ip.flush();
        byte[] question = host.port.sent.get(0);
        assertEquals(Icmpv6Message.NEIGHBOR_SOLICITATION, type(question));
        assertEquals(Frames.solicitedNode(PEER6), destination(question));
        assertEquals(0x3333_ff00_0002L, Frames.destinationMac(question));
        assertEquals(PEER6, target(question));
        List<byte[]> released =
                host.receives(Frames.advertisement(PEER6, V6, PEER6, NeighborMessage.SOLICITED, PEER_MAC));
        assertEquals(1, released.size());
        assertEquals(PEER_MAC, Frames.destinationMac(released.get(0)));
        assertEquals(0, host.port.packetsInUse());
    }

    @Test
    void anUnansweredNextHopIsReported() {
        assertTrue(host.sends(V6, PEER6, 1000, 1, Kind.CONTROL));
        host.runFor(10 * SECOND);
        assertEquals(3, sent(Icmpv6Message.NEIGHBOR_SOLICITATION).size());
        assertEquals(List.of("HOST_UNREACHABLE fd00:18::1:1000 > fd00:18::2:80 seq 7 mtu 0"), host.errors);
    }

    @Test
    void withoutOverrideAnotherHardwareAddressOnlyRaisesDoubt() {
        resolve();
        host.receives(Frames.advertisement(PEER6, ALL_NODES, PEER6, 0, OTHER_MAC));
        assertEquals(PEER_MAC, used());
        host.receives(Frames.advertisement(PEER6, ALL_NODES, PEER6, NeighborMessage.OVERRIDE, OTHER_MAC));
        assertEquals(OTHER_MAC, used());
    }

    private void resolve() {
        assertTrue(host.sends(V6, PEER6, 999, 1, Kind.DATA));
        host.receives(Frames.advertisement(PEER6, V6, PEER6, NeighborMessage.SOLICITED, PEER_MAC));
    }

    private long used() {
        assertTrue(host.sends(V6, PEER6, 1000, 1, Kind.DATA));
        host.ip.flush();
        return Frames.destinationMac(host.port.sent.getLast());
    }

    // ---- own addresses ----

    @Rule("tcp.md: IPv6")
    @Test
    void ownAddressesAreProbedOnceReportedTwiceAndAnnounced() {
        fresh();
        host.runFor(5 * SECOND);
        List<byte[]> probes = sent(Icmpv6Message.NEIGHBOR_SOLICITATION);
        assertEquals(
                List.of(V6, LINK_LOCAL6),
                probes.stream().map(NeighborDiscoveryTest::target).toList());
        for (byte[] probe : probes) {
            assertEquals(IpAddress.ANY6, source(probe));
            assertEquals(Frames.V6_PAYLOAD + 24, probe.length, "no option");
        }
        List<byte[]> reports = sent(Icmpv6Message.MULTICAST_LISTENER_REPORT_V2);
        assertEquals(2, reports.size());
        assertEquals(IpAddress.ANY6, source(reports.get(0)));
        assertEquals(LINK_LOCAL6, source(reports.get(1)));
        for (byte[] report : reports) {
            assertEquals(ip("ff02::16"), destination(report));
            assertEquals(1, Frames.unsignedByte(report, Frames.IP + 7));
            assertEquals(2, Frames.unsignedShort(report, Frames.V6_PAYLOAD + 8 + 6));
            assertEquals(Frames.solicitedNode(V6), Frames.address(report, Frames.V6_PAYLOAD + 8 + 8 + 4, 16));
        }
        List<byte[]> announced = sent(Icmpv6Message.NEIGHBOR_ADVERTISEMENT);
        assertEquals(
                List.of(V6, LINK_LOCAL6),
                announced.stream().map(NeighborDiscoveryTest::target).toList());
    }

    @Test
    void anAddressServesWhileItIsProbedButOverridesNobody() {
        fresh();
        host.runFor(SECOND / 10);
        byte[] answer = host.receives(Frames.solicitation(PEER6, V6, PEER_MAC)).get(0);
        assertEquals(NeighborMessage.SOLICITED, flags(answer));
    }

    @Test
    void whoeverAdvertisesTheProbedAddressWins() {
        fresh();
        host.runFor(SECOND / 10);
        host.receives(Frames.advertisement(V6, ALL_NODES, V6, NeighborMessage.OVERRIDE, PEER_MAC));
        assertEquals(Counter.DROP_IP_MARTIAN, host.dropped(), "from our own address: spoofed");
        host.receives(Frames.advertisement(PEER_LINK_LOCAL6, ALL_NODES, V6, NeighborMessage.OVERRIDE, PEER_MAC));
        assertEquals(1, host.count(Counter.ADDRESSES_GIVEN_UP));
        assertNull(host.ip.path(V6, PEER6));
        assertNotNull(host.ip.path(LINK_LOCAL6, PEER_LINK_LOCAL6), "the other address stays");
    }

    @Test
    void twoHostsThatProbeAtOnceBothGiveWay() {
        fresh();
        host.runFor(SECOND / 10);
        host.receives(Frames.solicitation(IpAddress.ANY6, V6, 0));
        assertEquals(1, host.count(Counter.ADDRESSES_GIVEN_UP));
    }

    @Test
    void onceSureAnAddressStays() {
        host.receives(Frames.advertisement(PEER_LINK_LOCAL6, ALL_NODES, V6, NeighborMessage.OVERRIDE, PEER_MAC));
        assertEquals(0, host.count(Counter.ADDRESSES_GIVEN_UP));
        assertEquals(Counter.DROP_ADDRESS_CONFLICT, host.dropped());
        assertNotNull(host.ip.path(V6, PEER6));
    }

    @Test
    void aListenerQueryIsAnsweredWithinItsDelay() {
        byte[] body = Frames.bytes(16, at -> Memory.zero(at, 16));
        byte[] query = Frames.icmp6(PEER_LINK_LOCAL6, ALL_NODES, 130, 0, 2000 << 16, body);
        assertEquals(List.of(), host.receives(Frames.v6(PEER_LINK_LOCAL6, ALL_NODES, IpProtocol.ICMPV6, 1, query)));
        host.runFor(2 * SECOND);
        assertEquals(1, sent(Icmpv6Message.MULTICAST_LISTENER_REPORT_V2).size());
    }

    // ---- routers ----

    private static byte[] routerAdvertisement(IpAddress source, long mac, int hopLimit, int mtu) {
        byte[] body = Frames.bytes(8 + 8 + 8, at -> {
            Memory.zero(at, 24);
            NeighborMessage.writeLinkLayerAddress(at + 8, NeighborMessage.SOURCE_LINK_LAYER, mac);
            Memory.putShort(at + 16, NeighborMessage.MTU << 8 | 1);
            Memory.putInt(at + 20, mtu);
        });
        byte[] message = Frames.icmp6(source, ALL_NODES, 134, 0, hopLimit << 24 | 1800, body);
        return Frames.v6(0x3333_0000_0001L, mac, source, ALL_NODES, IpProtocol.ICMPV6, 255, message);
    }

    @Test
    void theConfiguredGatewayIsAskedForItsParameters() {
        fresh();
        host.runFor(20 * SECOND);
        List<byte[]> solicitations = sent(Icmpv6Message.ROUTER_SOLICITATION);
        assertEquals(3, solicitations.size());
        assertEquals(LINK_LOCAL6, source(solicitations.get(0)));
        assertEquals(ip("ff02::2"), destination(solicitations.get(0)));
    }

    @Test
    void theConfiguredGatewayIsBelieved() {
        IpAddress linkLocal = OwnAddresses.linkLocal(GATEWAY_MAC);
        host.receives(Frames.solicitation(GATEWAY6, V6, GATEWAY_MAC));
        host.receives(routerAdvertisement(linkLocal, GATEWAY_MAC, 32, 1400));
        assertEquals(1400, host.ip.path(V6, ip("2001:db8::77")).mtu());
        assertTrue(host.sends(V6, ip("2001:db8::77"), 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(32, Frames.unsignedByte(host.port.sent.getLast(), Frames.IP + 7));
        assertNull(host.dropped());
    }

    @Test
    void strangersWhoCallThemselvesRoutersAreNot() {
        host.receives(routerAdvertisement(PEER_LINK_LOCAL6, PEER_MAC, 32, 1400));
        assertEquals(Counter.DROP_ND_NOT_FOR_US, host.dropped());
        assertEquals(1500, host.ip.path(V6, ip("2001:db8::77")).mtu());
    }

    @Test
    void anMtuThatNoLinkHasIsIgnored() {
        IpAddress linkLocal = OwnAddresses.linkLocal(GATEWAY_MAC);
        host.receives(Frames.solicitation(GATEWAY6, V6, GATEWAY_MAC));
        List<Integer> mtus = new ArrayList<>();
        for (int mtu : new int[] {1279, -1, 9000, 1280}) {
            host.receives(routerAdvertisement(linkLocal, GATEWAY_MAC, 64, mtu));
            mtus.add(host.ip
                    .path(V6, ip("2001:db8::" + Integer.toHexString(mtus.size() + 1)))
                    .mtu());
        }
        assertEquals(List.of(1500, 1500, 1500, 1280), mtus);
    }
}
