package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * Which shard a frame belongs to, where no network card decides it: the Toeplitz hash of the 4-tuple, modulo the shards, exactly as
 * receive-side scaling does in hardware.
 *
 * <p>Reads no further than the frame's length and judges nothing: a malformed frame goes to shard 0, which counts and drops it. Stateless; any
 * thread.
 */
public final class FlowSteering {
    /** Every core needs a copy: address resolution fills each core's own neighbour cache. */
    public static final int EVERY_SHARD = -1;

    private static final int ETHERNET_BYTES = 14;
    private static final int TYPE_IPV4 = 0x0800;
    private static final int TYPE_ARP = 0x0806;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int ICMP = 1;
    private static final int TCP = 6;
    private static final int UDP = 17;
    private static final int ICMPV6 = 58;
    private static final int HOP_BY_HOP = 0;
    private static final int ROUTING = 43;
    private static final int DESTINATION_OPTIONS = 60;
    private static final int MAX_EXTENSION_HEADERS = 8;
    private static final int IPV4_FRAGMENT_BITS = 0x3fff; // more fragments, or an offset

    private FlowSteering() {}

    /** The shard in {@code [0, shards)} for the Ethernet frame at {@code address}, or {@link #EVERY_SHARD}. */
    public static int shardOf(long address, int length, int shards) {
        if (shards == 1 || length < ETHERNET_BYTES) {
            return 0;
        }
        long ip = address + ETHERNET_BYTES;
        int left = length - ETHERNET_BYTES;
        return switch (Memory.getUnsignedShort(address + 12)) {
            case TYPE_IPV4 -> ofV4(ip, left, shards, false);
            case TYPE_IPV6 -> ofV6(ip, left, shards, false);
            case TYPE_ARP -> EVERY_SHARD;
            default -> 0;
        };
    }

    /** The shard for a {@link ToeplitzHash}; whoever chooses a local port asks it where the replies will land. */
    public static int shardOfHash(int hash, int shards) {
        return Integer.remainderUnsigned(hash, shards);
    }

    /** {@code reversed}: the packet is one that we sent (quoted in an ICMP error), so swap its ends to hash as its replies do. */
    private static int ofV4(long ip, int length, int shards, boolean reversed) {
        if (length < 20) {
            return 0;
        }
        int headerBytes = (Memory.getUnsignedByte(ip) & 0xf) * 4;
        boolean fragment = (Memory.getUnsignedShort(ip + 6) & IPV4_FRAGMENT_BITS) != 0;
        if (fragment || headerBytes < 20 || length < headerBytes + 4) {
            return 0;
        }
        long transport = ip + headerBytes;
        int protocol = Memory.getUnsignedByte(ip + 9);
        if (protocol == TCP || protocol == UDP) {
            int source = Memory.getInt(ip + 12);
            int destination = Memory.getInt(ip + 16);
            int sourcePort = Memory.getUnsignedShort(transport);
            int destinationPort = Memory.getUnsignedShort(transport + 2);
            int hash = reversed
                    ? ToeplitzHash.v4(destination, source, destinationPort, sourcePort)
                    : ToeplitzHash.v4(source, destination, sourcePort, destinationPort);
            return shardOfHash(hash, shards);
        }
        if (protocol == ICMP && !reversed && quotesPacketV4(Memory.getUnsignedByte(transport))) {
            return ofV4(transport + 8, length - headerBytes - 8, shards, true);
        }
        return 0;
    }

    /** RFC 792: destination unreachable, source quench, redirect, time exceeded, parameter problem carry the packet they are about. */
    private static boolean quotesPacketV4(int icmpType) {
        return icmpType >= 3 && icmpType <= 5 || icmpType == 11 || icmpType == 12;
    }

    private static int ofV6(long ip, int length, int shards, boolean reversed) {
        if (length < 40) {
            return 0;
        }
        int next = Memory.getUnsignedByte(ip + 6);
        int at = 40;
        for (int i = 0; i < MAX_EXTENSION_HEADERS && length >= at + 4; i++) {
            if (next == TCP || next == UDP) {
                return ofV6Ports(ip, ip + at, shards, reversed);
            }
            if (next == ICMPV6) {
                return ofIcmpV6(ip + at, length - at, shards, reversed);
            }
            if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION_OPTIONS) {
                return 0;
            }
            next = Memory.getUnsignedByte(ip + at);
            at += (Memory.getUnsignedByte(ip + at + 1) + 1)
                    * 8; // RFC 8200 §4.3: in units of 8 bytes, the first not counted
        }
        return 0;
    }

    private static int ofV6Ports(long ip, long transport, int shards, boolean reversed) {
        long sourceHigh = Memory.getLong(ip + 8);
        long sourceLow = Memory.getLong(ip + 16);
        long destinationHigh = Memory.getLong(ip + 24);
        long destinationLow = Memory.getLong(ip + 32);
        int sourcePort = Memory.getUnsignedShort(transport);
        int destinationPort = Memory.getUnsignedShort(transport + 2);
        int hash = reversed
                ? ToeplitzHash.v6(destinationHigh, destinationLow, sourceHigh, sourceLow, destinationPort, sourcePort)
                : ToeplitzHash.v6(sourceHigh, sourceLow, destinationHigh, destinationLow, sourcePort, destinationPort);
        return shardOfHash(hash, shards);
    }

    /** RFC 4443 §2.1: types below 128 are errors and quote a packet; RFC 4861 §4: 133 to 137 are neighbour discovery. */
    private static int ofIcmpV6(long icmp, int length, int shards, boolean reversed) {
        int type = Memory.getUnsignedByte(icmp);
        if (type >= 133 && type <= 137) {
            return EVERY_SHARD;
        }
        return type < 128 && !reversed ? ofV6(icmp + 8, length - 8, shards, true) : 0;
    }
}
