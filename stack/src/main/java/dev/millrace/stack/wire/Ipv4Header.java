package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * The IPv4 header (RFC 791 §3.1).
 *
 * <pre>
 *  0  version, IHL   1  type of service   2  total length
 *  4  identification                      6  flags, fragment offset
 *  8  time to live   9  protocol         10  header checksum
 * 12  source        16  destination      20  options, at most 40 bytes
 * </pre>
 *
 * {@link #check} comes first; the accessors may be used when it found no fault. Stateless; any thread.
 */
public final class Ipv4Header {
    public static final int MIN_BYTES = 20;
    public static final int MAX_BYTES = 60;

    public static final int DONT_FRAGMENT = 0x4000;
    public static final int MORE_FRAGMENTS = 0x2000;
    private static final int FRAGMENT_OFFSET = 0x1fff;

    private static final int END_OF_OPTIONS = 0;
    private static final int NO_OPERATION = 1;
    private static final int LOOSE_SOURCE_ROUTE = 131;
    private static final int STRICT_SOURCE_ROUTE = 137;

    /** Why a packet is not one that may be looked at further. */
    public enum Fault {
        NONE,
        /** Version, header length or total length contradict each other or the bytes that are there. */
        MALFORMED,
        /** RFC 1122 §3.2.1.2: a bad header checksum discards silently. */
        BAD_CHECKSUM,
        /** An option's length is below 2 or reaches beyond the header. */
        BAD_OPTION,
        /** A source route: it would let a stranger choose where answers go, and is refused as every host does today (RFC 7126 §4.3). */
        SOURCE_ROUTE
    }

    private Ipv4Header() {}

    /** Examines a packet of which {@code length} bytes are there; trailing link padding is allowed. */
    public static Fault check(long address, int length) {
        if (length < MIN_BYTES || Memory.getUnsignedByte(address) >>> 4 != 4) {
            return Fault.MALFORMED;
        }
        int headerBytes = headerBytes(address);
        int totalBytes = totalLength(address);
        if (headerBytes < MIN_BYTES || headerBytes > totalBytes || totalBytes > length) {
            return Fault.MALFORMED;
        }
        if (Checksum.finish(Checksum.add(0, address, headerBytes)) != 0) {
            return Fault.BAD_CHECKSUM;
        }
        return headerBytes == MIN_BYTES ? Fault.NONE : checkOptions(address + MIN_BYTES, address + headerBytes);
    }

    private static Fault checkOptions(long from, long end) {
        long at = from;
        while (at < end) {
            int type = Memory.getUnsignedByte(at);
            if (type == END_OF_OPTIONS) {
                return Fault.NONE;
            }
            if (type == NO_OPERATION) {
                at++;
                continue;
            }
            int bytes = end - at < 2 ? 0 : Memory.getUnsignedByte(at + 1);
            if (bytes < 2 || bytes > end - at) {
                return Fault.BAD_OPTION;
            }
            if (type == LOOSE_SOURCE_ROUTE || type == STRICT_SOURCE_ROUTE) {
                return Fault.SOURCE_ROUTE;
            }
            at += bytes;
        }
        return Fault.NONE;
    }

    public static int headerBytes(long address) {
        return (Memory.getUnsignedByte(address) & 0xf) * 4;
    }

    public static int trafficClass(long address) {
        return Memory.getUnsignedByte(address + 1);
    }

    public static int totalLength(long address) {
        return Memory.getUnsignedShort(address + 2);
    }

    public static int identification(long address) {
        return Memory.getUnsignedShort(address + 4);
    }

    /** True for every piece of a fragmented packet. */
    public static boolean isFragment(long address) {
        return (Memory.getUnsignedShort(address + 6) & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) != 0;
    }

    public static boolean moreFragments(long address) {
        return (Memory.getUnsignedShort(address + 6) & MORE_FRAGMENTS) != 0;
    }

    /** In bytes. */
    public static int fragmentOffset(long address) {
        return (Memory.getUnsignedShort(address + 6) & FRAGMENT_OFFSET) * 8;
    }

    public static int protocol(long address) {
        return Memory.getUnsignedByte(address + 9);
    }

    public static int source(long address) {
        return Memory.getInt(address + 12);
    }

    public static int destination(long address) {
        return Memory.getInt(address + 16);
    }

    /**
     * Writes a header without options, checksum included. Don't-fragment is always set and the identification 0, as an atomic
     * datagram's may be (RFC 6864 §4.1): nothing that this stack sends is fragmented by it or by others.
     */
    public static void write(
            long address, int trafficClass, int totalBytes, int hopLimit, int protocol, int source, int destination) {
        Memory.putInt(address, (0x4500 | trafficClass) << 16 | totalBytes);
        Memory.putInt(address + 4, DONT_FRAGMENT); // identification 0
        Memory.putInt(address + 8, hopLimit << 24 | protocol << 16);
        Memory.putInt(address + 12, source);
        Memory.putInt(address + 16, destination);
        int sum = (0x4500 | trafficClass) // summed from registers: reading back what was just written would stall
                + totalBytes
                + DONT_FRAGMENT
                + (hopLimit << 8 | protocol)
                + (source >>> 16)
                + (source & 0xffff)
                + (destination >>> 16)
                + (destination & 0xffff);
        sum = (sum & 0xffff) + (sum >>> 16);
        sum = (sum & 0xffff) + (sum >>> 16);
        Memory.putShort(address + 10, ~sum);
    }

    /** Makes a fragment of a header that {@link #write} has written (RFC 791 §3.2). {@code offset} in bytes, a multiple of 8. */
    public static void writeFragment(long address, int identification, int offset, boolean more) {
        Memory.putInt(address + 4, identification << 16 | (more ? MORE_FRAGMENTS : 0) | offset >>> 3);
        writeChecksum(address, MIN_BYTES);
    }

    /** Fills in the header checksum, whatever stood there. */
    public static void writeChecksum(long address, int headerBytes) {
        Memory.putShort(address + 10, 0);
        Memory.putShortNative(address + 10, Checksum.finish(Checksum.add(0, address, headerBytes)));
    }

    /** Makes a reassembled packet of its first fragment's header: new length, no fragment bits, right checksum. */
    public static void writeReassembled(long address, int totalBytes) {
        Memory.putShort(address + 2, totalBytes);
        Memory.putShort(address + 6, 0);
        writeChecksum(address, headerBytes(address));
    }

    /** Replaces the type of service octet before a checksum is written. */
    public static void trafficClass(long address, int trafficClass) {
        Memory.putByte(address + 1, trafficClass);
    }
}
