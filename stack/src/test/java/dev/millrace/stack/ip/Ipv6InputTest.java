package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.FAR6;
import static dev.millrace.stack.ip.Host.PEER6;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.V6;
import static dev.millrace.stack.ip.Host.ip;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an IPv6 host lets in, and how it answers what it does not (RFC 8200, 4443). */
@Rule("tcp.md: IPv6")
class Ipv6InputTest {
    private static final int HOPOPT = IpProtocol.HOP_BY_HOP;
    private static final int DSTOPT = IpProtocol.DESTINATION_OPTIONS;
    private static final int TCP = IpProtocol.TCP;

    private final Host host = Host.settled();

    @AfterEach
    void close() {
        host.close();
    }

    private static byte[] tcp() {
        return Frames.tcp(PEER6, V6, 1000, 80, 3);
    }

    private static byte[] packet(int nextHeader, byte[]... parts) {
        return Frames.v6(PEER6, V6, nextHeader, 64, Frames.concat(parts));
    }

    /** An options header of so many eighths; what is not given is padding. */
    private static byte[] options(int nextHeader, int units, int... options) {
        byte[] header = new byte[units * 8];
        header[0] = (byte) nextHeader;
        header[1] = (byte) (units - 1);
        for (int i = 0; i < options.length; i++) {
            header[2 + i] = (byte) options[i];
        }
        return header;
    }

    private static byte[] routing(int nextHeader, int segmentsLeft) {
        return new byte[] {(byte) nextHeader, 0, 0, (byte) segmentsLeft, 0, 0, 0, 0};
    }

    /** Says to be 16 bytes long, in a packet that ends after 8. */
    private static byte[] longRouting() {
        byte[] header = routing(TCP, 0);
        header[1] = 1;
        return header;
    }

    private static byte[] manyHeaders(int count) {
        byte[][] parts = new byte[count + 1][];
        for (int i = 0; i < count; i++) {
            parts[i] = options(i == count - 1 ? TCP : DSTOPT, 1);
        }
        parts[count] = tcp();
        return packet(DSTOPT, parts);
    }

    private static byte[] patch(int at, int value) {
        byte[] frame = packet(TCP, tcp());
        frame[Frames.IP + at] = (byte) value;
        return frame;
    }

    private static byte[] from(String source) {
        IpAddress address = source.startsWith("mapped") ? Host.PEER4 : ip(source);
        return Frames.v6(address, V6, TCP, 64, Frames.tcp(PEER6, V6, 1000, 80, 3));
    }

    private static byte[] to(String destination) {
        return Frames.v6(PEER6, ip(destination), TCP, 64, tcp());
    }

    static Stream<Arguments> delivered() {
        return Stream.of(
                Arguments.of("plain", packet(TCP, tcp())),
                Arguments.of("with padding behind", Frames.concat(packet(TCP, tcp()), new byte[5])),
                Arguments.of("hop-by-hop padding", packet(HOPOPT, options(TCP, 1, 1, 4, 0, 0, 0, 0), tcp())),
                Arguments.of("router alert", packet(HOPOPT, options(TCP, 1, 5, 2, 0, 0, 1, 0), tcp())),
                Arguments.of("an option that may be skipped", packet(DSTOPT, options(TCP, 1, 0x1e, 4), tcp())),
                Arguments.of("a routing header that is used up", packet(IpProtocol.ROUTING, routing(TCP, 0), tcp())),
                Arguments.of(
                        "all of them",
                        packet(
                                HOPOPT,
                                options(DSTOPT, 2),
                                options(IpProtocol.ROUTING, 1),
                                routing(IpProtocol.FRAGMENT, 0),
                                Frames.fragmentHeader(DSTOPT, 0, false, 5),
                                options(TCP, 1),
                                tcp())),
                Arguments.of("eight headers", manyHeaders(8)));
    }

