package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * Messages of IPv6 neighbour discovery (RFC 4861 §4) beyond their ICMPv6 header: target, flags, options. Any thread; stateless.
 *
 * <p>Options are in units of eight bytes; {@link #optionsAreValid} comes before {@link #option}.
 */
public final class NeighborMessage {
    /** Solicitation and advertisement up to and including the target address. */
    public static final int TARGET_BYTES = 24;

    public static final int ROUTER_SOLICITATION_BYTES = 8;
    public static final int ROUTER_ADVERTISEMENT_BYTES = 16;
    public static final int LINK_LAYER_OPTION_BYTES = 8;

    public static final int SOURCE_LINK_LAYER = 1;
    public static final int TARGET_LINK_LAYER = 2;
    public static final int MTU = 5;

    // flags of an advertisement, in its fifth byte
    public static final int ROUTER = 0x80;
    public static final int SOLICITED = 0x40;
    public static final int OVERRIDE = 0x20;

    private NeighborMessage() {}

    /** True when all options between these addresses have a length and end where the message ends (RFC 4861 §6.1, 7.1). */
    public static boolean optionsAreValid(long from, long end) {
        long at = from;
        while (at < end) {
            int bytes = end - at < 8 ? 0 : Memory.getUnsignedByte(at + 1) * 8;
            if (bytes == 0 || bytes > end - at) {
                return false;
            }
            at += bytes;
        }
        return true;
    }

    /** Address of the first option of that type, or 0. */
    public static long option(long from, long end, int type) {
        long at = from;
        while (at < end) {
            if (Memory.getUnsignedByte(at) == type) {
                return at;
            }
            at += Memory.getUnsignedByte(at + 1) * 8L;
        }
        return 0;
    }

    /** The hardware address in the first option of that type, or 0 when there is none for Ethernet. */
    public static long linkLayerAddress(long from, long end, int type) {
        long option = option(from, end, type);
        if (option == 0 || Memory.getUnsignedByte(option + 1) != 1) {
            return 0;
        }
        return Memory.getLong(option) & 0xffff_ffff_ffffL;
    }

    public static void writeLinkLayerAddress(long address, int type, long mac) {
        Memory.putLong(address, (long) type << 56 | 1L << 48 | mac);
    }

    public static int flags(long message) {
        return Memory.getUnsignedByte(message + 4);
    }

    public static long targetHigh(long message) {
        return Memory.getLong(message + 8);
    }

    public static long targetLow(long message) {
        return Memory.getLong(message + 16);
    }

    public static void writeTarget(long message, long high, long low) {
        Memory.putLong(message + 8, high);
        Memory.putLong(message + 16, low);
    }

    // ---- router advertisement ----

    public static int currentHopLimit(long message) {
        return Memory.getUnsignedByte(message + 4);
    }

    /** In seconds. */
    public static int routerLifetime(long message) {
        return Memory.getUnsignedShort(message + 6);
    }

    /** In milliseconds, unsigned; 0 means unspecified. */
    public static int reachableTime(long message) {
        return Memory.getInt(message + 8);
    }

    /** In milliseconds, unsigned; 0 means unspecified. */
    public static int retransTimer(long message) {
        return Memory.getInt(message + 12);
    }

    // ---- multicast ----

    /** Low half of the solicited-node group of an address (RFC 4291 §2.7.1); the high half is {@link #SOLICITED_NODE_HIGH}. */
    public static long solicitedNodeLow(long low) {
        return 0x1_ff00_0000L | (low & 0xff_ffff);
    }

    public static final long SOLICITED_NODE_HIGH = 0xff02L << 48;
    /** ff02::, the high half of every well-known group of link scope. */
    public static final long LINK_SCOPE_HIGH = 0xff02L << 48;
    /** ff02::1 */
    public static final long ALL_NODES_LOW = 1;
    /** ff02::2 */
    public static final long ALL_ROUTERS_LOW = 2;
    /** ff02::16 */
    public static final long MLDV2_ROUTERS_LOW = 0x16;
}
