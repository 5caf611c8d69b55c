package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/** The UDP header (RFC 768): ports, length, checksum. Stateless; any thread. */
public final class UdpHeader {
    public static final int BYTES = 8;

    private UdpHeader() {}

    /** The datagram's length with header, or −1 when {@code available} bytes cannot hold it or it is too short for one. */
    public static int length(long address, int available) {
        if (available < BYTES) {
            return -1;
        }
        int length = Memory.getUnsignedShort(address + 4);
        return length < BYTES || length > available ? -1 : length;
    }

    /** False when the sender has made none, as IPv4 allows. */
    public static boolean hasChecksum(long address) {
        return Memory.getUnsignedShort(address + 6) != 0;
    }
}