    @Rule("tcp.md: IPv6")
    @ParameterizedTest(name = "{0}")
    @MethodSource("delivered")
    void isDeliveredOnce(String rule, byte[] frame) {
        host.receives(frame);
        assertEquals(List.of("fd00:18::2:1000 > fd00:18::1:80 seq 1 len 3"), host.segments, rule);
        assertNull(host.dropped());
    }

    static Stream<Arguments> dropped() {
        Counter extension = Counter.DROP_IPV6_EXTENSION;
        return Stream.of(
                Arguments.of("half a header", Counter.DROP_IPV6_MALFORMED, Arrays.copyOf(packet(TCP, tcp()), 53)),
                Arguments.of("cut payload", Counter.DROP_IPV6_MALFORMED, Arrays.copyOf(packet(TCP, tcp()), 76)),
                Arguments.of("version 4", Counter.DROP_IPV6_MALFORMED, patch(0, 0x40)),
                Arguments.of("payload beyond the frame", Counter.DROP_IPV6_MALFORMED, patch(5, 24)),
                Arguments.of("payload cut short by its length", Counter.DROP_TCP_MALFORMED, patch(5, 19)),
                Arguments.of("no payload", Counter.DROP_TCP_MALFORMED, packet(TCP)),
                Arguments.of("options beyond the packet", extension, packet(DSTOPT, Arrays.copyOf(options(TCP, 2), 8))),
                Arguments.of(
                        "a routing header beyond the packet", extension, packet(IpProtocol.ROUTING, longRouting())),
                Arguments.of("half an options header", extension, packet(DSTOPT, new byte[7])),
                Arguments.of("an option beyond its header", extension, packet(DSTOPT, options(TCP, 1, 1, 5), tcp())),
                Arguments.of(
                        "an option without a length",
                        extension,
                        packet(DSTOPT, options(TCP, 1, 0, 0, 0, 0, 0, 1), tcp())),
                Arguments.of("an option that discards", extension, packet(DSTOPT, options(TCP, 1, 0x5e, 4), tcp())),
                Arguments.of("ten headers", extension, manyHeaders(10)),
                Arguments.of("too many options", extension, packet(DSTOPT, manyOptions(), tcp())),
                Arguments.of("half a fragment header", extension, packet(IpProtocol.FRAGMENT, new byte[7])),
                Arguments.of(
                        "a last piece of nothing",
                        Counter.DROP_FRAGMENT_MALFORMED,
                        packet(IpProtocol.FRAGMENT, Frames.fragmentHeader(TCP, 8, false, 1))),
                Arguments.of("half a whole packet's fragment header", extension, halfFragmentHeader(0)),
                Arguments.of("half a first piece's fragment header", extension, halfFragmentHeader(1)),
                Arguments.of("half a last piece's fragment header", extension, halfFragmentHeader(8)),
                Arguments.of(
                        "two fragment headers",
                        extension,
                        packet(
                                IpProtocol.FRAGMENT,
                                Frames.fragmentHeader(IpProtocol.FRAGMENT, 0, false, 1),
                                Frames.fragmentHeader(TCP, 0, false, 1),
                                tcp())),
                Arguments.of("no next header", Counter.DROP_UNKNOWN_PROTOCOL, packet(IpProtocol.NO_NEXT_HEADER)),
                Arguments.of("ICMP of the other family", Counter.DROP_UNKNOWN_PROTOCOL, packet(IpProtocol.ICMP)),
                Arguments.of("from a group", Counter.DROP_IP_MARTIAN, from("ff02::1")),
                Arguments.of("from loopback", Counter.DROP_IP_MARTIAN, from("::1")),
                Arguments.of("from nobody", Counter.DROP_IP_MARTIAN, from("::")),
                Arguments.of("from a mapped address", Counter.DROP_IP_MARTIAN, from("mapped")),
                Arguments.of("LAND", Counter.DROP_IP_MARTIAN, from("fd00:18::1")),
                Arguments.of("to loopback", Counter.DROP_IP_MARTIAN, to("::1")),
                Arguments.of("to another host", Counter.DROP_IP_NOT_FOR_US, to("fd00:18::9")),
                Arguments.of("to all nodes", Counter.DROP_IP_GROUP, to("ff02::1")),
                Arguments.of("to a group we are not in", Counter.DROP_IP_GROUP, to("ff02::5")));
    }

