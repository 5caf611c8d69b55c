package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * The Ethernet II header: destination, source, type. Hardware addresses are longs with the address in their low 48 bits. Stateless;
 * any thread. The caller has checked that {@link #BYTES} can be read.
 */
public final class EthernetHeader {
    public static final int BYTES = 14;

    public static final int TYPE_IPV4 = 0x0800;
    public static final int TYPE_ARP = 0x0806;
    public static final int TYPE_IPV6 = 0x86dd;

    public static final long BROADCAST = 0xffff_ffff_ffffL;

    /** Upper 16 bits of the hardware address of an IPv6 multicast group (RFC 2464 §7). */
    private static final long IPV6_MULTICAST = 0x3333_0000_0000L;

    private static final long GROUP_BIT = 0x0100_0000_0000L;

    private EthernetHeader() {}

    public static long destination(long address) {
        return Memory.getLong(address) >>> 16;
    }

    public static long source(long address) {
        return Memory.getLong(address + 6) >>> 16;
    }

    public static int type(long address) {
        return Memory.getUnsignedShort(address + 12);
    }

    public static void write(long address, long destination, long source, int type) {
        Memory.putLong(address, destination << 16 | source >>> 32);
        Memory.putInt(address + 8, (int) source);
        Memory.putShort(address + 12, type);
    }

    /** True for broadcast and multicast hardware addresses. */
    public static boolean isGroup(long mac) {
        return (mac & GROUP_BIT) != 0;
    }

    /** True when a station may have this address: neither a group nor all zeros. */
    public static boolean isStation(long mac) {
        return mac != 0 && !isGroup(mac);
    }

    /** Hardware address of an IPv6 multicast group, of which the low 32 bits count (RFC 2464 §7). */
    public static long ofIpv6Multicast(long groupLow) {
        return IPV6_MULTICAST | (groupLow & 0xffff_ffffL);
    }
}
