package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.FragmentHeader;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv6Extensions;
import dev.millrace.stack.wire.Ipv6Extensions.Result;
import dev.millrace.stack.wire.Ipv6Header;
import org.jspecify.annotations.Nullable;

/**
 * Receives IPv6 packets (RFC 8200): validates, steps over extension headers, puts fragments together, and gives each to its protocol.
 * Core thread only.
 */
final class Ipv6Input {
    private static final int MAX_PAYLOAD = 65_535;

    private final OwnAddresses own;
    private final Reassembly reassembly;
    private final Icmpv6 icmp;
    private final TcpInput tcp;
    private final UdpInput udp;
    private final Relay relay;
    private final Counters counters;
    private final Ipv6Extensions extensions = new Ipv6Extensions();

    Ipv6Input(
            OwnAddresses own,
            Reassembly reassembly,
            Icmpv6 icmp,
            TcpInput tcp,
            UdpInput udp,
            Relay relay,
            Counters counters) {
        this.own = own;
        this.reassembly = reassembly;
        this.icmp = icmp;
        this.tcp = tcp;
        this.udp = udp;
        this.relay = relay;
        this.counters = counters;
    }

    /**
     * @param length bytes of the frame from {@code ip} on; may include padding
     * @param onLink the packet came over the link, not from this host
     * @param verified checksums need not be looked at
     */
    void onPacket(long ip, int length, boolean onLink, boolean verified, boolean toGroup, long nowNs) {
        Counter reason = examine(ip, length, onLink, toGroup);
        if (reason != null) {
            counters.increment(reason);
            return;
        }
        boolean group = Ipv6Header.destinationHigh(ip) >>> 56 == 0xff;
        Result result = extensions.walk(ip);
        boolean fragment = result == Result.FRAGMENT;
        if (fragment && isWhole()) {
            result = extensions.walkBehindFragmentHeader();
        } else if (fragment) {
            onFragment(ip, group, onLink, nowNs);
            return;
        }
        conclude(result, ip, group, onLink, verified, fragment, nowNs);
    }

    /** Why a packet is not for us, or null. */
    private @Nullable Counter examine(long ip, int length, boolean onLink, boolean toGroup) {
        if (!Ipv6Header.isValid(ip, length)) {
            return Counter.DROP_IPV6_MALFORMED;
        }
        long sourceHigh = Ipv6Header.sourceHigh(ip);
        long sourceLow = Ipv6Header.sourceLow(ip);
        long high = Ipv6Header.destinationHigh(ip);
        long low = Ipv6Header.destinationLow(ip);
        // a mapped address on the wire would be taken for the IPv4 one (RFC 6890 §2.2.3)
        if (sourceHigh >>> 56 == 0xff || IpAddress.isV4(sourceHigh, sourceLow) || IpAddress.isV4(high, low)) {
            return Counter.DROP_IP_MARTIAN;
        }
        if (!onLink) {
            boolean stays = own.isLocal(sourceHigh, sourceLow) && own.isLocal(high, low);
            return stays ? null : Counter.DROP_IP_MARTIAN;
        }
        if (own.isLocal(sourceHigh, sourceLow) || OwnAddresses.isLoopback(high, low)) { // spoofed, LAND among them
            return Counter.DROP_IP_MARTIAN;
        }
        if (high >>> 56 == 0xff) {
            return own.isJoined(high, low) ? null : Counter.DROP_IP_GROUP;
        }
        if (!own.contains(high, low)) {
            return Counter.DROP_IP_NOT_FOR_US;
        }
        return toGroup ? Counter.DROP_IP_GROUP : null;
    }

    // ---- fragments ----

    /** RFC 6946: a fragment header on a packet that is not in pieces. */
    private boolean isWhole() {
        long header = extensions.payloadAddress;
        return FragmentHeader.offset(header) == 0 && !FragmentHeader.moreFragments(header);
    }

    private void onFragment(long ip, boolean group, boolean onLink, long nowNs) {
        long header = extensions.payloadAddress;
        int bytes = extensions.payloadLength;
        int payload = bytes - FragmentHeader.BYTES;
        if (group || isUnspecifiedSource(ip)) {
            counters.increment(group ? Counter.DROP_IP_GROUP : Counter.DROP_IP_MARTIAN);
            return;
        }
        int pointer = -1;
        if (FragmentHeader.moreFragments(header) && payload % 8 != 0) {
            pointer = 4; // RFC 8200 §4.5: the payload length field
        } else if (FragmentHeader.offset(header) + payload > MAX_PAYLOAD) {
            pointer = (int) (header - ip) + 2; // the fragment offset field
        }
        if (pointer >= 0) {
            counters.increment(Counter.DROP_FRAGMENT_MALFORMED);
            report(ip, Icmpv6Message.PARAMETER_PROBLEM, Icmpv6Message.ERRONEOUS_FIELD, pointer, nowNs);
            return;
        }
        Datagram whole = reassembly.addV6(ip, header, bytes, nowNs);
        if (whole == null) {
            return;
        }
        long packet = whole.packetAddress();
        boolean datagram = Ipv6Header.nextHeader(packet) == IpProtocol.UDP; // taken wherever it becomes whole
        if (!datagram && relay.toItsShard(packet, whole.packetBytes())) {
            reassembly.release(whole);
            return;
        }
        // hop-by-hop options belong before the fragment header, and there is one fragment header
        boolean nested = Ipv6Header.nextHeader(packet) == IpProtocol.HOP_BY_HOP;
        Result result = nested ? Result.MALFORMED : extensions.walk(packet);
        if (result == Result.FRAGMENT) {
            result = Result.MALFORMED;
        }
        conclude(result, packet, false, onLink, !onLink, true, nowNs);
        reassembly.release(whole);
    }

