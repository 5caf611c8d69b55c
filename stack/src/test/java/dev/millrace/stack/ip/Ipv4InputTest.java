package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.FAR4;
import static dev.millrace.stack.ip.Host.PEER4;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.SECOND;
import static dev.millrace.stack.ip.Host.V4;
import static dev.millrace.stack.ip.Host.ip;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an IPv4 host lets in, and how it answers what it does not (RFC 791, 792, 1122 §3.2). */
@Rule("tcp.md: IPv4")
class Ipv4InputTest {
    private final Host host = Host.settled();

    @AfterEach
    void close() {
        host.close();
    }

    private static byte[] segment() {
        return Frames.v4(PEER4, V4, IpProtocol.TCP, Frames.tcp(PEER4, V4, 1000, 80, 3));
    }

    private static Arguments patch(String rule, Counter reason, LongConsumer change) {
        return Arguments.of(rule, reason, Frames.patchV4(segment(), change));
    }

    private static byte[] withOptions(int... options) {
        byte[] tcp = Frames.tcp(PEER4, V4, 1000, 80, 3);
        byte[] padded = new byte[(options.length + 3) / 4 * 4];
        for (int i = 0; i < options.length; i++) {
            padded[i] = (byte) options[i];
        }
        byte[] frame = Frames.v4(PEER4, V4, IpProtocol.TCP, Frames.concat(padded, tcp));
        return Frames.patchV4(frame, at -> Memory.putByte(at, 0x40 | (5 + padded.length / 4)));
    }

    private static byte[] from(String source) {
        IpAddress address = ip(source);
        return Frames.v4(address, V4, IpProtocol.TCP, Frames.tcp(address, V4, 1000, 80, 3));
    }

    private static byte[] to(String destination) {
        IpAddress address = ip(destination);
        return Frames.v4(PEER4, address, IpProtocol.TCP, Frames.tcp(PEER4, address, 1000, 80, 3));
    }

    static Stream<Arguments> dropped() {
        byte[] wrongChecksum = segment();
        wrongChecksum[Frames.IP + 10] ^= 1;
        byte[] wrongTcpChecksum = segment();
        wrongTcpChecksum[wrongTcpChecksum.length - 1] ^= 1;
        byte[] toGroup = Frames.v4(
                EthernetHeader.BROADCAST, PEER_MAC, PEER4, V4, IpProtocol.TCP, Frames.tcp(PEER4, V4, 1000, 80, 3));
        byte[] toOther =
                Frames.v4(Host.OTHER_MAC, PEER_MAC, PEER4, V4, IpProtocol.TCP, Frames.tcp(PEER4, V4, 1000, 80, 3));
        return Stream.of(
                Arguments.of("no Ethernet header", Counter.DROP_FRAME_TOO_SHORT, new byte[13]),
                Arguments.of("nothing behind it", Counter.DROP_IPV4_MALFORMED, Arrays.copyOf(segment(), 14)),
                Arguments.of("half a header", Counter.DROP_IPV4_MALFORMED, Arrays.copyOf(segment(), 33)),
                Arguments.of("cut payload", Counter.DROP_IPV4_MALFORMED, Arrays.copyOf(segment(), 56)),
                Arguments.of("another station", Counter.DROP_FRAME_NOT_FOR_US, toOther),
                Arguments.of(
                        "unknown ethertype",
                        Counter.DROP_FRAME_TYPE,
                        Frames.ethernet(Host.MAC, PEER_MAC, 0x88cc, new byte[50])),
                patch("version 5", Counter.DROP_IPV4_MALFORMED, at -> Memory.putByte(at, 0x55)),
                Arguments.of(
                        "header length 4",
                        Counter.DROP_IPV4_MALFORMED,
                        Frames.patchV4(segment(), at -> Memory.putByte(at, 0x44))),
                patch("header beyond the packet", Counter.DROP_IPV4_MALFORMED, at -> {
                    Memory.putByte(at, 0x4f);
                    Memory.putShort(at + 2, 59);
                }),
                patch("total length below the header", Counter.DROP_IPV4_MALFORMED, at -> Memory.putShort(at + 2, 19)),
                patch("total length beyond the frame", Counter.DROP_IPV4_MALFORMED, at -> Memory.putShort(at + 2, 44)),
                Arguments.of("header checksum", Counter.DROP_IPV4_CHECKSUM, wrongChecksum),
                Arguments.of("TCP checksum", Counter.DROP_TCP_CHECKSUM, wrongTcpChecksum),
                Arguments.of("unicast in a broadcast frame", Counter.DROP_IP_GROUP, toGroup),
                Arguments.of("option of length 0", Counter.DROP_IPV4_OPTION, withOptions(7, 0, 0, 0)),
                Arguments.of("option of length 1", Counter.DROP_IPV4_OPTION, withOptions(7, 1, 0, 0)),
                Arguments.of("option beyond the header", Counter.DROP_IPV4_OPTION, withOptions(7, 5, 0, 0)),
                Arguments.of("option without a length", Counter.DROP_IPV4_OPTION, withOptions(1, 1, 1, 7)),
                Arguments.of("loose source route", Counter.DROP_IPV4_SOURCE_ROUTE, withOptions(131, 3, 4, 0)),
                Arguments.of("strict source route", Counter.DROP_IPV4_SOURCE_ROUTE, withOptions(137, 3, 4, 0)),
                Arguments.of("from this network", Counter.DROP_IP_MARTIAN, from("0.1.2.3")),
                Arguments.of("from loopback", Counter.DROP_IP_MARTIAN, from("127.0.0.1")),
                Arguments.of("from multicast", Counter.DROP_IP_MARTIAN, from("224.0.0.5")),
                Arguments.of("from class E", Counter.DROP_IP_MARTIAN, from("240.0.0.1")),
                Arguments.of("from broadcast", Counter.DROP_IP_MARTIAN, from("255.255.255.255")),
                Arguments.of("from our network's broadcast", Counter.DROP_IP_MARTIAN, from("198.18.0.255")),
                Arguments.of("from our network", Counter.DROP_IP_MARTIAN, from("198.18.0.0")),
                Arguments.of("LAND", Counter.DROP_IP_MARTIAN, from("198.18.0.1")),
                Arguments.of("to loopback", Counter.DROP_IP_MARTIAN, to("127.0.0.1")),
                Arguments.of("to nobody", Counter.DROP_IP_MARTIAN, to("0.0.0.0")),
                Arguments.of("to another host", Counter.DROP_IP_NOT_FOR_US, to("198.18.0.9")),
                Arguments.of("to broadcast", Counter.DROP_IP_GROUP, to("255.255.255.255")),
                Arguments.of("to our network's broadcast", Counter.DROP_IP_GROUP, to("198.18.0.255")),
                Arguments.of("to multicast", Counter.DROP_IP_GROUP, to("224.0.0.1")));
    }

