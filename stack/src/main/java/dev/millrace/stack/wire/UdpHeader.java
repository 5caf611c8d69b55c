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

    public static int sourcePort(long address) {
        return Memory.getUnsignedShort(address);
    }

    public static int destinationPort(long address) {
        return Memory.getUnsignedShort(address + 2);
    }

    /** Writes the header with an empty checksum; {@code length} includes it. */
    public static void write(long address, int sourcePort, int destinationPort, int length) {
        Memory.putInt(address, sourcePort << 16 | destinationPort);
        Memory.putInt(address + 4, length << 16);
    }

    /** Stores the checksum of a sum over pseudo-header and datagram; one of zero as all ones, for zero means none. */
    public static void writeChecksum(long address, long sum) {
        int checksum = Checksum.finish(sum);
        Memory.putShortNative(address + 6, checksum == 0 ? 0xffff : checksum);
    }

    /** False when the sender has made none, as IPv4 allows. */
    public static boolean hasChecksum(long address) {
        return Memory.getUnsignedShort(address + 6) != 0;
    }
}
