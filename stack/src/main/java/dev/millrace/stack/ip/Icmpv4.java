package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * ICMP for IPv4 (RFC 792, 1122 §3.2.2): answers echo requests, reports undeliverable packets, hands errors about our segments up.
 * Both kinds of answer are rate-limited. Core thread only.
 */
final class Icmpv4 {
    /** RFC 1812 §4.3.2.3: as much of the packet as fits without the error exceeding 576 bytes. */
    private static final int MAX_ERROR_BYTES = 576 - Ipv4Header.MIN_BYTES;

    static final int ERRORS_PER_SECOND = 1000;
    static final int ERROR_BURST = 50;
    static final int ECHOS_PER_SECOND = 20_000;
    static final int ECHO_BURST = 2_000;

    private final IpOutput output;
    private final IcmpErrors errors;
    private final Counters counters;
    private final RateLimit errorLimit;
    private final RateLimit echoLimit;

    Icmpv4(IpOutput output, IcmpErrors errors, Counters counters, RandomGenerator random) {
        this.output = output;
        this.errors = errors;
        this.counters = counters;
        this.errorLimit = new RateLimit(ERRORS_PER_SECOND, ERROR_BURST, random);
        this.echoLimit = new RateLimit(ECHOS_PER_SECOND, ECHO_BURST, random);
    }

    /** A message of {@code length} bytes at {@code message}, to this host's unicast address, in the packet at {@code ip}. */
    void onMessage(long ip, long message, int length, long nowNs) {
        if (!Icmpv4Message.isValid(message, length)) {
            counters.increment(Counter.DROP_ICMP_MALFORMED);
            return;
        }
        int type = Icmpv4Message.type(message);
        int code = Icmpv4Message.code(message);
        IcmpError error = Icmpv4Message.error(type, code);
        if (error != null) {
            int mtu = error == IcmpError.PACKET_TOO_BIG ? Icmpv4Message.nextHopMtu(message) : 0;
            int quotedBytes = length - Icmpv4Message.HEADER_BYTES;
            errors.onQuotedV4(error, message + Icmpv4Message.HEADER_BYTES, quotedBytes, mtu, nowNs);
        } else if (type == Icmpv4Message.ECHO_REQUEST && code == 0) {
            answerEcho(ip, message, length, nowNs);
        } else {
            counters.increment(Counter.DROP_ICMP_IGNORED);
        }
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
        Icmpv4Message.write(packet.address, Icmpv4Message.ECHO_REPLY, 0, Memory.getInt(message + 4), length);
        output.send(packet, path, IpProtocol.ICMP, Ipv4Header.trafficClass(ip) & 0xfc, Kind.CONTROL, nowNs);
        counters.increment(Counter.ICMP_ECHOS_ANSWERED);
    }

    private @Nullable IpPath path(long ip) {
        return output.path(0, mapped(Ipv4Header.destination(ip)), 0, mapped(Ipv4Header.source(ip)));
    }

    private static long mapped(int address) {
        return 0xffff_0000_0000L | (address & 0xffff_ffffL);
    }

    /**
     * Reports a packet that cannot be delivered to its sender. The caller has seen to RFC 1122 §3.2.2: never about a broadcast, an ICMP
     * error, or a fragment but the first.
     *
     * @param available bytes of the packet that are there to be quoted
     */
    void sendError(long ip, int available, int type, int code, long nowNs) {
        IpPath path = path(ip);
        if (path == null) {
            return;
        }
        Packet packet = errorLimit.tryTake(nowNs) ? output.allocate(path) : null;
        if (packet == null) {
            counters.increment(Counter.ICMP_ERRORS_WITHHELD);
            return;
        }
        int quoted = Math.min(available, MAX_ERROR_BYTES - Icmpv4Message.HEADER_BYTES);
        Memory.copy(ip, packet.address + Icmpv4Message.HEADER_BYTES, quoted);
        packet.length = Icmpv4Message.HEADER_BYTES + quoted;
        Icmpv4Message.write(packet.address, type, code, 0, packet.length);
        output.send(packet, path, IpProtocol.ICMP, 0, Kind.CONTROL, nowNs);
        counters.increment(Counter.ICMP_ERRORS_SENT);
    }
}
