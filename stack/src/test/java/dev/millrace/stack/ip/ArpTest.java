package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.MAC;
import static dev.millrace.stack.ip.Host.OTHER4;
import static dev.millrace.stack.ip.Host.OTHER_MAC;
import static dev.millrace.stack.ip.Host.PEER4;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.SECOND;
import static dev.millrace.stack.ip.Host.V4;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.IpAddress;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** RFC 826, 5227, and the neighbour states of RFC 4861 §7.3 over ARP. */
@Rule("tcp.md: ARP, ND")
class ArpTest {
    private Host host = Host.settled();

    @AfterEach
    void close() {
        host.close();
    }

    private static byte[] request(long mac, IpAddress sender, IpAddress target) {
        return Frames.arp(ArpPacket.REQUEST, mac, sender, 0, target);
    }

    private static byte[] reply(long mac, IpAddress sender) {
        return Frames.arp(ArpPacket.REPLY, mac, sender, MAC, V4);
    }

    @Test
    void answersARequestForAnOwnAddressToTheAsker() {
        List<byte[]> answers = host.receives(request(PEER_MAC, PEER4, V4));
        assertEquals(1, answers.size());
        byte[] expected = Frames.ethernet(
                PEER_MAC,
                MAC,
                EthernetHeader.TYPE_ARP,
                Frames.bytes(
                        ArpPacket.BYTES,
                        at -> ArpPacket.write(at, ArpPacket.REPLY, MAC, V4.v4Bits(), PEER_MAC, PEER4.v4Bits())));
        assertArrayEquals(expected, answers.get(0));
        assertEquals(1, host.count(Counter.ARP_REQUESTS_ANSWERED));
        assertNull(host.dropped());
    }

    @Test
    void answersAProbe() {
        List<byte[]> answers = host.receives(request(PEER_MAC, IpAddress.ANY4, V4));
        assertEquals(1, answers.size());
        assertEquals(PEER_MAC, Frames.destinationMac(answers.get(0)));
    }

    @Test
    void doesNotAnswerForOthers() {
        assertEquals(List.of(), host.receives(request(PEER_MAC, PEER4, OTHER4)));
        assertEquals(Counter.DROP_ARP_NOT_FOR_US, host.dropped());
    }

    @Test
    void refusesSendersThatAreNotOnTheLink() {
        assertEquals(List.of(), host.receives(request(PEER_MAC, Host.FAR4, V4)));
        assertEquals(Counter.DROP_ARP_MARTIAN, host.dropped());
    }

    @Test
    void anotherShardLearnsButLeavesTheAnswerToTheFirst() {
        try (Host second = new Host(PortCapabilities.NONE, 1500, 1, 2)) {
            second.settle();
            assertEquals(List.of(), second.receives(request(PEER_MAC, PEER4, V4)));
            assertTrue(second.sends(V4, PEER4, 1000, 1, Kind.DATA));
            second.ip.flush();
            assertEquals(PEER_MAC, Frames.destinationMac(second.port.sent.get(0)));
        }
    }

    @Test
    void anotherShardAnnouncesNothing() {
        try (Host second = new Host(PortCapabilities.NONE, 1500, 1, 2)) {
            second.runFor(20 * SECOND);
            assertEquals(List.of(), second.port.sent);
        }
    }

    @Rule("tcp.md: ARP, ND")
    @Test
    void packetsWaitForTheHardwareAddressAndLeaveInOrder() {
        for (int i = 0; i < 3; i++) {
            assertTrue(host.sends(V4, PEER4, 1000 + i, 1, Kind.DATA));
        }
        host.ip.flush();
        assertEquals(1, host.port.sent.size());
        assertEquals(EthernetHeader.TYPE_ARP, Frames.type(host.port.sent.get(0)));
        assertEquals(EthernetHeader.BROADCAST, Frames.destinationMac(host.port.sent.get(0)));
        List<byte[]> released = host.receives(reply(PEER_MAC, PEER4));
        assertEquals(3, released.size());
        for (int i = 0; i < 3; i++) {
            assertEquals(PEER_MAC, Frames.destinationMac(released.get(i)));
            assertEquals(1000 + i, Frames.unsignedShort(released.get(i), Frames.V4_PAYLOAD));
        }
        assertEquals(0, host.port.packetsInUse());
    }

