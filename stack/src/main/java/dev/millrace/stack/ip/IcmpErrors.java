package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.FragmentHeader;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;

/**
 * Reads the beginning of a packet that an ICMP error quotes and tells TCP or UDP about what is in it. What is quoted may be cut off after
 * eight bytes (RFC 792), may be forged, and must be about a packet that this host can have sent. Core thread only.
 */
final class IcmpErrors {
    /** Ports, and TCP's sequence number or the rest of UDP's header. */
    private static final int QUOTED_UPPER_BYTES = 8;

    /** RFC 1191 §7: sizes that links have, for routers that tell none. */
    private static final int[] PLATEAUS = {32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 508, 296, 68};

    private final OwnAddresses own;
    private final IpUpcalls upcalls;
    private final Counters counters;

    IcmpErrors(OwnAddresses own, IpUpcalls upcalls, Counters counters) {
        this.own = own;
        this.upcalls = upcalls;
        this.counters = counters;
    }

    /** An ICMPv4 error whose quoted packet begins at {@code quoted}. {@code mtu} may be 0: unknown. */
    void onQuotedV4(IcmpError kind, long quoted, int length, int mtu, long nowNs) {
        if (length < Ipv4Header.MIN_BYTES
                || Memory.getUnsignedByte(quoted) >>> 4 != 4
                || Ipv4Header.headerBytes(quoted) < Ipv4Header.MIN_BYTES
                || Ipv4Header.headerBytes(quoted) > length - QUOTED_UPPER_BYTES) {
            counters.increment(Counter.DROP_ICMP_MALFORMED);
            return;
        }
        long local = mapped(Ipv4Header.source(quoted));
        long remote = mapped(Ipv4Header.destination(quoted));
        int protocol = Ipv4Header.protocol(quoted);
        if (!isOurs(protocol) || Ipv4Header.fragmentOffset(quoted) != 0 || !own.isLocal(0, local)) {
            counters.increment(Counter.DROP_ICMP_NOT_ABOUT_US);
            return;
        }
        int nextHopMtu = mtu;
        if (kind == IcmpError.PACKET_TOO_BIG && mtu == 0) {
            nextHopMtu = plateauBelow(Ipv4Header.totalLength(quoted));
        }
        report(kind, protocol, 0, local, 0, remote, quoted + Ipv4Header.headerBytes(quoted), nextHopMtu, nowNs);
    }

    /** An ICMPv6 error whose quoted packet begins at {@code quoted}. */
    void onQuotedV6(IcmpError kind, long quoted, int length, int mtu, long nowNs) {
        if (length < Ipv6Header.BYTES + QUOTED_UPPER_BYTES || Memory.getUnsignedByte(quoted) >>> 4 != 6) {
            counters.increment(Counter.DROP_ICMP_MALFORMED);
            return;
        }
        long localHigh = Ipv6Header.sourceHigh(quoted);
        long localLow = Ipv6Header.sourceLow(quoted);
        // of extension headers, this host uses the fragment header alone
        long upper = quoted + Ipv6Header.BYTES;
        int protocol = Ipv6Header.nextHeader(quoted);
        if (protocol == IpProtocol.FRAGMENT && isFirstFragment(upper, length)) {
            protocol = FragmentHeader.nextHeader(upper);
            upper += FragmentHeader.BYTES;
        }
        if (!isOurs(protocol) || IpAddress.isV4(localHigh, localLow) || !own.isLocal(localHigh, localLow)) {
            counters.increment(Counter.DROP_ICMP_NOT_ABOUT_US);
            return;
        }
        report(
                kind,
                protocol,
                localHigh,
                localLow,
                Ipv6Header.destinationHigh(quoted),
                Ipv6Header.destinationLow(quoted),
                upper,
                mtu,
                nowNs);
    }

    private static boolean isOurs(int protocol) {
        return protocol == IpProtocol.TCP || protocol == IpProtocol.UDP;
    }

    private static boolean isFirstFragment(long fragment, int quotedBytes) {
        return quotedBytes >= Ipv6Header.BYTES + FragmentHeader.BYTES + QUOTED_UPPER_BYTES
                && FragmentHeader.offset(fragment) == 0;
    }

    private void report(
            IcmpError kind,
            int protocol,
            long localHigh,
            long localLow,
            long remoteHigh,
            long remoteLow,
            long upper,
            int mtu,
            long nowNs) {
        counters.increment(Counter.ICMP_ERRORS_RECEIVED);
        int localPort = Memory.getUnsignedShort(upper);
        int remotePort = Memory.getUnsignedShort(upper + 2);
        int nextHopMtu = kind == IcmpError.PACKET_TOO_BIG ? mtu : 0;
        if (protocol == IpProtocol.UDP) {
            upcalls.onUdpError(
                    kind, localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort, nextHopMtu, nowNs);
            return;
        }
        upcalls.onIcmpError(
                kind,
                localHigh,
                localLow,
                localPort,
                remoteHigh,
                remoteLow,
                remotePort,
                Memory.getInt(upper + 4),
                nextHopMtu,
                nowNs);
    }

    /** A packet of ours, from its IP header on, whose next hop does not answer (RFC 1122 §2.4, 4861 §7.2.2). */
    void onUnresolved(long packet, int length, long nowNs) {
        boolean v4 = Memory.getUnsignedByte(packet) >>> 4 == 4;
        if (v4 && Ipv4Header.protocol(packet) == IpProtocol.TCP) {
            onQuotedV4(IcmpError.HOST_UNREACHABLE, packet, length, 0, nowNs);
        } else if (!v4 && Ipv6Header.nextHeader(packet) == IpProtocol.TCP) {
            onQuotedV6(IcmpError.HOST_UNREACHABLE, packet, length, 0, nowNs);
        }
    }

    private static long mapped(int address) {
        return 0xffff_0000_0000L | (address & 0xffff_ffffL);
    }

    private static int plateauBelow(int packetBytes) {
        for (int plateau : PLATEAUS) {
            if (plateau < packetBytes) {
                return plateau;
            }
        }
        return PLATEAUS[PLATEAUS.length - 1];
    }
}
