package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv6Header;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * ICMPv6 (RFC 4443): answers echo requests, reports undeliverable packets, hands errors about our segments up, and gives neighbour
 * discovery and multicast listener discovery theirs. Answers are rate-limited. Core thread only.
 */
final class Icmpv6 {
    /** RFC 4443 §2.4 (c): errors do not exceed the minimum MTU. */
    private static final int MAX_ERROR_BYTES = 1280 - Ipv6Header.BYTES;

    private final IpOutput output;
    private final IcmpErrors errors;
    private final @Nullable NeighborDiscovery discovery;
    private final Counters counters;
    private final RateLimit errorLimit;
    private final RateLimit echoLimit;

    Icmpv6(
            IpOutput output,
            IcmpErrors errors,
            @Nullable NeighborDiscovery discovery,
            Counters counters,
            RandomGenerator random) {
        this.output = output;
        this.errors = errors;
        this.discovery = discovery;
        this.counters = counters;
        this.errorLimit = new RateLimit(Icmpv4.ERRORS_PER_SECOND, Icmpv4.ERROR_BURST, random);
        this.echoLimit = new RateLimit(Icmpv4.ECHOS_PER_SECOND, Icmpv4.ECHO_BURST, random);
    }

    /** A message of {@code length} bytes at {@code message} in the packet at {@code ip}, to an own address or a group we are in. */
    void onMessage(
            long ip, long message, int length, boolean group, boolean fromLink, boolean reassembled, long nowNs) {
        if (!Icmpv6Message.isValid(
                message,
                length,
                Ipv6Header.sourceHigh(ip),
                Ipv6Header.sourceLow(ip),
                Ipv6Header.destinationHigh(ip),
                Ipv6Header.destinationLow(ip))) {
            counters.increment(Counter.DROP_ICMP_MALFORMED);
            return;
        }
        int type = Icmpv6Message.type(message);
        int code = Icmpv6Message.code(message);
        IcmpError error = Icmpv6Message.error(type, code);
        if (error != null) {
            int mtu = error == IcmpError.PACKET_TOO_BIG ? mtu(message) : 0;
            int quotedBytes = length - Icmpv6Message.HEADER_BYTES;
            errors.onQuotedV6(error, message + Icmpv6Message.HEADER_BYTES, quotedBytes, mtu, nowNs);
        } else if (type == Icmpv6Message.ECHO_REQUEST && code == 0 && !group) {
            answerEcho(ip, message, length, nowNs);
        } else if (isDiscovery(type) && fromLink && discovery != null && !reassembled) { // RFC 6980: never in fragments
            discovery.onMessage(ip, message, length, group, nowNs);
        } else {
            counters.increment(Counter.DROP_ICMP_IGNORED);
        }
    }

    /** An unsigned 32-bit field, of which nothing above a packet's largest size means anything. */
    private static int mtu(long message) {
        int mtu = Icmpv6Message.rest(message);
        return mtu < 0 ? 65_535 : Math.min(mtu, 65_535);
    }

    private static boolean isDiscovery(int type) {
        return type == Icmpv6Message.NEIGHBOR_SOLICITATION
                || type == Icmpv6Message.NEIGHBOR_ADVERTISEMENT
                || type == Icmpv6Message.ROUTER_ADVERTISEMENT
                || type == Icmpv6Message.MULTICAST_LISTENER_QUERY;
    }

    private void answerEcho(long ip, long message, int length, long nowNs) {
        IpPath path = path(ip);
        if (path == null || length > path.segmentBytes()) { // nothing that leaves is fragmented
            counters.increment(Counter.DROP_ICMP_IGNORED);
            return;
        }
        Packet packet = echoLimit.tryTake(nowNs) ? output.allocate(path) : null;
        if (packet == null) {
            counters.increment(Counter.DROP_ICMP_RATE);
            return;
        }
        Memory.copy(message, packet.address, length);
        packet.length = length;
        send(packet, path, Icmpv6Message.ECHO_REPLY, 0, Icmpv6Message.rest(message), nowNs);
        counters.increment(Counter.ICMP_ECHOS_ANSWERED);
    }

    private @Nullable IpPath path(long ip) {
        return output.path(
                Ipv6Header.destinationHigh(ip),
                Ipv6Header.destinationLow(ip),
                Ipv6Header.sourceHigh(ip),
                Ipv6Header.sourceLow(ip));
    }

    private void send(Packet packet, IpPath path, int type, int code, int rest, long nowNs) {
        Icmpv6Message.write(
                packet.address,
                type,
                code,
                rest,
                packet.length,
                path.local.high(),
                path.local.low(),
                path.remote.high(),
                path.remote.low());
        output.send(packet, path, IpProtocol.ICMPV6, 0, Kind.CONTROL, nowNs);
    }

    /**
     * Reports a packet that cannot be delivered to its sender. The caller has seen to RFC 4443 §2.4 (e): never about a packet to a group,
     * an ICMPv6 error, or from an address that is no single host's.
     *
     * @param available bytes of the packet that are there to be quoted
     * @param rest the pointer of a parameter problem, else 0
     */
    void sendError(long ip, int available, int type, int code, int rest, long nowNs) {
        IpPath path = path(ip);
        if (path == null) {
            return;
        }
        Packet packet = errorLimit.tryTake(nowNs) ? output.allocate(path) : null;
        if (packet == null) {
            counters.increment(Counter.ICMP_ERRORS_WITHHELD);
            return;
        }
        int quoted = Math.min(available, MAX_ERROR_BYTES - Icmpv6Message.HEADER_BYTES);
        Memory.copy(ip, packet.address + Icmpv6Message.HEADER_BYTES, quoted);
        packet.length = Icmpv6Message.HEADER_BYTES + quoted;
        send(packet, path, type, code, rest, nowNs);
        counters.increment(Counter.ICMP_ERRORS_SENT);
    }
}
