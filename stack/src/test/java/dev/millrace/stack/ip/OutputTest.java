package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.PEER4;
import static dev.millrace.stack.ip.Host.PEER6;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.SECOND;
import static dev.millrace.stack.ip.Host.V4;
import static dev.millrace.stack.ip.Host.V6;
import static dev.millrace.stack.ip.Host.ip;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.tcp.Path;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Segments on their way out: headers, checksums, order, back-pressure, path MTU. */
class OutputTest {
    private Host host = Host.settled();

    @AfterEach
    void close() {
        host.close();
    }

    private static void resolve(Host host) {
        assertTrue(host.sends(V4, PEER4, 1, 0, Kind.ACK));
        assertTrue(host.sends(V6, PEER6, 1, 0, Kind.ACK));
        host.receives(Frames.arp(ArpPacket.REPLY, PEER_MAC, PEER4, Host.MAC, V4));
        host.receives(Frames.advertisement(PEER6, V6, PEER6, NeighborMessage.SOLICITED, PEER_MAC));
        host.port.sent.clear();
        host.sentFlags.clear();
    }

    @Rule("RFC 9293 MUST-49")
    @ParameterizedTest
    @CsvSource({"0, 64", "7, 7", "255, 255"})
    void theTimeToLiveIsTheOneSet(int set, int sent) {
        try (Host other = Host.withHopLimit(set)) {
            resolve(other);
            assertTrue(other.sends(V4, PEER4, 1000, 10, Kind.DATA));
            assertTrue(other.sends(V6, PEER6, 1000, 10, Kind.DATA));
            other.ip.flush();
            assertEquals(sent, Frames.unsignedByte(other.port.sent.get(0), Frames.IP + 8));
            assertEquals(sent, Frames.unsignedByte(other.port.sent.get(1), Frames.IP + 7));
        }
    }

