package dev.millrace.compat.simulate;

import dev.millrace.stack.wire.IpAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Ethernet frames as arrays of bytes: what the network, which is no part of the stack, reads from them, and what routers make of them. Written
 * from the RFCs, independently of the engine's own {@code wire} package, which it tests.
 */
final class Frames {
    static final int ETHERNET_BYTES = 14;
    static final int IPV4_BYTES = 20;
    static final int IPV6_BYTES = 40;
    static final int TCP = 6;

    private static final int TYPE_IPV4 = 0x0800;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int ICMP = 1;
    private static final int ICMPV6 = 58;
    private static final int FRAGMENT = 44;
    private static final int DO_NOT_FRAGMENT = 0x4000;
    private static final int MORE_FRAGMENTS = 0x2000;
    private static final long ROUTER_MAC = 0x02_00_00_00_00_ffL;
    /** Addresses of the router that reports packets as too big; on the link, and nobody's. */
    static final IpAddress ROUTER_V4 = IpAddress.v4(0xc61200fe);

    static final IpAddress ROUTER_V6 = new IpAddress(0xfd00_0018_0000_0000L, 0xfe);

    private Frames() {}

    // ---- reading ----

    static int u8(byte[] bytes, int at) {
        return bytes[at] & 0xff;
    }

    static int u16(byte[] bytes, int at) {
        return u8(bytes, at) << 8 | u8(bytes, at + 1);
    }

    static int i32(byte[] bytes, int at) {
        return u16(bytes, at) << 16 | u16(bytes, at + 2);
    }

    static long i64(byte[] bytes, int at) {
        return (long) i32(bytes, at) << 32 | i32(bytes, at + 4) & 0xffff_ffffL;
    }

    static long destinationMac(byte[] frame) {
        return (long) u16(frame, 0) << 32 | i32(frame, 2) & 0xffff_ffffL;
    }

    static int type(byte[] frame) {
        return u16(frame, 12);
    }

    static boolean isV4(byte[] frame) {
        return type(frame) == TYPE_IPV4;
    }

    /** With a whole fixed header. */
    static boolean isIp(byte[] frame) {
        return frame.length >= ETHERNET_BYTES + IPV4_BYTES && isV4(frame)
                || frame.length >= ETHERNET_BYTES + IPV6_BYTES && type(frame) == TYPE_IPV6;
    }

    /** Of the IP packet; 0 when there is none. */
    static int ipLength(byte[] frame) {
        return isIp(frame) ? frame.length - ETHERNET_BYTES : 0;
    }

    static IpAddress source(byte[] frame) {
        return isV4(frame)
                ? IpAddress.v4(i32(frame, ETHERNET_BYTES + 12))
                : new IpAddress(i64(frame, ETHERNET_BYTES + 8), i64(frame, ETHERNET_BYTES + 16));
    }

    static IpAddress destination(byte[] frame) {
        return isV4(frame)
                ? IpAddress.v4(i32(frame, ETHERNET_BYTES + 16))
                : new IpAddress(i64(frame, ETHERNET_BYTES + 24), i64(frame, ETHERNET_BYTES + 32));
    }

    static int protocol(byte[] frame) {
        return isV4(frame) ? u8(frame, ETHERNET_BYTES + 9) : u8(frame, ETHERNET_BYTES + 6);
    }

    /** Where the transport header of a packet without options, extension headers and fragmentation begins. */
    static int transportAt(byte[] frame) {
        return ETHERNET_BYTES + (isV4(frame) ? IPV4_BYTES : IPV6_BYTES);
    }

    static boolean isTcp(byte[] frame) {
        return isIp(frame) && protocol(frame) == TCP && frame.length >= transportAt(frame) + 20;
    }

    /** A part of a packet. */
    static boolean isFragment(byte[] frame) {
        return isV4(frame) ? (u16(frame, ETHERNET_BYTES + 6) & 0x3fff) != 0 : u8(frame, ETHERNET_BYTES + 6) == FRAGMENT;
    }

