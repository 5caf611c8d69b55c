package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * An ARP packet for IPv4 over Ethernet (RFC 826).
 *
 * <pre>
 *  0  hardware space 1   2  protocol space 0x800   4  lengths 6, 4   6  operation
 *  8  sender hardware   14  sender protocol       18  target hardware  24  target protocol
 * </pre>
 *
 * Stateless; any thread.
 */
public final class ArpPacket {
    public static final int BYTES = 28;

    public static final int REQUEST = 1;
    public static final int REPLY = 2;

    /** Hardware space, protocol space and both lengths in one word each. */
    private static final int ETHERNET_IPV4 = 1 << 16 | EthernetHeader.TYPE_IPV4;

    private static final int LENGTHS = 6 << 8 | 4;

    private ArpPacket() {}

    /** True when these bytes are a request or reply for IPv4 over Ethernet whose sender is a station. */
    public static boolean isValid(long address, int length) {
        if (length < BYTES
                || Memory.getInt(address) != ETHERNET_IPV4
                || Memory.getUnsignedShort(address + 4) != LENGTHS) {
            return false;
        }
        int operation = operation(address);
        return (operation == REQUEST || operation == REPLY) && EthernetHeader.isStation(senderMac(address));
    }

    public static int operation(long address) {
        return Memory.getUnsignedShort(address + 6);
    }

    public static long senderMac(long address) {
        return Memory.getLong(address + 8) >>> 16;
    }

    public static int senderIp(long address) {
        return Memory.getInt(address + 14);
    }

    public static long targetMac(long address) {
        return Memory.getLong(address + 18) >>> 16;
    }

    public static int targetIp(long address) {
        return Memory.getInt(address + 24);
    }

    public static void write(long address, int operation, long senderMac, int senderIp, long targetMac, int targetIp) {
        Memory.putInt(address, ETHERNET_IPV4);
        Memory.putInt(address + 4, LENGTHS << 16 | operation);
        Memory.putLong(address + 8, senderMac << 16 | senderIp >>> 16);
        Memory.putShort(address + 16, senderIp);
        Memory.putLong(address + 18, targetMac << 16 | targetIp >>> 16);
        Memory.putShort(address + 26, targetIp);
    }
}