    /** One byte is missing. */
    private static byte[] halfFragmentHeader(int offsetAndMore) {
        return packet(IpProtocol.FRAGMENT, new byte[] {TCP, 0, 0, (byte) offsetAndMore, 0, 0, 0});
    }

    private static byte[] manyOptions() {
        int[] options = new int[17 * 2];
        for (int i = 0; i < 17; i++) {
            options[i * 2] = 0x1e;
        }
        return options(TCP, 5, options);
    }

    @Rule("RFC 9293 MUST-57")
    @Rule("RFC 9293 MUST-63")
    @Rule("tcp.md: IPv6")
    @Rule("tcp.md: LAND, christmas tree, null, SYN+FIN, SYN+RST")
    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @ParameterizedTest(name = "{0}")
    @MethodSource("dropped")
    void isDroppedForOneReason(String rule, Counter reason, byte[] frame) {
        host.receives(frame);
        assertEquals(List.of(), host.segments, rule);
        assertEquals(reason, host.dropped());
        assertEquals(1, host.drops());
    }

    private void resolvePeer() {
        host.receives(Frames.solicitation(PEER6, V6, PEER_MAC));
        host.port.sent.clear();
    }

    static Stream<Arguments> reported() {
        return Stream.of(
                Arguments.of("unknown option", 2, 42, packet(DSTOPT, options(TCP, 1, 0x9e, 4), tcp())),
                Arguments.of("unknown option, unicast", 2, 42, packet(DSTOPT, options(TCP, 1, 0xde, 4), tcp())),
                Arguments.of("hop-by-hop not first", 1, 40, packet(DSTOPT, options(HOPOPT, 1), options(TCP, 1), tcp())),
                Arguments.of("routing with segments left", 0, 42, packet(IpProtocol.ROUTING, routing(TCP, 1), tcp())),
                Arguments.of("unknown next header", 1, 6, packet(253, tcp())),
                Arguments.of("unknown next header behind options", 1, 40, packet(DSTOPT, options(253, 1), tcp())),
                Arguments.of(
                        "a middle fragment of odd length",
                        0,
                        4,
                        packet(IpProtocol.FRAGMENT, Frames.fragmentHeader(TCP, 0, true, 1), new byte[9])),
                Arguments.of(
                        "a fragment beyond the largest packet",
                        0,
                        42,
                        packet(IpProtocol.FRAGMENT, Frames.fragmentHeader(TCP, 65_528, false, 1), new byte[16])));
    }

    @Rule("tcp.md: IPv6")
    @ParameterizedTest(name = "{0}")
    @MethodSource("reported")
    void aParameterProblemNamesTheOctet(String rule, int code, int pointer, byte[] frame) {
        resolvePeer();
        List<byte[]> answers = host.receives(frame);
        assertEquals(1, answers.size(), rule);
        byte[] answer = answers.get(0);
        assertEquals(Icmpv6Message.PARAMETER_PROBLEM, answer[Frames.V6_PAYLOAD]);
        assertEquals(code, answer[Frames.V6_PAYLOAD + 1]);
        assertEquals(pointer, Frames.unsignedShort(answer, Frames.V6_PAYLOAD + 6));
        assertArrayEquals(
                Arrays.copyOfRange(frame, Frames.IP, frame.length),
                Arrays.copyOfRange(answer, Frames.V6_PAYLOAD + 8, answer.length));
        assertTrue(isValidIcmp(answer));
    }