    @Rule("RFC 9293 MUST-3")
    @Rule("RFC 9293 MUST-57")
    @Rule("RFC 9293 MUST-63")
    @Rule("tcp.md: IPv4")
    @Rule("tcp.md: LAND, christmas tree, null, SYN+FIN, SYN+RST")
    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @ParameterizedTest(name = "{0}")
    @MethodSource("dropped")
    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @Rule("tcp.md: LAND, christmas tree, null, SYN+FIN, SYN+RST")
    void isDroppedSilentlyForOneReason(String rule, Counter reason, byte[] frame) {
        assertEquals(List.of(), host.receives(frame), rule);
        assertEquals(List.of(), host.segments);
        assertEquals(reason, host.dropped());
        assertEquals(1, host.drops());
    }

    static Stream<Arguments> delivered() {
        return Stream.of(
                Arguments.of("plain", segment()),
                Arguments.of("with padding behind", Frames.concat(segment(), new byte[7])),
                Arguments.of("time to live 0", Frames.patchV4(segment(), at -> Memory.putByte(at + 8, 0))),
                Arguments.of("no-ops and an unknown option", withOptions(1, 1, 7, 3, 0, 0, 0, 0)),
                Arguments.of("bytes behind the end of options", withOptions(0, 131, 0, 0)),
                Arguments.of("40 bytes of options", withOptions(new int[40])));
    }

    @Rule("RFC 9293 MUST-50")
    @Rule("tcp.md: IPv4")
    @ParameterizedTest(name = "{0}")
    @MethodSource("delivered")
    void isDeliveredOnce(String rule, byte[] frame) {
        host.receives(frame);
        assertEquals(List.of("198.18.0.2:1000 > 198.18.0.1:80 seq 1 len 3"), host.segments, rule);
        assertNull(host.dropped());
    }

    @Test
    void aChecksumThatHardwareHasVerifiedIsNotVerifiedAgain() {
        byte[] frame = segment();
        frame[frame.length - 1] ^= 1;
        host.receives(frame, host.link, Packet.CHECKSUM_VERIFIED);
        assertEquals(1, host.segments.size());
    }

    @Test
    void theLoopbackTakesOwnAddressesOnly() {
        host.receives(segment(), host.loopback, Packet.CHECKSUM_VERIFIED);
        byte[] unmarked = segment();
        Arrays.fill(unmarked, 0, 12, (byte) 0);
        host.receives(unmarked, host.loopback, Packet.CHECKSUM_VERIFIED);
        assertEquals(1, host.segments.size(), "the first bears the mark of a relayed one");
        assertEquals(Counter.DROP_IP_MARTIAN, host.dropped());
    }

    // ---- ICMP ----

