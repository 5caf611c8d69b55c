package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import org.jspecify.annotations.Nullable;

/**
 * Receives IPv4 packets (RFC 791, 1122 §3.2): validates, puts fragments together, and gives each to its protocol. Core thread only.
 *
 * <p>Nobody listens to broadcasts and multicasts here, so those end after the header check, unanswered (RFC 1122 §3.2.2).
 */
final class Ipv4Input {
    private static final long MAPPED = 0xffff_0000_0000L;

    private final OwnAddresses own;
    private final Reassembly reassembly;
    private final Icmpv4 icmp;
    private final TcpInput tcp;
    private final UdpInput udp;
    private final Relay relay;
    private final Counters counters;

    Ipv4Input(
            OwnAddresses own,
            Reassembly reassembly,
            Icmpv4 icmp,
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
     * @param toGroup the frame's destination was a broadcast or multicast hardware address
     */
    void onPacket(long ip, int length, boolean onLink, boolean verified, boolean toGroup, long nowNs) {
        Counter reason = examine(ip, length, onLink, toGroup);
        if (reason != null) {
            counters.increment(reason);
            return;
        }
        if (!Ipv4Header.isFragment(ip)) {
            deliver(ip, Ipv4Header.totalLength(ip), verified, nowNs);
            return;
        }
        Datagram whole = reassembly.addV4(ip, nowNs);
        if (whole != null && isElsewhere(whole)) {
            reassembly.release(whole);
        } else if (whole != null) {
            deliver(whole.packetAddress(), whole.packetBytes(), !onLink, nowNs);
            reassembly.release(whole);
        }
    }

    /** Datagrams are taken wherever they become whole. */
    private boolean isElsewhere(Datagram whole) {
        return Ipv4Header.protocol(whole.packetAddress()) != IpProtocol.UDP
                && relay.toItsShard(whole.packetAddress(), whole.packetBytes());
    }

    /** Why a packet is not for us, or null. */
    private @Nullable Counter examine(long ip, int length, boolean onLink, boolean toGroup) {
        Ipv4Header.Fault fault = Ipv4Header.check(ip, length);
        if (fault != Ipv4Header.Fault.NONE) {
            return switch (fault) {
                case BAD_CHECKSUM -> Counter.DROP_IPV4_CHECKSUM;
                case BAD_OPTION -> Counter.DROP_IPV4_OPTION;
                case SOURCE_ROUTE -> Counter.DROP_IPV4_SOURCE_ROUTE;
                default -> Counter.DROP_IPV4_MALFORMED;
            };
        }
        int source = Ipv4Header.source(ip);
        int destination = Ipv4Header.destination(ip);
        long mappedSource = mapped(source);
        long mappedDestination = mapped(destination);
        if (!onLink) {
            boolean stays = own.isLocal(0, mappedSource) && own.isLocal(0, mappedDestination);
            return stays ? null : Counter.DROP_IP_MARTIAN;
        }
        if (isMartian(source) || own.contains(0, mappedSource)) { // the latter: spoofed, LAND among them
            return Counter.DROP_IP_MARTIAN;
        }
        if (!own.contains(0, mappedDestination)) {
            boolean group = destination >>> 28 == 0xe || own.isBroadcast(destination);
            boolean martian = destination >>> 24 == 127 || destination == 0;
            return group ? Counter.DROP_IP_GROUP : martian ? Counter.DROP_IP_MARTIAN : Counter.DROP_IP_NOT_FOR_US;
        }
        return toGroup ? Counter.DROP_IP_GROUP : null; // RFC 1122 §3.3.6
    }

    /** A source that no single other host can have (RFC 1122 §3.2.1.3): this network, loopback, multicast, reserved, broadcast. */
    private boolean isMartian(int source) {
        int first = source >>> 24;
        return first == 0 || first == 127 || first >= 224 || own.isBroadcast(source);
    }

    private void deliver(long ip, int length, boolean verified, long nowNs) {
        int headerBytes = Ipv4Header.headerBytes(ip);
        long payload = ip + headerBytes;
        int payloadBytes = length - headerBytes;
        switch (Ipv4Header.protocol(ip)) {
            case IpProtocol.TCP -> {
                long source = mapped(Ipv4Header.source(ip));
                long destination = mapped(Ipv4Header.destination(ip));
                int trafficClass = Ipv4Header.trafficClass(ip);
                tcp.onSegment(payload, payloadBytes, 0, source, 0, destination, trafficClass, verified, nowNs);
            }
            case IpProtocol.ICMP -> icmp.onMessage(ip, payload, payloadBytes, nowNs);
            case IpProtocol.UDP -> onUdp(ip, payload, payloadBytes, verified, nowNs);
            default -> {
                counters.increment(Counter.DROP_UNKNOWN_PROTOCOL);
                refuse(ip, Icmpv4Message.PROTOCOL_UNREACHABLE, nowNs);
            }
        }
    }

    /** Nobody has the port: RFC 1122 §4.1.3.1. */
    private void onUdp(long ip, long datagram, int length, boolean verified, long nowNs) {
        long source = mapped(Ipv4Header.source(ip));
        long destination = mapped(Ipv4Header.destination(ip));
        if (!udp.onDatagram(datagram, length, 0, source, 0, destination, Ipv4Header.trafficClass(ip), verified)) {
            refuse(ip, Icmpv4Message.PORT_UNREACHABLE, nowNs);
        }
    }

    private void refuse(long ip, int code, long nowNs) {
        icmp.sendError(ip, Ipv4Header.totalLength(ip), Icmpv4Message.DESTINATION_UNREACHABLE, code, nowNs);
    }

    private static long mapped(int address) {
        return MAPPED | (address & 0xffff_ffffL);
    }
}