    @Test
    void farAddressesAreReachedThroughTheGateway() {
        assertTrue(host.sends(V4, Host.FAR4, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(Host.GATEWAY4, Frames.address(host.port.sent.get(0), Frames.IP + 24, 4));
        byte[] released = host.receives(reply(Host.GATEWAY_MAC, Host.GATEWAY4)).get(0);
        assertEquals(Host.GATEWAY_MAC, Frames.destinationMac(released));
        assertEquals(Host.FAR4, Frames.address(released, Frames.IP + 16, 4));
    }

    @Test
    void onlyAFewPacketsWaitForANeighbourAndTheOldestGivesWay() {
        for (int i = 0; i < Neighbor.MAX_WAITING + 2; i++) {
            assertTrue(host.sends(V4, PEER4, 1000 + i, 1, Kind.DATA));
        }
        assertEquals(2, host.count(Counter.DROP_NEIGHBOR_QUEUE_FULL));
        List<byte[]> released = host.receives(reply(PEER_MAC, PEER4));
        assertEquals(
                1002, Frames.unsignedShort(released.get(released.size() - Neighbor.MAX_WAITING), Frames.V4_PAYLOAD));
    }

    @Test
    void onlySoManyPacketsWaitInAll() {
        for (int neighbor = 10; neighbor < 60; neighbor++) {
            for (int i = 0; i < 10; i++) {
                assertTrue(host.sends(V4, IpAddress.v4(V4.v4Bits() - 1 + neighbor), 1000 + i, 1, Kind.DATA));
            }
        }
        host.ip.flush();
        assertEquals(WaitingPackets.MAX_WAITING, host.port.packetsInUse());
    }

    @Test
    void anUnansweredNextHopIsReportedAfterThreeRequests() {
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.CONTROL));
        host.runFor(10 * SECOND);
        assertEquals(3, host.port.sent.size());
        assertEquals(List.of("HOST_UNREACHABLE 198.18.0.1:1000 > 198.18.0.2:80 seq 7 mtu 0"), host.errors);
        assertEquals(Counter.DROP_NEIGHBOR_UNRESOLVED, host.dropped());
        assertEquals(0, host.port.packetsInUse());
    }

