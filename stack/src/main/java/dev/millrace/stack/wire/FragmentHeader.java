package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/** IPv6's fragment header (RFC 8200 §4.5): next header, reserved, offset and M flag, identification. Stateless; any thread. */
public final class FragmentHeader {
    public static final int BYTES = 8;

    private FragmentHeader() {}

    public static int nextHeader(long address) {
        return Memory.getUnsignedByte(address);
    }

    /** In bytes. */
    public static int offset(long address) {
        return Memory.getUnsignedShort(address + 2) & 0xfff8;
    }

    public static boolean moreFragments(long address) {
        return (Memory.getUnsignedShort(address + 2) & 1) != 0;
    }

    public static int identification(long address) {
        return Memory.getInt(address + 4);
    }

    /** @param offset in bytes, a multiple of 8 */
    public static void write(long address, int nextHeader, int offset, boolean more, int identification) {
        Memory.putInt(address, nextHeader << 24 | offset | (more ? 1 : 0));
        Memory.putInt(address + 4, identification);
    }
}
