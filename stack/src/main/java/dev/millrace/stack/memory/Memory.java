package dev.millrace.stack.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The one place that reads and writes memory by absolute address.
 *
 * <p>Packets belong to whoever made them (a DPDK mempool, a tap ring, an arena of ours), so addresses are plain {@code long}s.
 * A static final segment over the whole address space lets the JIT fold every bounds and liveness check, which makes an
 * access a single move instruction. Nothing here checks an address: callers have validated lengths before, in {@code wire}.
 *
 * <p>Unsuffixed accessors use network byte order (big-endian); {@code …Native} ones the machine's. Any thread.
 */
public final class Memory {
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final ValueLayout.OfShort SHORT_BE =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT_BE = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong LONG_BE = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfShort SHORT_NATIVE = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT_NATIVE = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG_NATIVE = ValueLayout.JAVA_LONG_UNALIGNED;

    private Memory() {}

    public static byte getByte(long address) {
        return ALL.get(BYTE, address);
    }

    public static int getUnsignedByte(long address) {
        return ALL.get(BYTE, address) & 0xff;
    }

    public static void putByte(long address, int value) {
        ALL.set(BYTE, address, (byte) value);
    }

    public static int getUnsignedShort(long address) {
        return ALL.get(SHORT_BE, address) & 0xffff;
    }

    public static void putShort(long address, int value) {
        ALL.set(SHORT_BE, address, (short) value);
    }

    public static int getInt(long address) {
        return ALL.get(INT_BE, address);
    }

    public static void putInt(long address, int value) {
        ALL.set(INT_BE, address, value);
    }

    public static long getLong(long address) {
        return ALL.get(LONG_BE, address);
    }

    public static void putLong(long address, long value) {
        ALL.set(LONG_BE, address, value);
    }

    public static int getUnsignedShortNative(long address) {
        return ALL.get(SHORT_NATIVE, address) & 0xffff;
    }

    public static void putShortNative(long address, int value) {
        ALL.set(SHORT_NATIVE, address, (short) value);
    }

    public static int getIntNative(long address) {
        return ALL.get(INT_NATIVE, address);
    }

    public static void putIntNative(long address, int value) {
        ALL.set(INT_NATIVE, address, value);
    }

    public static long getLongNative(long address) {
        return ALL.get(LONG_NATIVE, address);
    }

    public static void putLongNative(long address, long value) {
        ALL.set(LONG_NATIVE, address, value);
    }

    /** Copies {@code length} bytes; the regions must not overlap partially. */
    public static void copy(long from, long to, long length) {
        MemorySegment.copy(ALL, from, ALL, to, length);
    }

    public static void copy(MemorySegment from, long offset, long to, long length) {
        MemorySegment.copy(from, offset, ALL, to, length);
    }

    public static void copy(long from, byte[] to, int offset, int length) {
        MemorySegment.copy(ALL, BYTE, from, to, offset, length);
    }

    public static void copy(byte[] from, int offset, long to, int length) {
        MemorySegment.copy(from, offset, ALL, BYTE, to, length);
    }

    public static void zero(long address, long length) {
        ALL.asSlice(address, length).fill((byte) 0);
    }
}
