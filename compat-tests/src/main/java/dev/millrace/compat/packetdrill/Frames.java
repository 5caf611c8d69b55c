package dev.millrace.compat.packetdrill;

import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes the frames of the network behind the port (segments and ICMP errors from the remote host, answers of the gateway to ARP and
 * neighbour discovery), and reads the stack's. Bytes on the wire, RFC 9293 §3.1, 791 §3.1, 8200 §3, 792, 4443, 826 and 4861.
 */
final class Frames {
    private static final long GATEWAY_MAC = 0x02_00_00_00_00_02L;
    private static final int ETHERTYPE_IPV4 = 0x0800;
    private static final int ETHERTYPE_ARP = 0x0806;
    private static final int ETHERTYPE_IPV6 = 0x86dd;
    private static final int TCP = 6;
    private static final int ICMPV4 = 1;
    private static final int ICMPV6 = 58;
    private static final int NEIGHBOR_SOLICITATION = 135;
    private static final int NEIGHBOR_ADVERTISEMENT = 136;

    private final IpAddress local;
    private final IpAddress remote;
    private final boolean v4;

    Frames(IpAddress local, IpAddress remote) {
        this.local = local;
        this.remote = remote;
        this.v4 = local.isV4();
    }

    // ---- to the stack ----

    /** A segment of the remote host; all numbers as they go on the wire. */
    byte[] segment(
            int ecn,
            int remotePort,
            int localPort,
            int sequence,
            int acknowledgment,
            int flags,
            int window,
            int urgentPointer,
            List<TcpOption> options,
            byte[] payload) {
        byte[] tcp =
                tcp(remotePort, localPort, sequence, acknowledgment, flags, window, urgentPointer, options, payload);
        checksum(tcp, 16, remote, local, TCP);
        return packet(remote, local, TCP, ecn, 64, tcp);
    }

    private static byte[] tcp(
            int sourcePort,
            int destinationPort,
            int sequence,
            int acknowledgment,
            int flags,
            int window,
            int urgentPointer,
            List<TcpOption> options,
            byte[] payload) {
        int optionBytes = options.stream().mapToInt(TcpOption::bytes).sum();
        if (optionBytes % 4 != 0 || optionBytes > 40) {
            throw new ScriptException("options of " + optionBytes + " bytes: a multiple of 4, at most 40, is needed");
        }
        ByteBuffer buffer = ByteBuffer.allocate(20 + optionBytes + payload.length);
        buffer.putShort((short) sourcePort)
                .putShort((short) destinationPort)
                .putInt(sequence)
                .putInt(acknowledgment);
        buffer.putShort((short) ((20 + optionBytes) / 4 << 12 | flags)).putShort((short) window);
        buffer.putShort((short) 0).putShort((short) urgentPointer);
        for (TcpOption option : options) {
            buffer.put((byte) option.kind());
            if (option.bytes() > 1) {
                buffer.put((byte) option.bytes()).put(option.body());
            }
        }
        return buffer.put(payload).array();
    }

    /** An ICMP error from the gateway about a segment that the stack sent. */
    byte[] icmp(IcmpSpec message, int localPort, int remotePort, int sequence, int acknowledgment) {
        byte[] quoted = tcp(localPort, remotePort, sequence, acknowledgment, 0x10, 0, 0, List.of(), new byte[0]);
        byte[] header = ipHeader(local, remote, TCP, 0, 63, quoted.length + message.quotedLength());
        ByteBuffer body = ByteBuffer.allocate(8 + header.length + quoted.length);
        body.put((byte) message.type()).put((byte) message.code()).putShort((short) 0);
        body.putInt(message.mtu()).put(header).put(quoted);
        byte[] icmp = body.array();
        if (v4) {
            putChecksum(icmp, 2, sum(0, icmp));
        } else {
            checksum(icmp, 2, remote, local, ICMPV6);
        }
        return packet(remote, local, v4 ? ICMPV4 : ICMPV6, 0, 64, icmp);
    }

