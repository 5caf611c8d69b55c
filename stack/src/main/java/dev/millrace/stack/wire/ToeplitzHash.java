package dev.millrace.stack.wire;

/**
 * The Toeplitz hash with which network cards spread flows over their queues (Microsoft, "RSS hashing types"): the exclusive or of
 * one 32-bit window of the key for every bit set in source address, destination address, source port, destination port.
 *
 * <p>A window per byte position and byte value is computed once, so a hash costs 12 (IPv4) or 36 (IPv6) table reads. Stateless and
 * allocation-free; any thread.
 */
public final class ToeplitzHash {
    private static final int INPUT_BYTES = 36;

    /** Microsoft's default key; every port that spreads by hardware is given this one. */
    private static final byte[] KEY = {
        0x6d,
        0x5a,
        0x56,
        (byte) 0xda,
        0x25,
        0x5b,
        0x0e,
        (byte) 0xc2,
        0x41,
        0x67,
        0x25,
        0x3d,
        0x43,
        (byte) 0xa3,
        (byte) 0x8f,
        (byte) 0xb0,
        (byte) 0xd0,
        (byte) 0xca,
        0x2b,
        (byte) 0xcb,
        (byte) 0xae,
        0x7b,
        0x30,
        (byte) 0xb4,
        0x77,
        (byte) 0xcb,
        0x2d,
        (byte) 0xa3,
        (byte) 0x80,
        0x30,
        (byte) 0xf2,
        0x0c,
        0x6a,
        0x42,
        (byte) 0xb7,
        0x3b,
        (byte) 0xbe,
        (byte) 0xac,
        0x01,
        (byte) 0xfa
    };

    /** {@code TABLE[position * 256 + value]}: what one input byte contributes. */
    private static final int[] TABLE = table();

    private ToeplitzHash() {}

    private static int[] table() {
        int[] table = new int[INPUT_BYTES * 256];
        for (int position = 0; position < INPUT_BYTES; position++) {
            long window = 0; // the 40 key bits that the eight windows of this byte cover
            for (int i = 0; i < 5; i++) {
                window = window << 8 | (KEY[position + i] & 0xff);
            }
            for (int value = 0; value < 256; value++) {
                int hash = 0;
                for (int bit = 0; bit < 8; bit++) {
                    if ((value & 0x80 >>> bit) != 0) {
                        hash ^= (int) (window >>> (8 - bit));
                    }
                }
                table[position * 256 + value] = hash;
            }
        }
        return table;
    }

    /** The 40 bytes of the key, a fresh copy, for ports that program it into a device. */
    public static byte[] key() {
        return KEY.clone();
    }

    /** Hash of an IPv4 flow as its packets show it: the sender is the source. Unsigned. */
    public static int v4(int source, int destination, int sourcePort, int destinationPort) {
        return word(0, source) ^ word(4, destination) ^ word(8, sourcePort << 16 | (destinationPort & 0xffff));
    }

    /** Hash of an IPv6 flow as its packets show it. Unsigned. */
    public static int v6(
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int sourcePort,
            int destinationPort) {
        return words(0, sourceHigh)
                ^ words(8, sourceLow)
                ^ words(16, destinationHigh)
                ^ words(24, destinationLow)
                ^ word(32, sourcePort << 16 | (destinationPort & 0xffff));
    }

    /** Hash of a flow of either family, IPv4 addresses in mapped form. Unsigned. */
    public static int of(
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int sourcePort,
            int destinationPort) {
        return IpAddress.isV4(sourceHigh, sourceLow)
                ? v4((int) sourceLow, (int) destinationLow, sourcePort, destinationPort)
                : v6(sourceHigh, sourceLow, destinationHigh, destinationLow, sourcePort, destinationPort);
    }

    private static int words(int position, long bits) {
        return word(position, (int) (bits >>> 32)) ^ word(position + 4, (int) bits);
    }

    private static int word(int position, int bits) {
        int base = position << 8;
        return TABLE[base + (bits >>> 24)]
                ^ TABLE[base + 256 + (bits >>> 16 & 0xff)]
                ^ TABLE[base + 512 + (bits >>> 8 & 0xff)]
                ^ TABLE[base + 768 + (bits & 0xff)];
    }
}