    private void resolvePeer() {
        host.receives(Frames.arp(ArpPacket.REQUEST, PEER_MAC, PEER4, 0, V4));
        host.port.sent.clear();
    }

    @Rule("tcp.md: ICMP")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 56, 1472})
    void echoComesBackAsItWas(int size) {
        resolvePeer();
        byte[] data = new byte[size];
        new SplittableRandom(size).nextBytes(data);
        byte[] request = Frames.icmp(Icmpv4Message.ECHO_REQUEST, 0, 0x1234_0007, data);
        List<byte[]> answers = host.receives(Frames.v4(PEER4, V4, IpProtocol.ICMP, request));
        assertEquals(1, answers.size());
        byte[] expected = Frames.icmp(Icmpv4Message.ECHO_REPLY, 0, 0x1234_0007, data);
        byte[] answer = answers.get(0);
        assertArrayEquals(expected, Arrays.copyOfRange(answer, Frames.V4_PAYLOAD, answer.length));
        assertEquals(V4, Frames.address(answer, Frames.IP + 12, 4));
        assertEquals(PEER4, Frames.address(answer, Frames.IP + 16, 4));
        assertEquals(PEER_MAC, Frames.destinationMac(answer));
    }

    @Rule("tcp.md: ICMP")
    @Test
    @Rule("tcp.md: ICMP")
    void echosAreLimitedAndTheLimitRecovers() {
        resolvePeer();
        byte[] echo = Frames.v4(PEER4, V4, IpProtocol.ICMP, Frames.icmp(Icmpv4Message.ECHO_REQUEST, 0, 1, new byte[8]));
        int answered = 0;
        for (int i = 0; i < 5000; i++) {
            answered += host.receives(echo).size();
        }
        assertTrue(answered > 500 && answered <= Icmpv4.ECHO_BURST, () -> "answered " + host.port.sent.size());
        host.nowNs += SECOND;
        assertEquals(1, host.receives(echo).size());
    }

    @Test
    void aDamagedMessageIsDropped() {
        byte[] echo = Frames.icmp(Icmpv4Message.ECHO_REQUEST, 0, 1, new byte[8]);
        echo[9] ^= 1;
        assertEquals(List.of(), host.receives(Frames.v4(PEER4, V4, IpProtocol.ICMP, echo)));
        assertEquals(Counter.DROP_ICMP_MALFORMED, host.dropped());
    }

    @Test
    @Rule("tcp.md: ICMP")
    void aDatagramForAClosedPortIsRefusedWithItsBeginning() {
        resolvePeer();
        byte[] frame = Frames.v4(PEER4, V4, IpProtocol.UDP, Frames.udp(PEER4, V4, new byte[1000]));
        List<byte[]> answers = host.receives(frame);
        assertEquals(1, answers.size());
        byte[] answer = answers.get(0);
        assertEquals(576 + Frames.IP, answer.length);
        assertEquals(Icmpv4Message.DESTINATION_UNREACHABLE, answer[Frames.V4_PAYLOAD]);
        assertEquals(Icmpv4Message.PORT_UNREACHABLE, answer[Frames.V4_PAYLOAD + 1]);
        byte[] quoted = Arrays.copyOfRange(answer, Frames.V4_PAYLOAD + 8, answer.length);
        assertArrayEquals(Arrays.copyOfRange(frame, Frames.IP, Frames.IP + quoted.length), quoted);
        boolean valid = Frames.read(
                answer, at -> Icmpv4Message.isValid(at + Frames.V4_PAYLOAD, answer.length - Frames.V4_PAYLOAD));
        assertTrue(valid);
        assertEquals(Counter.DROP_UDP_NO_PORT, host.dropped());
    }

    @Test
    void anUnknownProtocolIsRefused() {
        resolvePeer();
        byte[] answer = host.receives(Frames.v4(PEER4, V4, 132, new byte[20])).get(0);
        assertEquals(Icmpv4Message.PROTOCOL_UNREACHABLE, answer[Frames.V4_PAYLOAD + 1]);
        assertEquals(Counter.DROP_UNKNOWN_PROTOCOL, host.dropped());
    }

    @Rule("tcp.md: ICMP")
    @Test
    @Rule("tcp.md: ICMP")
    void refusalsAreLimited() {
        resolvePeer();
        byte[] frame = Frames.v4(PEER4, V4, 132, new byte[20]);
        int answered = 0;
        for (int i = 0; i < 1000; i++) {
            answered += host.receives(frame).size();
        }
        assertTrue(answered > 5 && answered <= Icmpv4.ERROR_BURST, "answered " + answered);
        assertEquals(1000 - answered, host.count(Counter.ICMP_ERRORS_WITHHELD));
    }

    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @Test
    void anIcmpMessageShorterThanItsHeaderGetsNoAnswer() {
        resolvePeer();
        byte[] echo = Frames.bytes(4, at -> Icmpv4Message.write(at, Icmpv4Message.ECHO_REQUEST, 0, 0, 4));
        assertEquals(List.of(), host.receives(Frames.v4(PEER4, V4, IpProtocol.ICMP, echo)));
        assertEquals(Counter.DROP_ICMP_MALFORMED, host.dropped());
    }

    @Test
    void aDatagramWithABadChecksumGetsNoAnswer() {
        byte[] udp = Frames.udp(PEER4, V4, new byte[10]);
        udp[17] ^= 1;
        assertEquals(List.of(), host.receives(Frames.v4(PEER4, V4, IpProtocol.UDP, udp)));
        assertEquals(Counter.DROP_UDP_MALFORMED, host.dropped());
    }

    private static byte[] quoting(int type, int code, int rest, IpAddress source, int protocol, int quotedBytes) {
        byte[] packet = Frames.v4(source, FAR4, protocol, Frames.tcp(source, FAR4, 4000, 443, 1000));
        byte[] quoted = Arrays.copyOfRange(packet, Frames.IP, Frames.IP + quotedBytes);
        return Frames.v4(PEER4, V4, IpProtocol.ICMP, Frames.icmp(type, code, rest, quoted));
    }

    @Rule("RFC 9293 MUST-54")
    @Rule("tcp.md: ICMP")
    @ParameterizedTest
    @CsvSource({
        "3, 0, 0, NETWORK_UNREACHABLE, 0",
        "3, 1, 0, HOST_UNREACHABLE, 0",
        "3, 2, 0, PROTOCOL_UNREACHABLE, 0",
        "3, 3, 0, PORT_UNREACHABLE, 0",
        "3, 4, 1400, PACKET_TOO_BIG, 1400",
        "3, 4, 0, PACKET_TOO_BIG, 1006",
        "3, 13, 0, ADMINISTRATIVELY_PROHIBITED, 0",
        "11, 0, 0, TIME_EXCEEDED, 0",
        "12, 0, 0, PARAMETER_PROBLEM, 0"
    })
    @Rule("tcp.md: ICMP")
    void errorsAboutOurSegmentsReachTcp(int type, int code, int rest, String kind, int mtu) {
        host.receives(quoting(type, code, rest, V4, IpProtocol.TCP, 28));
        assertEquals(List.of(kind + " 198.18.0.1:4000 > 203.0.113.9:443 seq 1 mtu " + mtu), host.errors);
        assertNull(host.dropped());
    }

    static Stream<Arguments> uselessErrors() {
        return Stream.of(
                Arguments.of(Counter.DROP_ICMP_MALFORMED, quoting(3, 1, 0, V4, IpProtocol.TCP, 0)),
                Arguments.of(Counter.DROP_ICMP_MALFORMED, quoting(3, 1, 0, V4, IpProtocol.TCP, 27)),
                Arguments.of(Counter.DROP_ICMP_MALFORMED, quotingHeaderLength(0)),
                Arguments.of(Counter.DROP_ICMP_MALFORMED, quotingHeaderLength(4)),
                Arguments.of(Counter.DROP_ICMP_MALFORMED, quotingHeaderLength(6)),
                Arguments.of(Counter.DROP_ICMP_NOT_ABOUT_US, quoting(3, 1, 0, PEER4, IpProtocol.TCP, 28)),
                Arguments.of(Counter.DROP_ICMP_NOT_ABOUT_US, quoting(3, 1, 0, V4, IpProtocol.ICMP, 28)),
                Arguments.of(Counter.DROP_ICMP_IGNORED, quoting(4, 0, 0, V4, IpProtocol.TCP, 28)),
                Arguments.of(Counter.DROP_ICMP_IGNORED, quoting(5, 1, 0, V4, IpProtocol.TCP, 28)));
    }

    /** 28 bytes of a segment of ours, whose header says so many words. */
    private static byte[] quotingHeaderLength(int words) {
        byte[] packet = Frames.v4(V4, FAR4, IpProtocol.TCP, Frames.tcp(V4, FAR4, 4000, 443, 1000));
        byte[] quoted = Arrays.copyOfRange(packet, Frames.IP, Frames.IP + 28);
        quoted[0] = (byte) (0x40 | words);
        return Frames.v4(PEER4, V4, IpProtocol.ICMP, Frames.icmp(3, 1, 0, quoted));
    }

    @Rule("RFC 9293 MUST-55")
    @ParameterizedTest
    @MethodSource("uselessErrors")
    @Rule("tcp.md: forged ICMP")
    void errorsAboutNothingOfOursAreDropped(Counter reason, byte[] frame) {
        assertEquals(List.of(), host.receives(frame));
        assertEquals(List.of(), host.errors);
        assertEquals(reason, host.dropped());
    }
}