    /** Routers fragment IPv4 packets that do not forbid it. */
    static boolean mayBeFragmented(byte[] frame) {
        return isV4(frame) && (u16(frame, ETHERNET_BYTES + 6) & DO_NOT_FRAGMENT) == 0;
    }

    static boolean isEcnCapable(byte[] frame) {
        return isIp(frame) && (ecn(frame) == 1 || ecn(frame) == 2);
    }

    private static int ecn(byte[] frame) {
        return isV4(frame) ? frame[ETHERNET_BYTES + 1] & 3 : frame[ETHERNET_BYTES + 1] >>> 4 & 3;
    }

    // ---- what happens on the way ----

    /** A copy that says congestion experienced (RFC 3168 §5). */
    static byte[] marked(byte[] frame) {
        byte[] copy = frame.clone();
        if (isV4(copy)) {
            copy[ETHERNET_BYTES + 1] |= 3;
            putChecksumV4(copy, ETHERNET_BYTES);
        } else {
            copy[ETHERNET_BYTES + 1] |= 0x30;
        }
        return copy;
    }

    /** A copy with one bit behind the Ethernet header flipped; every checksum finds that. */
    static byte[] damaged(byte[] frame, int bit) {
        byte[] copy = frame.clone();
        int at = ETHERNET_BYTES + (bit >>> 3) % (frame.length - ETHERNET_BYTES);
        copy[at] ^= (byte) (1 << (bit & 7));
        return copy;
    }

    /** The pieces, as a router makes them of an IPv4 packet without options (RFC 791 §3.2). */
    static List<byte[]> fragments(byte[] frame, int mtu) {
        int head = ETHERNET_BYTES + IPV4_BYTES;
        int each = mtu - IPV4_BYTES & ~7;
        int field = u16(frame, ETHERNET_BYTES + 6);
        List<byte[]> pieces = new ArrayList<>();
        for (int from = 0; from < frame.length - head; from += each) {
            int length = Math.min(each, frame.length - head - from);
            boolean last = from + length == frame.length - head;
            byte[] piece = Arrays.copyOf(frame, head + length);
            System.arraycopy(frame, head + from, piece, head, length);
            put16(piece, ETHERNET_BYTES + 2, IPV4_BYTES + length);
            put16(piece, ETHERNET_BYTES + 6, field + from / 8 | (last ? 0 : MORE_FRAGMENTS));
            putChecksumV4(piece, ETHERNET_BYTES);
            pieces.add(piece);
        }
        return pieces;
    }

    /** What a router says to the sender of a packet that its next link does not take (RFC 1191 §4, RFC 4443 §3.2). */
    static byte[] tooBig(byte[] frame, int mtu) {
        boolean v4 = isV4(frame);
        return error(frame, v4 ? 3 : 2, v4 ? 4 : 0, mtu);
    }

    /** An ICMP error of that type and code about a packet, to its sender. */
    static byte[] error(byte[] frame, int type, int code, int rest) {
        boolean v4 = isV4(frame);
        int quoted = Math.min(frame.length - ETHERNET_BYTES, v4 ? IPV4_BYTES + 8 : 1232);
        byte[] icmp = new byte[8 + quoted];
        icmp[0] = (byte) type;
        icmp[1] = (byte) code;
        put32(icmp, 4, rest);
        System.arraycopy(frame, ETHERNET_BYTES, icmp, 8, quoted);
        return v4
                ? icmpV4(ROUTER_V4, source(frame), icmp, sourceMac(frame))
                : icmpV6(ROUTER_V6, source(frame), icmp, sourceMac(frame));
    }

    static long sourceMac(byte[] frame) {
        return (long) u16(frame, 6) << 32 | i32(frame, 8) & 0xffff_ffffL;
    }

