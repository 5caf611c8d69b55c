package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.NeighborMessage;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;

/** Builds frames as a peer would send them, and reads those that a host has sent. */
final class Frames {
    static final int IP = EthernetHeader.BYTES;
    static final int V4_PAYLOAD = IP + Ipv4Header.MIN_BYTES;
    static final int V6_PAYLOAD = IP + Ipv6Header.BYTES;

    private Frames() {}

    /** So many bytes, written through their address. */
    static byte[] bytes(int length, LongConsumer writer) {
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(Math.max(length, 1), 8).address();
            writer.accept(address);
            byte[] bytes = new byte[length];
            Memory.copy(address, bytes, 0, length);
            return bytes;
        }
    }

    /** Calls with the address of a copy. */
    static <T> T read(byte[] bytes, LongFunction<T> reader) {
        try (Arena arena = Arena.ofConfined()) {
            long address = arena.allocate(Math.max(bytes.length, 1), 8).address();
            Memory.copy(bytes, 0, address, bytes.length);
            return reader.apply(address);
        }
    }

    static byte[] concat(byte[]... parts) {
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).sum());
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }

    static byte[] ethernet(long destination, long source, int type, byte[] payload) {
        return concat(bytes(EthernetHeader.BYTES, at -> EthernetHeader.write(at, destination, source, type)), payload);
    }

    // ---- ARP ----

    static byte[] arp(int operation, long senderMac, IpAddress sender, long targetMac, IpAddress target) {
        boolean request = operation == ArpPacket.REQUEST;
        return ethernet(
                request && targetMac == 0 ? EthernetHeader.BROADCAST : Host.MAC,
                senderMac,
                EthernetHeader.TYPE_ARP,
                bytes(
                        ArpPacket.BYTES,
                        at -> ArpPacket.write(at, operation, senderMac, sender.v4Bits(), targetMac, target.v4Bits())));
    }

    // ---- IPv4 ----

    static byte[] v4(IpAddress source, IpAddress destination, int protocol, byte[] payload) {
        return v4(Host.MAC, Host.PEER_MAC, source, destination, protocol, payload);
    }

    static byte[] v4(long to, long from, IpAddress source, IpAddress destination, int protocol, byte[] payload) {
        byte[] header = bytes(
                Ipv4Header.MIN_BYTES,
                at -> Ipv4Header.write(
                        at,
                        0,
                        Ipv4Header.MIN_BYTES + payload.length,
                        64,
                        protocol,
                        source.v4Bits(),
                        destination.v4Bits()));
        return ethernet(to, from, EthernetHeader.TYPE_IPV4, concat(header, payload));
    }

    /** A piece of a packet; {@code offset} in bytes. */
    static byte[] v4Fragment(
            IpAddress source, int identification, int protocol, int offset, boolean more, byte[] payload) {
        return patchV4(v4(source, Host.V4, protocol, payload), at -> {
            Memory.putShort(at + 4, identification);
            Memory.putShort(at + 6, offset / 8 | (more ? Ipv4Header.MORE_FRAGMENTS : 0));
        });
    }

    /** Changes header fields and makes the header checksum right again. */
    static byte[] patchV4(byte[] frame, LongConsumer change) {
        return bytes(frame.length, at -> {
            Memory.copy(frame, 0, at, frame.length);
            change.accept(at + IP);
            Ipv4Header.writeChecksum(at + IP, Ipv4Header.headerBytes(at + IP));
        });
    }

    static byte[] icmp(int type, int code, int rest, byte[] data) {
        int length = Icmpv4Message.HEADER_BYTES + data.length;
        return bytes(length, at -> {
            Memory.copy(data, 0, at + Icmpv4Message.HEADER_BYTES, data.length);
            Icmpv4Message.write(at, type, code, rest, length);
        });
    }

    // ---- IPv6 ----

    static byte[] v6(IpAddress source, IpAddress destination, int nextHeader, int hopLimit, byte[] payload) {
        long to = destination.isMulticast() ? EthernetHeader.ofIpv6Multicast(destination.low()) : Host.MAC;
        return v6(to, Host.PEER_MAC, source, destination, nextHeader, hopLimit, payload);
    }

    static byte[] v6(
            long to, long from, IpAddress source, IpAddress destination, int nextHeader, int hopLimit, byte[] payload) {
        byte[] header = bytes(
                Ipv6Header.BYTES,
                at -> Ipv6Header.write(
                        at,
                        0,
                        0,
                        payload.length,
                        nextHeader,
                        hopLimit,
                        source.high(),
                        source.low(),
                        destination.high(),
                        destination.low()));
        return ethernet(to, from, EthernetHeader.TYPE_IPV6, concat(header, payload));
    }

    static byte[] fragmentHeader(int nextHeader, int offset, boolean more, int identification) {
        return bytes(8, at -> {
            Memory.putShort(at, nextHeader << 8);
            Memory.putShort(at + 2, offset | (more ? 1 : 0));
            Memory.putInt(at + 4, identification);
        });
    }

    static byte[] icmp6(IpAddress source, IpAddress destination, int type, int code, int rest, byte[] data) {
        int length = Icmpv6Message.HEADER_BYTES + data.length;
        return bytes(length, at -> {
            Memory.copy(data, 0, at + Icmpv6Message.HEADER_BYTES, data.length);
            Icmpv6Message.write(
                    at, type, code, rest, length, source.high(), source.low(), destination.high(), destination.low());
        });
    }

    /** Target address and, unless {@code mac} is 0, one link-layer address option: what follows the ICMPv6 header. */
    static byte[] neighborBody(IpAddress target, int option, long mac) {
        return bytes(mac == 0 ? 16 : 24, at -> {
            Memory.putLong(at, target.high());
            Memory.putLong(at + 8, target.low());
            if (mac != 0) {
                NeighborMessage.writeLinkLayerAddress(at + 16, option, mac);
            }
        });
    }

    static IpAddress solicitedNode(IpAddress address) {
        return new IpAddress(NeighborMessage.SOLICITED_NODE_HIGH, NeighborMessage.solicitedNodeLow(address.low()));
    }

    static byte[] solicitation(IpAddress source, IpAddress target, long mac) {
        IpAddress group = solicitedNode(target);
        byte[] body = neighborBody(target, NeighborMessage.SOURCE_LINK_LAYER, mac);
        byte[] message = icmp6(source, group, Icmpv6Message.NEIGHBOR_SOLICITATION, 0, 0, body);
        return v6(source, group, IpProtocol.ICMPV6, 255, message);
    }

    static byte[] advertisement(IpAddress source, IpAddress to, IpAddress target, int flags, long mac) {
        byte[] body = neighborBody(target, NeighborMessage.TARGET_LINK_LAYER, mac);
        byte[] message = icmp6(source, to, Icmpv6Message.NEIGHBOR_ADVERTISEMENT, 0, flags << 24, body);
        return v6(source, to, IpProtocol.ICMPV6, 255, message);
    }

    // ---- upper layers ----

    static byte[] tcp(IpAddress source, IpAddress destination, int sourcePort, int destinationPort, int payload) {
        int length = 20 + payload;
        return bytes(length, at -> {
            Host.writeSegment(at, sourcePort, destinationPort, 1, payload);
            long sum = Checksum.pseudoHeader(source, destination, IpProtocol.TCP, length);
            Memory.putShortNative(at + 16, Checksum.finish(Checksum.add(sum, at, length)));
        });
    }

    static byte[] udp(IpAddress source, IpAddress destination, byte[] payload) {
        int length = 8 + payload.length;
        return bytes(length, at -> {
            Memory.putInt(at, 1000 << 16 | 53);
            Memory.putInt(at + 4, length << 16);
            Memory.copy(payload, 0, at + 8, payload.length);
            long sum = Checksum.pseudoHeader(source, destination, IpProtocol.UDP, length);
            Memory.putShortNative(at + 6, Checksum.finish(Checksum.add(sum, at, length)));
        });
    }

    // ---- reading ----

    static int type(byte[] frame) {
        return unsignedShort(frame, 12);
    }

    static long destinationMac(byte[] frame) {
        return read(frame, EthernetHeader::destination);
    }

    static int unsignedByte(byte[] frame, int at) {
        return frame[at] & 0xff;
    }

    static int unsignedShort(byte[] frame, int at) {
        return unsignedByte(frame, at) << 8 | unsignedByte(frame, at + 1);
    }

    static IpAddress address(byte[] frame, int at, int bytes) {
        return IpAddress.of(Arrays.copyOfRange(frame, at, at + bytes));
    }
}