    private static byte[] packet(
            IpAddress source, IpAddress destination, int protocol, int ecn, int hopLimit, byte[] payload) {
        byte[] header = ipHeader(source, destination, protocol, ecn, hopLimit, payload.length);
        ByteBuffer frame = ByteBuffer.allocate(14 + header.length + payload.length);
        ethernet(frame, source.isV4() ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
        return frame.put(header).put(payload).array();
    }

    private static void ethernet(ByteBuffer frame, int etherType) {
        putMac(frame, MemoryPort.STACK_MAC);
        putMac(frame, GATEWAY_MAC);
        frame.putShort((short) etherType);
    }

    private static void putMac(ByteBuffer frame, long mac) {
        frame.putShort((short) (mac >>> 32)).putInt((int) mac);
    }

    private static byte[] ipHeader(
            IpAddress source, IpAddress destination, int protocol, int ecn, int hopLimit, int payloadBytes) {
        if (!source.isV4()) {
            ByteBuffer header = ByteBuffer.allocate(40).putInt(6 << 28 | ecn << 20);
            header.putShort((short) payloadBytes).put((byte) protocol).put((byte) hopLimit);
            return header.put(source.bytes()).put(destination.bytes()).array();
        }
        ByteBuffer header = ByteBuffer.allocate(20);
        header.putShort((short) (0x4500 | ecn))
                .putShort((short) (20 + payloadBytes))
                .putInt(0x4000);
        header.put((byte) hopLimit).put((byte) protocol).putShort((short) 0);
        byte[] bytes = header.put(source.bytes()).put(destination.bytes()).array();
        putChecksum(bytes, 10, sum(0, bytes));
        return bytes;
    }

    private static void checksum(byte[] payload, int at, IpAddress source, IpAddress destination, int protocol) {
        int sum = sum(sum(0, source.bytes()), destination.bytes()) + protocol + payload.length;
        putChecksum(payload, at, sum(sum, payload));
    }

    private static int sum(int before, byte[] bytes) {
        int sum = before;
        for (int i = 0; i < bytes.length; i += 2) {
            sum += (bytes[i] & 0xff) << 8 | (i + 1 < bytes.length ? bytes[i + 1] & 0xff : 0);
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }

    private static void putChecksum(byte[] bytes, int at, int sum) {
        int folded = (sum & 0xffff) + (sum >>> 16);
        folded = ~((folded & 0xffff) + (folded >>> 16));
        bytes[at] = (byte) (folded >>> 8);
        bytes[at + 1] = (byte) folded;
    }

    // ---- from the stack ----

    /** The gateway's answer to a request for a neighbour's hardware address, or null when the frame is none. */
    byte @Nullable [] neighborReply(byte[] frame) {
        ByteBuffer in = ByteBuffer.wrap(frame);
        int etherType = in.getShort(12) & 0xffff;
        if (etherType == ETHERTYPE_ARP && in.getShort(20) == 1) {
            return arpReply(in);
        }
        if (etherType == ETHERTYPE_IPV6
                && frame.length >= 78
                && frame[20] == ICMPV6
                && (frame[54] & 0xff) == NEIGHBOR_SOLICITATION) {
            return neighborAdvertisement(frame);
        }
        return null;
    }

    private static byte @Nullable [] arpReply(ByteBuffer in) {
        int sender = in.getInt(28);
        int target = in.getInt(38);
        if (sender == 0 || sender == target) {
            return null; // the stack probes for, or announces, its own address
        }
        ByteBuffer out = ByteBuffer.allocate(42);
        ethernet(out, ETHERTYPE_ARP);
        out.putShort((short) 1)
                .putShort((short) ETHERTYPE_IPV4)
                .put((byte) 6)
                .put((byte) 4)
                .putShort((short) 2);
        putMac(out, GATEWAY_MAC);
        out.putInt(target);
        putMac(out, MemoryPort.STACK_MAC);
        return out.putInt(sender).array();
    }

    private static byte @Nullable [] neighborAdvertisement(byte[] frame) {
        IpAddress asker = address(frame, 22, 16);
        IpAddress target = address(frame, 62, 16);
        if (asker.isAny()) {
            return null; // duplicate address detection
        }
        ByteBuffer body = ByteBuffer.allocate(32);
        body.put((byte) NEIGHBOR_ADVERTISEMENT)
                .put((byte) 0)
                .putShort((short) 0)
                .putInt(0xe000_0000);
        body.put(target.bytes()).put((byte) 2).put((byte) 1);
        putMac(body, GATEWAY_MAC);
        byte[] icmp = body.array();
        checksum(icmp, 2, target, asker, ICMPV6);
        return packet(target, asker, ICMPV6, 0, 255, icmp);
    }

    private static IpAddress address(byte[] frame, int at, int bytes) {
        byte[] address = new byte[bytes];
        System.arraycopy(frame, at, address, 0, bytes);
        return IpAddress.of(address);
    }

    /** The TCP segment in a frame to the remote host, or null when there is something else in it. */
    @Nullable
    Segment read(byte[] frame, long sentNs) {
        ByteBuffer in = ByteBuffer.wrap(frame);
        int etherType = in.getShort(12) & 0xffff;
        if (etherType != (v4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6)) {
            return null;
        }
        int tcp = v4 ? 14 + (frame[14] & 0xf) * 4 : 54;
        int protocol = v4 ? frame[23] : frame[20];
        IpAddress destination = v4 ? address(frame, 30, 4) : address(frame, 38, 16);
        if (protocol != TCP || !destination.equals(remote)) {
            return null;
        }
        int end = v4 ? 14 + (in.getShort(16) & 0xffff) : 54 + (in.getShort(18) & 0xffff);
        int ecn = v4 ? frame[15] & 3 : in.getShort(14) >>> 4 & 3;
        int offsetAndFlags = in.getShort(tcp + 12) & 0xffff;
        int headerBytes = (offsetAndFlags >>> 12) * 4;
        return new Segment(
                sentNs,
                ecn,
                in.getShort(tcp) & 0xffff,
                in.getShort(tcp + 2) & 0xffff,
                in.getInt(tcp + 4),
                in.getInt(tcp + 8),
                offsetAndFlags & 0xfff,
                in.getShort(tcp + 14) & 0xffff,
                in.getShort(tcp + 18) & 0xffff,
                TcpOption.parse(frame, tcp + 20, tcp + headerBytes),
                end - tcp - headerBytes);
    }
}