    @Rule("RFC 9293 MUST-2")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 64, 1459, 1460})
    void ipv4SegmentsCarryRightChecksums(int payload) {
        resolve(host);
        assertTrue(host.sends(V4, PEER4, 1000, payload, Kind.DATA));
        host.ip.flush();
        byte[] frame = host.port.sent.get(0);
        assertEquals(Frames.V4_PAYLOAD + 20 + payload, frame.length);
        Frames.read(frame, at -> {
            assertEquals(Ipv4Header.Fault.NONE, Ipv4Header.check(at + Frames.IP, frame.length - Frames.IP));
            assertEquals(Ipv4Header.DONT_FRAGMENT >>> 8, Frames.unsignedByte(frame, Frames.IP + 6));
            long sum = Checksum.pseudoHeader(V4, PEER4, IpProtocol.TCP, 20 + payload);
            assertEquals(0, Checksum.finish(Checksum.add(sum, at + Frames.V4_PAYLOAD, 20 + payload)));
            return null;
        });
    }

    /** As RFC 6864 §4.1 has it for atomic datagrams. */
    @Rule("RFC 9293 MAY-4")
    @Test
    void aRetransmissionRepeatsTheIdentificationWhichIsZeroInEverySegment() {
        resolve(host);
        for (int i = 0; i < 2; i++) {
            assertTrue(host.sends(V4, PEER4, 1000, 100, Kind.DATA));
            host.ip.flush();
            assertEquals(0, Frames.unsignedShort(host.port.sent.get(i), Frames.IP + 4));
            assertEquals(Ipv4Header.DONT_FRAGMENT, Frames.unsignedShort(host.port.sent.get(i), Frames.IP + 6));
        }
        assertArrayEquals(host.port.sent.get(0), host.port.sent.get(1));
    }

    @Rule("RFC 9293 MUST-2")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 64, 1439, 1440})
    void ipv6SegmentsCarryRightChecksums(int payload) {
        resolve(host);
        assertTrue(host.sends(V6, PEER6, 1000, payload, Kind.DATA));
        host.ip.flush();
        byte[] frame = host.port.sent.get(0);
        Frames.read(frame, at -> {
            assertTrue(Ipv6Header.isValid(at + Frames.IP, frame.length - Frames.IP));
            long sum = Checksum.pseudoHeader(V6, PEER6, IpProtocol.TCP, 20 + payload);
            assertEquals(0, Checksum.finish(Checksum.add(sum, at + Frames.V6_PAYLOAD, 20 + payload)));
            return null;
        });
    }

    @Test
    void offloadedChecksumsHoldThePseudoHeaderOnly() {
        host.close();
        host = new Host(new PortCapabilities(false, true, false, false, false), 1500, 0, 1);
        host.settle();
        resolve(host);
        assertTrue(host.sends(V4, PEER4, 1000, 100, Kind.DATA));
        host.ip.flush();
        byte[] frame = host.port.sent.get(0);
        assertEquals(Packet.CHECKSUM_REQUESTED | Packet.DATA, host.sentFlags.get(0));
        int expected = Checksum.fold(Checksum.pseudoHeader(V4, PEER4, IpProtocol.TCP, 120));
        int stored = Frames.read(frame, at -> Memory.getUnsignedShortNative(at + Frames.V4_PAYLOAD + 16));
        assertEquals(expected, stored);
    }

    @Rule("tcp.md: Output order")
    @Test
    @Rule("tcp.md: Output order")
    void controlLeavesBeforeAcknowledgmentsBeforeData() {
        resolve(host);
        Kind[] kinds = {Kind.DATA, Kind.ACK, Kind.CONTROL, Kind.DATA, Kind.CONTROL, Kind.ACK};
        for (int i = 0; i < kinds.length; i++) {
            assertTrue(host.sends(V4, PEER4, 1000 + i, 0, kinds[i]));
        }
        assertEquals(0, host.port.sent.size(), "nothing leaves before the flush");
        host.ip.flush();
        assertEquals(List.of(1002, 1004, 1001, 1005, 1000, 1003), sourcePorts());
    }

    private List<Integer> sourcePorts() {
        List<Integer> ports = new ArrayList<>();
        for (byte[] frame : host.port.sent) {
            ports.add(Frames.unsignedShort(frame, Frames.V4_PAYLOAD));
        }
        return ports;
    }

    @Test
    void whatTheRingDoesNotTakeLeavesLaterInOrder() {
        resolve(host);
        for (int i = 0; i < 5; i++) {
            assertTrue(host.sends(V4, PEER4, 1000 + i, 0, i == 4 ? Kind.CONTROL : Kind.DATA));
        }
        host.port.queue(0).ringSpace = 2;
        host.ip.flush();
        assertTrue(host.ip.outputBlocked());
        assertEquals(3, host.count(Counter.TX_RING_FULL));
        host.port.queue(0).ringSpace = Integer.MAX_VALUE;
        host.ip.flush();
        assertFalse(host.ip.outputBlocked());
        assertEquals(List.of(1004, 1000, 1001, 1002, 1003), sourcePorts());
        assertEquals(0, host.port.packetsInUse());
    }

    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    @Test
    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    void aFullBacklogPushesBackAndTellsWhenItIsOver() {
        resolve(host);
        host.port.queue(0).ringSpace = 0;
        int accepted = 0;
        while (host.sends(V4, PEER4, 1000, 0, Kind.DATA)) {
            accepted++;
            assertTrue(accepted < 4096, "unbounded");
        }
        assertFalse(host.ip.flush());
        assertTrue(host.ip.outputBlocked());
        host.port.queue(0).ringSpace = Integer.MAX_VALUE;
        assertTrue(host.ip.flush());
        assertFalse(host.ip.flush(), "said once");
        assertEquals(accepted, host.port.sent.size());
        assertNull(host.dropped());
    }

    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    @Test
    @Rule("tcp.md: packet pool empty, TX ring full, backend gone")
    void anEmptyPoolPushesBack() {
        resolve(host);
        Path path = host.ip.path(V4, PEER4);
        List<Packet> taken = new ArrayList<>();
        TxQueue queue = host.port.tx(0);
        for (Packet packet = queue.allocate(); packet != null; packet = queue.allocate()) {
            taken.add(packet);
        }
        assertNull(host.ip.allocate(path));
        assertTrue(host.ip.outputBlocked());
        taken.forEach(queue::release);
        assertTrue(host.ip.flush());
        assertNotNull(host.ip.allocate(path));
    }

    @Test
    void packetsToOwnAddressesStayInside() {
        assertTrue(host.sends(V4, V4, 1000, 5, Kind.DATA));
        assertTrue(host.sends(ip("127.0.0.1"), ip("127.9.9.9"), 1001, 5, Kind.DATA));
        assertTrue(host.sends(ip("::1"), V6, 1002, 5, Kind.DATA));
        host.ip.flush();
        assertEquals(3, host.receivesLoopback(0));
        assertEquals(
                List.of(
                        "198.18.0.1:1000 > 198.18.0.1:80 seq 7 len 5",
                        "127.0.0.1:1001 > 127.9.9.9:80 seq 7 len 5",
                        "::1:1002 > fd00:18::1:80 seq 7 len 5"),
                host.segments);
        assertEquals(List.of(), host.port.sent);
    }

    @Test
    void withoutALinkOnlyOwnAddressesAreReached() {
        NetworkConfig none = new NetworkConfig(List.of(), List.of(), 0, 1);
        NetworkInterface loopback = new NetworkInterface(host.loop, 0, 1500, host.counters);
        Ip alone = new Ip(none, null, loopback, host, host.counters, new SplittableRandom(2));
        alone.onTimers(0);
        assertNotNull(alone.path(ip("127.0.0.1"), ip("127.0.0.1")));
        assertNotNull(alone.path(ip("::1"), ip("::1")));
        assertNull(alone.path(ip("127.0.0.1"), PEER4));
        assertNull(alone.path(V4, PEER4));
        assertNull(alone.sourceFor(PEER4));
        assertEquals(Long.MAX_VALUE, alone.nextDeadlineNs());
    }

    @Test
    void aPathIsMadeOnceAndOnlyFromOwnAddresses() {
        assertEquals(host.ip.path(V4, PEER4), host.ip.path(V4, PEER4));
        assertNull(host.ip.path(PEER4, V4));
        assertNull(host.ip.path(V4, PEER6));
        assertNull(host.ip.path(ip("127.0.0.1"), PEER4));
        assertNull(host.ip.path(V4, ip("224.0.0.1")));
        assertNull(host.ip.path(V4, ip("255.255.255.255")));
        assertNull(host.ip.path(V4, ip("198.18.0.255")));
        assertNull(host.ip.path(V4, IpAddress.ANY4));
    }

    @Rule("tcp.md: Path MTU")
    @Test
    @Rule("tcp.md: Path MTU")
    void aLoweredPathMtuIsForgottenAfterTenMinutes() {
        resolve(host);
        Path path = host.ip.path(V4, PEER4);
        path.onPacketTooBig(1400, host.nowNs);
        assertEquals(1400, path.mtu());
        path.onPacketTooBig(1450, host.nowNs);
        assertEquals(1400, path.mtu(), "never raised by a message");
        host.runFor(599 * SECOND);
        assertTrue(host.sends(V4, PEER4, 1000, 0, Kind.DATA));
        assertEquals(1400, path.mtu());
        host.runFor(2 * SECOND);
        assertTrue(host.sends(V4, PEER4, 1000, 0, Kind.DATA));
        assertEquals(1500, path.mtu());
    }

    @Rule("tcp.md: Path MTU")
    @Rule("tcp.md: forged ICMP")
    @Test
    @Rule("tcp.md: Path MTU")
    @Rule("tcp.md: forged ICMP")
    void aLoweredPathMtuHasAFloor() {
        Path v4 = host.ip.path(V4, PEER4);
        v4.onPacketTooBig(68, host.nowNs);
        assertEquals(552, v4.mtu());
        Path v6 = host.ip.path(V6, PEER6);
        v6.onPacketTooBig(68, host.nowNs);
        assertEquals(1280, v6.mtu());
    }
}
