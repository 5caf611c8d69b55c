package dev.millrace.stack.fuzz;

import java.nio.ByteBuffer;

/**
 * Frames as the fuzz targets' peer writes and reads them. On purpose without the stack's own {@code wire}: what it checks, the stack has
 * not written.
 */
final class Wire {
    static final long STACK_MAC = 0x02_00_00_00_0a_01L;
    static final long PEER_MAC = 0x02_00_00_00_00_02L;
    static final byte[] STACK4 = {(byte) 198, 18, 0, 1};
    static final byte[] PEER4 = {(byte) 198, 18, 0, 2};
    static final byte[] STACK6 = {(byte) 0xfd, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static final byte[] PEER6 = {(byte) 0xfd, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    static final int ETHERNET = 14;
    static final int TCP = 6;
    static final int UDP = 17;
    static final int ICMP = 1;
    static final int ICMP6 = 58;

    private Wire() {}

    static byte[] ethernet(int type, byte[] payload) {
        return frame(STACK_MAC, type, payload);
    }

    static byte[] frame(long destination, int type, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(ETHERNET + payload.length);
        frame.putShort((short) (destination >> 32)).putInt((int) destination);
        frame.putShort((short) (PEER_MAC >> 32)).putInt((int) PEER_MAC);
        frame.putShort((short) type).put(payload);
        return frame.array();
    }

    /** A request for the stack's hardware address, which tells it the peer's. */
    static byte[] arpRequest() {
        ByteBuffer arp = ByteBuffer.allocate(28);
        arp.putShort((short) 1)
                .putShort((short) 0x0800)
                .put((byte) 6)
                .put((byte) 4)
                .putShort((short) 1);
        arp.putShort((short) (PEER_MAC >> 32)).putInt((int) PEER_MAC).put(PEER4);
        arp.putShort((short) 0).putInt(0).put(STACK4);
        return frame(0xffff_ffff_ffffL, 0x0806, arp.array());
    }

    /** The same for IPv6: a solicitation with the peer's link-layer address (RFC 4861 §4.3). */
    static byte[] neighborSolicitation() {
        ByteBuffer message = ByteBuffer.allocate(32);
        message.put((byte) 135).put((byte) 0).putShort((short) 0).putInt(0).put(STACK6);
        message.put((byte) 1).put((byte) 1).putShort((short) (PEER_MAC >> 32)).putInt((int) PEER_MAC);
        return ethernet(0x86dd, ipv6(ICMP6, 255, checksummed(true, ICMP6, message.array(), 2)));
    }

    static byte[] ip(boolean v6, int protocol, byte[] payload) {
        return v6 ? ethernet(0x86dd, ipv6(protocol, 64, payload)) : ethernet(0x0800, ipv4(protocol, 0, 0, payload));
    }

    /** @param fragment flags and offset as they stand in the header */
    static byte[] ipv4(int protocol, int identification, int fragment, byte[] payload) {
        ByteBuffer packet = ByteBuffer.allocate(20 + payload.length);
        packet.putShort((short) 0x4500).putShort((short) (20 + payload.length));
        packet.putShort((short) identification).putShort((short) fragment);
        packet.put((byte) 64)
                .put((byte) protocol)
                .putShort((short) 0)
                .put(PEER4)
                .put(STACK4);
        packet.put(payload);
        return withHeaderChecksum(packet.array());
    }

    /** The same frame with this ECN codepoint in its IP header (RFC 3168 §5). */
    static byte[] withCodepoint(byte[] frame, boolean v6, int codepoint) {
        if (v6) {
            frame[ETHERNET + 1] |= (byte) (codepoint << 4);
        } else if (codepoint != 0) {
            frame[ETHERNET + 1] |= (byte) codepoint;
            frame[ETHERNET + 10] = 0;
            frame[ETHERNET + 11] = 0;
            putChecksum(frame, ETHERNET + 10, sum(0, frame, ETHERNET, 20));
        }
        return frame;
    }

    /** Makes an IPv4 header's checksum right, as far as there is a header. */
    static byte[] withHeaderChecksum(byte[] packet) {
        if (packet.length == 0) {
            return packet;
        }
        int header = (packet[0] & 15) * 4;
        if (header >= 20 && header <= packet.length) {
            packet[10] = 0;
            packet[11] = 0;
            putChecksum(packet, 10, sum(0, packet, 0, header));
        }
        return packet;
    }

    static byte[] ipv6(int next, int hopLimit, byte[] payload) {
        ByteBuffer packet = ByteBuffer.allocate(40 + payload.length);
        packet.putInt(0x60000000)
                .putShort((short) payload.length)
                .put((byte) next)
                .put((byte) hopLimit);
        return packet.put(PEER6).put(STACK6).put(payload).array();
    }

    /** Fills in an upper-layer checksum at this offset for a packet from the peer. */
    static byte[] checksummed(boolean v6, int protocol, byte[] payload, int at) {
        payload[at] = 0;
        payload[at + 1] = 0;
        int sum = v6 || protocol != ICMP ? pseudoSum(v6, protocol, payload.length) : 0;
        putChecksum(payload, at, sum(sum, payload, 0, payload.length));
        return payload;
    }

    private static int pseudoSum(boolean v6, int protocol, int length) {
        int sum = v6 ? sum(sum(0, PEER6, 0, 16), STACK6, 0, 16) : sum(sum(0, PEER4, 0, 4), STACK4, 0, 4);
        return sum + protocol + length;
    }

    private static int sum(int start, byte[] bytes, int from, int length) {
        int sum = start;
        for (int i = 0; i < length; i++) {
            sum += (bytes[from + i] & 0xff) << ((i & 1) == 0 ? 8 : 0);
            sum = (sum & 0xffff) + (sum >>> 16);
        }
        return sum;
    }

    private static void putChecksum(byte[] bytes, int at, int sum) {
        int folded = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
        bytes[at] = (byte) (folded >> 8);
        bytes[at + 1] = (byte) folded;
    }

    // ---- reading what the stack sent ----

    static boolean isIp(byte[] frame, boolean v6, int protocol) {
        int type = unsignedShort(frame, 12);
        return v6
                ? type == 0x86dd && frame.length >= ETHERNET + 40 && (frame[ETHERNET + 6] & 0xff) == protocol
                : type == 0x0800 && frame.length >= ETHERNET + 20 && (frame[ETHERNET + 9] & 0xff) == protocol;
    }

    /** Offset of what follows the IP header. */
    static int payload(boolean v6) {
        return ETHERNET + (v6 ? 40 : 20);
    }

    /** Fails unless IP header and upper-layer checksums are right: the sum over everything is zero. */
    static void verify(byte[] frame, boolean v6, int protocol) {
        int from = payload(v6);
        int length = frame.length - from;
        int total = v6 ? unsignedShort(frame, ETHERNET + 4) : unsignedShort(frame, ETHERNET + 2) - 20;
        check(total == length, "the IP header tells another length than the frame's");
        check(v6 || sum(0, frame, ETHERNET, 20) == 0xffff, "wrong IPv4 header checksum");
        int sum = v6 || protocol != ICMP ? pseudoSum(v6, protocol, length) : 0;
        check(sum(sum, frame, from, length) == 0xffff, "wrong checksum of protocol " + protocol);
    }

    static int unsignedShort(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    static int integer(byte[] bytes, int at) {
        return unsignedShort(bytes, at) << 16 | unsignedShort(bytes, at + 2);
    }

    /** As {@code assert}, which not everybody who runs a target has enabled. */
    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