    private static boolean isValidIcmp(byte[] frame) {
        IpAddress source = Frames.address(frame, Frames.IP + 8, 16);
        IpAddress destination = Frames.address(frame, Frames.IP + 24, 16);
        return Frames.read(
                frame,
                at -> Icmpv6Message.isValid(
                        at + Frames.V6_PAYLOAD,
                        frame.length - Frames.V6_PAYLOAD,
                        source.high(),
                        source.low(),
                        destination.high(),
                        destination.low()));
    }

    @Test
    @Rule("tcp.md: ICMP")
    void nothingIsReportedAboutAnError() {
        resolvePeer();
        byte[] error = Frames.icmp6(PEER6, V6, 3, 0, 0, new byte[60]);
        byte[] behindUnknownOption = packet(DSTOPT, options(IpProtocol.ICMPV6, 1, 0x9e, 4), error);
        List<byte[]> answers = host.receives(behindUnknownOption);
        // the option comes first, so what follows is not known to be an error: one answer, and none to the answer
        assertEquals(1, answers.size());
        byte[] unknownError = Frames.icmp6(PEER6, V6, 100, 0, 0, new byte[60]);
        assertEquals(List.of(), host.receives(packet(IpProtocol.ICMPV6, unknownError)));
    }

    @Rule("tcp.md: ICMP")
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 56, 1452})
    void echoComesBackAsItWas(int size) {
        resolvePeer();
        byte[] data = new byte[size];
        new SplittableRandom(size).nextBytes(data);
        byte[] request = Frames.icmp6(PEER6, V6, Icmpv6Message.ECHO_REQUEST, 0, 0x1234_0007, data);
        List<byte[]> answers = host.receives(packet(IpProtocol.ICMPV6, request));
        assertEquals(1, answers.size());
        byte[] answer = answers.get(0);
        assertArrayEquals(
                Frames.icmp6(V6, PEER6, Icmpv6Message.ECHO_REPLY, 0, 0x1234_0007, data),
                Arrays.copyOfRange(answer, Frames.V6_PAYLOAD, answer.length));
        assertEquals(PEER_MAC, Frames.destinationMac(answer));
    }

    @Test
    @Rule("tcp.md: ICMP")
    void aDatagramForAClosedPortIsRefused() {
        resolvePeer();
        byte[] answer = host.receives(packet(IpProtocol.UDP, Frames.udp(PEER6, V6, new byte[1400])))
                .get(0);
        assertEquals(Icmpv6Message.DESTINATION_UNREACHABLE, answer[Frames.V6_PAYLOAD]);
        assertEquals(Icmpv6Message.PORT_UNREACHABLE, answer[Frames.V6_PAYLOAD + 1]);
        assertEquals(1280 + Frames.IP, answer.length);
        assertTrue(isValidIcmp(answer));
    }

    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @Test
    void anIcmpMessageShorterThanItsHeaderGetsNoAnswer() {
        resolvePeer();
        byte[] echo = Frames.bytes(4, at -> {
            Memory.putInt(at, Icmpv6Message.ECHO_REQUEST << 24);
            long sum = Checksum.pseudoHeader(PEER6, V6, IpProtocol.ICMPV6, 4);
            Memory.putShortNative(at + 2, Checksum.finish(Checksum.add(sum, at, 4)));
        });
        assertEquals(List.of(), host.receives(packet(IpProtocol.ICMPV6, echo)));
        assertEquals(Counter.DROP_ICMP_MALFORMED, host.dropped());
    }

    @Test
    void aDatagramWithoutAChecksumGetsNoAnswer() {
        byte[] udp = Frames.udp(PEER6, V6, new byte[10]);
        udp[6] = 0;
        udp[7] = 0;
        assertEquals(List.of(), host.receives(packet(IpProtocol.UDP, udp)));
        assertEquals(Counter.DROP_UDP_MALFORMED, host.dropped());
    }

    @Test
    void aDamagedMessageIsDropped() {
        byte[] message = Frames.icmp6(PEER6, V6, Icmpv6Message.ECHO_REQUEST, 0, 1, new byte[8]);
        message[9] ^= 1;
        assertEquals(List.of(), host.receives(packet(IpProtocol.ICMPV6, message)));
        assertEquals(Counter.DROP_ICMP_MALFORMED, host.dropped());
    }

    @Rule("RFC 9293 MUST-54")
    @ParameterizedTest
    @CsvSource({
        "1, 0, 0, NETWORK_UNREACHABLE, 0",
        "1, 1, 0, ADMINISTRATIVELY_PROHIBITED, 0",
        "1, 3, 0, HOST_UNREACHABLE, 0",
        "1, 4, 0, PORT_UNREACHABLE, 0",
        "2, 0, 1300, PACKET_TOO_BIG, 1300",
        "2, 0, -1, PACKET_TOO_BIG, 65535",
        "3, 0, 0, TIME_EXCEEDED, 0",
        "4, 0, 0, PARAMETER_PROBLEM, 0",
        "4, 1, 0, PROTOCOL_UNREACHABLE, 0"
    })
    void errorsAboutOurSegmentsReachTcp(int type, int code, int rest, String kind, int mtu) {
        byte[] ours = Frames.v6(V6, FAR6, TCP, 64, Frames.tcp(V6, FAR6, 4000, 443, 1000));
        byte[] quoted = Arrays.copyOfRange(ours, Frames.IP, Frames.IP + 48);
        host.receives(packet(IpProtocol.ICMPV6, Frames.icmp6(PEER6, V6, type, code, rest, quoted)));
        assertEquals(List.of(kind + " fd00:18::1:4000 > 2001:db8::9:443 seq 1 mtu " + mtu), host.errors);
        assertNull(host.dropped());
    }

    @Test
    @Rule("tcp.md: forged ICMP")
    void aQuotationThatIsCutOffIsDropped() {
        byte[] ours = Frames.v6(V6, FAR6, TCP, 64, Frames.tcp(V6, FAR6, 4000, 443, 1000));
        byte[] quoted = Arrays.copyOfRange(ours, Frames.IP, Frames.IP + 47);
        host.receives(packet(IpProtocol.ICMPV6, Frames.icmp6(PEER6, V6, 1, 0, 0, quoted)));
        assertEquals(Counter.DROP_ICMP_MALFORMED, host.dropped());
        assertEquals(List.of(), host.errors);
    }

    /** Its ports would be read from behind the message. */
    @Rule("tcp.md: forged ICMP")
    @Test
    void aQuotedFirstFragmentWithoutItsPortsIsDropped() {
        byte[] fragment = Frames.concat(Frames.fragmentHeader(TCP, 0, true, 1), Frames.tcp(V6, FAR6, 4000, 443, 8));
        byte[] ours = Frames.v6(V6, FAR6, IpProtocol.FRAGMENT, 64, fragment);
        for (int bytes : new int[] {48, 50, 55}) {
            byte[] quoted = Arrays.copyOfRange(ours, Frames.IP, Frames.IP + bytes);
            host.receives(packet(IpProtocol.ICMPV6, Frames.icmp6(PEER6, V6, 1, 0, 0, quoted)));
        }
        assertEquals(3, host.count(Counter.DROP_ICMP_NOT_ABOUT_US));
        assertEquals(List.of(), host.errors);
        byte[] enough = Arrays.copyOfRange(ours, Frames.IP, Frames.IP + 56);
        host.receives(packet(IpProtocol.ICMPV6, Frames.icmp6(PEER6, V6, 1, 0, 0, enough)));
        assertEquals(1, host.errors.size());
    }

    @Rule("RFC 9293 MUST-3")
    @Test
    void theChecksumCoversTheAddresses() {
        byte[] readdressed = Frames.v6(ip("fd00:18::3"), V6, TCP, 64, tcp());
        host.receives(readdressed);
        assertEquals(Counter.DROP_TCP_CHECKSUM, host.dropped());
    }
}
