package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * The IPv6 header (RFC 8200 §3).
 *
 * <pre>
 *  0  version, traffic class, flow label
 *  4  payload length   6  next header   7  hop limit
 *  8  source          24  destination
 * </pre>
 *
 * {@link #isValid} comes first. Stateless; any thread.
 */
public final class Ipv6Header {
    public static final int BYTES = 40;

    private Ipv6Header() {}

    /** True when these bytes are a header and its whole payload; trailing link padding is allowed. No jumbograms. */
    public static boolean isValid(long address, int length) {
        return length >= BYTES
                && Memory.getUnsignedByte(address) >>> 4 == 6
                && payloadLength(address) <= length - BYTES;
    }

    public static int trafficClass(long address) {
        return Memory.getUnsignedShort(address) >>> 4 & 0xff;
    }

    public static int payloadLength(long address) {
        return Memory.getUnsignedShort(address + 4);
    }

    public static int nextHeader(long address) {
        return Memory.getUnsignedByte(address + 6);
    }

    public static int hopLimit(long address) {
        return Memory.getUnsignedByte(address + 7);
    }

    public static long sourceHigh(long address) {
        return Memory.getLong(address + 8);
    }

    public static long sourceLow(long address) {
        return Memory.getLong(address + 16);
    }

    public static long destinationHigh(long address) {
        return Memory.getLong(address + 24);
    }

    public static long destinationLow(long address) {
        return Memory.getLong(address + 32);
    }

    public static void write(
            long address,
            int trafficClass,
            int flowLabel,
            int payloadBytes,
            int nextHeader,
            int hopLimit,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow) {
        Memory.putInt(address, 6 << 28 | trafficClass << 20 | flowLabel);
        Memory.putInt(address + 4, payloadBytes << 16 | nextHeader << 8 | hopLimit);
        Memory.putLong(address + 8, sourceHigh);
        Memory.putLong(address + 16, sourceLow);
        Memory.putLong(address + 24, destinationHigh);
        Memory.putLong(address + 32, destinationLow);
    }

    /** Makes a reassembled packet of a fragment's header (RFC 8200 §4.5). */
    public static void writeReassembled(long address, int payloadBytes, int nextHeader) {
        Memory.putShort(address + 4, payloadBytes);
        Memory.putByte(address + 6, nextHeader);
    }

    /** Replaces the traffic class. */
    public static void trafficClass(long address, int trafficClass) {
        Memory.putShort(address, Memory.getUnsignedShort(address) & 0xf00f | trafficClass << 4);
    }
}