    /** @param icmp the message with checksum zero */
    static byte[] icmpV4(IpAddress source, IpAddress destination, byte[] icmp, long destinationMac) {
        put16(icmp, 2, ~sum(icmp, 0, icmp.length, 0));
        return ip(source, destination, ICMP, 0, icmp, ROUTER_MAC, destinationMac);
    }

    static byte[] icmpV6(IpAddress source, IpAddress destination, byte[] icmp, long destinationMac) {
        put16(icmp, 2, ~sum(icmp, 0, icmp.length, pseudoHeader(source, destination, ICMPV6, icmp.length)));
        return ip(source, destination, ICMPV6, 0, icmp, ROUTER_MAC, destinationMac);
    }

    // ---- writing ----

    static void put16(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }

    static void put32(byte[] bytes, int at, int value) {
        put16(bytes, at, value >>> 16);
        put16(bytes, at + 2, value);
    }

    static void put64(byte[] bytes, int at, long value) {
        put32(bytes, at, (int) (value >>> 32));
        put32(bytes, at + 4, (int) value);
    }

    private static void putMac(byte[] bytes, int at, long mac) {
        put16(bytes, at, (int) (mac >>> 32));
        put32(bytes, at + 2, (int) mac);
    }

    /** A whole frame around an upper-layer packet whose checksum is right already. */
    static byte[] ip(
            IpAddress source,
            IpAddress destination,
            int protocol,
            int trafficClass,
            byte[] payload,
            long sourceMac,
            long destinationMac) {
        boolean v4 = source.isV4();
        int header = v4 ? IPV4_BYTES : IPV6_BYTES;
        byte[] frame = new byte[ETHERNET_BYTES + header + payload.length];
        putMac(frame, 0, destinationMac);
        putMac(frame, 6, sourceMac);
        put16(frame, 12, v4 ? TYPE_IPV4 : TYPE_IPV6);
        int at = ETHERNET_BYTES;
        if (v4) {
            put16(frame, at, 0x4500 | trafficClass);
            put16(frame, at + 2, header + payload.length);
            put16(frame, at + 6, 0x4000); // do not fragment
            put16(frame, at + 8, 64 << 8 | protocol);
            put32(frame, at + 12, source.v4Bits());
            put32(frame, at + 16, destination.v4Bits());
            putChecksumV4(frame, at);
        } else {
            put32(frame, at, 6 << 28 | trafficClass << 20);
            put16(frame, at + 4, payload.length);
            put16(frame, at + 6, protocol << 8 | 64);
            put64(frame, at + 8, source.high());
            put64(frame, at + 16, source.low());
            put64(frame, at + 24, destination.high());
            put64(frame, at + 32, destination.low());
        }
        System.arraycopy(payload, 0, frame, at + header, payload.length);
        return frame;
    }

    private static void putChecksumV4(byte[] frame, int at) {
        put16(frame, at + 10, 0);
        put16(frame, at + 10, ~sum(frame, at, IPV4_BYTES, 0));
    }

    /** Makes the TCP checksum of a frame right after its header or payload was changed. */
    static void putTcpChecksum(byte[] frame) {
        int at = transportAt(frame);
        int length = frame.length - at;
        put16(frame, at + 16, 0);
        put16(frame, at + 16, ~sum(frame, at, length, pseudoHeader(source(frame), destination(frame), TCP, length)));
    }

    static int pseudoHeader(IpAddress source, IpAddress destination, int protocol, int length) {
        int sum = protocol + (length >>> 16) + (length & 0xffff);
        byte[] from = source.bytes();
        byte[] to = destination.bytes();
        return sum(to, 0, to.length, sum(from, 0, from.length, sum));
    }

    /** The one's complement sum of RFC 1071, folded to 16 bits. */
    static int sum(byte[] bytes, int from, int length, int start) {
        long sum = start;
        for (int i = 0; i + 1 < length; i += 2) {
            sum += u16(bytes, from + i);
        }
        if ((length & 1) != 0) {
            sum += u8(bytes, from + length - 1) << 8;
        }
        while (sum >>> 16 != 0) {
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return (int) sum;
    }
}