    @Test
    void afterAFailureTheNextPacketAsksAgain() {
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.CONTROL));
        host.runFor(10 * SECOND);
        assertTrue(host.sends(V4, PEER4, 1001, 1, Kind.CONTROL));
        List<byte[]> released = host.receives(reply(PEER_MAC, PEER4));
        assertEquals(1001, Frames.unsignedShort(released.get(released.size() - 1), Frames.V4_PAYLOAD));
    }

    @Test
    void repliesNeverCreateEntries() {
        host.receives(reply(PEER_MAC, PEER4));
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(EthernetHeader.TYPE_ARP, Frames.type(host.port.sent.get(0)));
    }

    @Test
    void anAnnouncementMovesAKnownNeighbour() {
        resolve();
        host.receives(request(OTHER_MAC, PEER4, PEER4));
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(OTHER_MAC, Frames.destinationMac(host.port.sent.getLast()));
    }

    private void resolve() {
        assertTrue(host.sends(V4, PEER4, 999, 1, Kind.DATA));
        host.receives(reply(PEER_MAC, PEER4));
        host.port.sent.clear();
    }

    @Rule("RFC 9293 MUST-20")
    @Test
    void anIdleNeighbourIsDoubtedAfterUseAndProbedByUnicast() {
        resolve();
        host.runFor(60 * SECOND);
        assertEquals(List.of(), host.port.sent);
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(1, host.port.sent.size(), "used while in doubt");
        host.runFor(6 * SECOND);
        byte[] probe = host.port.sent.get(1);
        assertEquals(EthernetHeader.TYPE_ARP, Frames.type(probe));
        assertEquals(PEER_MAC, Frames.destinationMac(probe));
    }

    /** With a retransmission timeout of 2 s: after 2, 6 and 14 s. What began without an answer goes on to be doubted. */
    @Rule("RFC 9293 SHLD-10")
    @Test
    void threeRetransmissionsPassBeforeTheNeighbourIsDoubted() {
        resolve();
        long lastProgressNs = host.nowNs;
        host.ip.path(V4, PEER4).confirm(host.nowNs);
        for (int seconds : new int[] {2, 6, 14}) {
            host.runFor(lastProgressNs + seconds * SECOND - host.nowNs);
            assertTrue(sendsAtOnce(), "after " + seconds + " s");
            assertEquals(1, host.port.sent.size(), "nobody is asked after " + seconds + " s");
        }
        for (int seconds : new int[] {30, 62, 126}) {
            host.runFor(lastProgressNs + seconds * SECOND - host.nowNs);
            assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        }
        host.ip.flush();
        assertTrue(host.port.sent.stream().anyMatch(frame -> Frames.type(frame) == EthernetHeader.TYPE_ARP));
    }

    @Test
    void progressSeenByTcpSparesTheProbe() {
        resolve();
        host.runFor(60 * SECOND);
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.ip.path(V4, PEER4).confirm(host.nowNs);
        host.runFor(10 * SECOND);
        assertEquals(1, host.port.sent.size());
    }

    @Test
    void aNeighbourThatAnswersNoProbeIsForgotten() {
        resolve();
        host.runFor(60 * SECOND);
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.runFor(20 * SECOND);
        host.port.sent.clear();
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(EthernetHeader.BROADCAST, Frames.destinationMac(host.port.sent.get(0)));
    }

    @Rule("tcp.md: ARP, ND")
    @Test
    void aNeighbourThatNothingWasSentToForTenMinutesIsForgotten() {
        resolve();
        host.runFor(599 * SECOND);
        assertTrue(sendsAtOnce(), "used less than ten minutes ago");
        host.ip.path(V4, PEER4).confirm(host.nowNs);
        host.runFor(590 * SECOND);
        assertTrue(sendsAtOnce(), "used less than ten minutes ago");
        host.ip.path(V4, PEER4).confirm(host.nowNs);
        host.runFor(700 * SECOND);
        assertFalse(sendsAtOnce(), "unused for longer");
    }

    @Test
    void aGatewayIsKnownHoweverLongNothingIsSentToIt() {
        assertTrue(host.sends(V4, Host.FAR4, 1000, 1, Kind.DATA));
        host.receives(reply(PEER_MAC, Host.GATEWAY4));
        host.runFor(3_000 * SECOND);
        host.port.sent.clear();
        assertTrue(host.sends(V4, Host.FAR4, 1000, 1, Kind.DATA));
        host.ip.flush();
        assertEquals(EthernetHeader.TYPE_IPV4, Frames.type(host.port.sent.get(0)));
    }

    @Test
    void aNeighbourThatTcpGoesOnConfirmingIsKept() {
        resolve();
        for (int i = 0; i < 100; i++) {
            host.runFor(10 * SECOND);
            host.ip.path(V4, PEER4).confirm(host.nowNs);
        }
        assertTrue(sendsAtOnce());
    }

    /** Whether a segment to the peer leaves without a question. */
    private boolean sendsAtOnce() {
        host.port.sent.clear();
        assertTrue(host.sends(V4, PEER4, 1000, 1, Kind.DATA));
        host.ip.flush();
        return Frames.type(host.port.sent.get(0)) == EthernetHeader.TYPE_IPV4;
    }

    @Rule("tcp.md: ARP, ND")
    @Test
    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    void eachOfManyNeighboursIsAskedAtItsOwnTime() {
        for (int i = 10; i < 200; i++) {
            assertTrue(host.sends(V4, IpAddress.v4(V4.v4Bits() - 1 + i), 1000, 1, Kind.DATA));
            host.runFor(SECOND / 1000);
        }
        host.ip.flush();
        host.port.sent.clear();
        host.runFor(SECOND - 190 * SECOND / 1000 - SECOND / 1000);
        assertEquals(0, host.port.sent.size(), "none has waited for a second");
        for (int i = 10; i < 200; i++) {
            host.runFor(SECOND / 1000);
            assertEquals(i - 9, host.port.sent.size(), 1);
        }
        host.runFor(3 * SECOND);
        assertEquals(190, host.count(Counter.DROP_NEIGHBOR_UNRESOLVED), "nobody answered three questions");
    }

    @Rule("tcp.md: ARP, ND")
    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    @Test
    void oneStationCannotFillTheTable() {
        try (Host wide = new Host(PortCapabilities.NONE, 1500, 0, 1)) {
            wide.settle();
            for (int i = 10; i < 200; i++) {
                wide.receives(request(PEER_MAC, IpAddress.v4(V4.v4Bits() - 1 + i), V4));
            }
            int known = 0;
            for (int i = 10; i < 200; i++) {
                wide.port.sent.clear();
                assertTrue(wide.sends(V4, IpAddress.v4(V4.v4Bits() - 1 + i), 1000, 1, Kind.DATA));
                wide.ip.flush();
                known += Frames.type(wide.port.sent.get(0)) == EthernetHeader.TYPE_IPV4 ? 1 : 0;
            }
            assertEquals(NeighborTable.MAX_PASSIVE_PER_MAC, known);
        }
    }

    @Rule("tcp.md: ARP, ND")
    @Test
    void aRequestThatIsCutShortOrOfOtherLengthsGetsNoAnswer() {
        byte[] request = request(PEER_MAC, PEER4, V4);
        int bytes = EthernetHeader.BYTES + 28;
        host.surroundings = request[bytes - 1]; // memory behind the frame that would complete it
        assertEquals(List.of(), host.receives(Arrays.copyOf(request, bytes - 1)));
        for (int at : new int[] {4, 5}) {
            byte[] other = request.clone();
            other[EthernetHeader.BYTES + at]++;
            assertEquals(List.of(), host.receives(other));
        }
        assertEquals(3, host.drops());
        assertEquals(1, host.receives(request).size());
    }

    // ---- RFC 5227 ----

    @Rule("tcp.md: ARP, ND")
    @Test
    void anAddressIsAnnouncedAtOnceProbedAndAnnouncedAgain() {
        host.close();
        host = new Host(PortCapabilities.NONE, 1500, 0, 1);
        host.runFor(20 * SECOND);
        int announcements = 0;
        int probes = 0;
        for (byte[] frame : host.port.sent) {
            if (Frames.type(frame) == EthernetHeader.TYPE_ARP) {
                IpAddress sender = Frames.address(frame, Frames.IP + 14, 4);
                assertEquals(V4, Frames.address(frame, Frames.IP + 24, 4));
                announcements += sender.equals(V4) ? 1 : 0;
                probes += sender.equals(IpAddress.ANY4) ? 1 : 0;
            }
        }
        assertEquals(3, announcements);
        assertEquals(3, probes);
    }

    @Test
    void aHostThatAnswersTheProbeWins() {
        host.close();
        host = new Host(PortCapabilities.NONE, 1500, 0, 1);
        host.runFor(SECOND / 2);
        host.receives(reply(PEER_MAC, V4));
        assertEquals(1, host.count(Counter.ADDRESSES_GIVEN_UP));
        assertNull(host.ip.path(V4, PEER4));
        assertEquals(List.of(), host.receives(request(PEER_MAC, PEER4, V4)));
    }

    @Test
    void twoHostsThatProbeAtOnceBothGiveWay() {
        host.close();
        host = new Host(PortCapabilities.NONE, 1500, 0, 1);
        host.runFor(SECOND / 2);
        host.receives(request(PEER_MAC, IpAddress.ANY4, V4));
        assertEquals(1, host.count(Counter.ADDRESSES_GIVEN_UP));
    }

    @Test
    void aLaterClaimIsDefendedOnceInTenSeconds() {
        assertEquals(1, host.receives(request(PEER_MAC, V4, V4)).size());
        assertEquals(0, host.receives(request(PEER_MAC, V4, V4)).size());
        host.runFor(11 * SECOND);
        assertEquals(1, host.receives(request(PEER_MAC, V4, V4)).size());
        assertEquals(3, host.count(Counter.DROP_ADDRESS_CONFLICT));
        assertNotEquals(null, host.ip.path(V4, PEER4));
    }

    @Test
    void ourOwnReflectedFrameIsNoConflict() {
        host.receives(request(MAC, V4, V4));
        assertEquals(Counter.DROP_FRAME_OWN, host.dropped());
        assertFalse(host.port.sent.stream().anyMatch(frame -> true));
    }
}