    // ---- delivery ----

    private void conclude(
            Result result, long ip, boolean group, boolean onLink, boolean verified, boolean fragmented, long nowNs) {
        if (result == Result.UPPER_LAYER) {
            deliver(ip, group, onLink, verified, fragmented, nowNs);
            return;
        }
        counters.increment(Counter.DROP_IPV6_EXTENSION);
        int code = switch (result) {
            case UNKNOWN_OPTION_REPORT -> Icmpv6Message.UNRECOGNIZED_OPTION;
            case UNKNOWN_OPTION_REPORT_UNICAST -> group ? -1 : Icmpv6Message.UNRECOGNIZED_OPTION;
            case UNEXPECTED_HEADER -> group ? -1 : Icmpv6Message.UNRECOGNIZED_NEXT_HEADER;
            case ROUTING_HEADER -> group ? -1 : Icmpv6Message.ERRONEOUS_FIELD;
            default -> -1;
        };
        // an error needs an address of ours to come from, which a group does not give: even where RFC 4443 §2.4 (e.3)
        // would allow it
        if (code >= 0 && !group) {
            report(ip, Icmpv6Message.PARAMETER_PROBLEM, code, extensions.pointer, nowNs);
        }
    }

    private void deliver(long ip, boolean group, boolean onLink, boolean verified, boolean fragmented, long nowNs) {
        long payload = extensions.payloadAddress;
        int length = extensions.payloadLength;
        if (extensions.protocol == IpProtocol.ICMPV6) {
            icmp.onMessage(ip, payload, length, group, onLink, fragmented, nowNs);
            return;
        }
        if (group || isUnspecifiedSource(ip)) {
            counters.increment(group ? Counter.DROP_IP_GROUP : Counter.DROP_IP_MARTIAN);
            return;
        }
        switch (extensions.protocol) {
            case IpProtocol.TCP ->
                tcp.onSegment(
                        payload,
                        length,
                        Ipv6Header.sourceHigh(ip),
                        Ipv6Header.sourceLow(ip),
                        Ipv6Header.destinationHigh(ip),
                        Ipv6Header.destinationLow(ip),
                        Ipv6Header.trafficClass(ip),
                        verified,
                        nowNs);
            case IpProtocol.UDP -> onUdp(ip, payload, length, verified, nowNs);
            case IpProtocol.NO_NEXT_HEADER -> counters.increment(Counter.DROP_UNKNOWN_PROTOCOL);
            default -> {
                counters.increment(Counter.DROP_UNKNOWN_PROTOCOL);
                report(
                        ip,
                        Icmpv6Message.PARAMETER_PROBLEM,
                        Icmpv6Message.UNRECOGNIZED_NEXT_HEADER,
                        extensions.protocolPointer,
                        nowNs);
            }
        }
    }

    /** Nobody has the port: RFC 4443 §3.1. */
    private void onUdp(long ip, long datagram, int length, boolean verified, long nowNs) {
        boolean taken = udp.onDatagram(
                datagram,
                length,
                Ipv6Header.sourceHigh(ip),
                Ipv6Header.sourceLow(ip),
                Ipv6Header.destinationHigh(ip),
                Ipv6Header.destinationLow(ip),
                Ipv6Header.trafficClass(ip),
                verified);
        if (!taken) {
            report(ip, Icmpv6Message.DESTINATION_UNREACHABLE, Icmpv6Message.PORT_UNREACHABLE, 0, nowNs);
        }
    }

    private static boolean isUnspecifiedSource(long ip) {
        return Ipv6Header.sourceHigh(ip) == 0 && Ipv6Header.sourceLow(ip) == 0;
    }

    /** RFC 4443 §2.4 (e): not to an unspecified source, not about an ICMPv6 error. */
    private void report(long ip, int type, int code, int rest, long nowNs) {
        if (isUnspecifiedSource(ip) || isIcmpError()) {
            return;
        }
        icmp.sendError(ip, Ipv6Header.BYTES + Ipv6Header.payloadLength(ip), type, code, rest, nowNs);
    }

    private boolean isIcmpError() {
        return extensions.protocol == IpProtocol.ICMPV6
                && extensions.payloadLength > 0
                && Icmpv6Message.isError(Icmpv6Message.type(extensions.payloadAddress));
    }
}
