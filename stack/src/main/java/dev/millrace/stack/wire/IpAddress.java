package dev.millrace.stack.wire;

/**
 * An IPv4 or IPv6 address as two longs; IPv4 is held in its IPv4-mapped form (RFC 4291 §2.5.5.2), so that one flow key serves both
 * families. Immutable; the hot path compares the two longs and makes no instances.
 *
 * @param high the first eight bytes, network order
 * @param low the last eight bytes, network order
 */
public record IpAddress(long high, long low) {
    private static final long MAPPED = 0x0000_ffff_0000_0000L;

    /** 0.0.0.0 */
    public static final IpAddress ANY4 = v4(0);

    /** :: */
    public static final IpAddress ANY6 = new IpAddress(0, 0);

    /** The IPv4 address with these 32 bits. */
    public static IpAddress v4(int bits) {
        return new IpAddress(0, MAPPED | (bits & 0xffff_ffffL));
    }

    /** The address in 4 or 16 bytes, network order, as {@code InetAddress.getAddress} gives them. */
    public static IpAddress of(byte[] bytes) {
        if (bytes.length == 4) {
            return v4((int) bigEndian(bytes, 0, 4));
        }
        if (bytes.length == 16) {
            return new IpAddress(bigEndian(bytes, 0, 8), bigEndian(bytes, 8, 8));
        }
        throw new IllegalArgumentException("an address has 4 or 16 bytes, not " + bytes.length);
    }

    private static long bigEndian(byte[] bytes, int from, int count) {
        long value = 0;
        for (int i = from; i < from + count; i++) {
            value = value << 8 | (bytes[i] & 0xff);
        }
        return value;
    }

    /** True when these two longs are an IPv4 address. */
    public static boolean isV4(long high, long low) {
        return high == 0 && (low & 0xffff_ffff_0000_0000L) == MAPPED;
    }

    public boolean isV4() {
        return isV4(high, low);
    }

    /** The 32 bits of an IPv4 address. */
    public int v4Bits() {
        assert isV4() : "not IPv4";
        return (int) low;
    }

    /** 4 or 16 bytes, network order. */
    public byte[] bytes() {
        byte[] bytes = new byte[isV4() ? 4 : 16];
        for (int i = 0; i < bytes.length; i++) {
            int fromEnd = bytes.length - 1 - i;
            bytes[i] = (byte) (fromEnd >= 8 ? high >>> (fromEnd - 8) * 8 : low >>> fromEnd * 8);
        }
        return bytes;
    }

    public boolean isAny() {
        return equals(ANY4) || equals(ANY6);
    }

    /** 127.0.0.0/8 or ::1 */
    public boolean isLoopback() {
        return isV4() ? v4Bits() >>> 24 == 127 : high == 0 && low == 1;
    }

    public boolean isMulticast() {
        return isV4() ? v4Bits() >>> 28 == 0xe : high >>> 56 == 0xff;
    }

    /** fe80::/10 or 169.254.0.0/16 */
    public boolean isLinkLocal() {
        return isV4() ? v4Bits() >>> 16 == 0xa9fe : high >>> 54 == 0x3fa;
    }

    /** True when both are of one family and agree in the first {@code prefixBits} of its 32 or 128 bits. */
    public boolean sharesPrefix(IpAddress other, int prefixBits) {
        return isV4() == other.isV4() && commonPrefixBits(other) >= (isV4() ? prefixBits + 96 : prefixBits);
    }

    /** How many leading bits of the 128 agree; IPv4 addresses agree in the 96 of their mapped form. */
    public int commonPrefixBits(IpAddress other) {
        int bits = Long.numberOfLeadingZeros(high ^ other.high);
        return bits < 64 ? bits : 64 + Long.numberOfLeadingZeros(low ^ other.low);
    }

    @Override
    public String toString() {
        if (isV4()) {
            int bits = v4Bits();
            return (bits >>> 24) + "." + (bits >>> 16 & 0xff) + "." + (bits >>> 8 & 0xff) + "." + (bits & 0xff);
        }
        return compressed();
    }

    /** RFC 5952 §4: lower case, no leading zeros, the longest run of two or more zero groups as "::", the first of equal ones. */
    private String compressed() {
        int runStart = -1;
        int runLength = 1;
        for (int i = 0; i < 8; i++) {
            int length = 0;
            while (i + length < 8 && group(i + length) == 0) {
                length++;
            }
            if (length > runLength) {
                runStart = i;
                runLength = length;
            }
            i += length;
        }
        StringBuilder text = new StringBuilder(39);
        for (int i = 0; i < 8; i++) {
            if (i == runStart) {
                text.append("::");
                i += runLength - 1;
                continue;
            }
            if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(group(i)));
        }
        return text.toString();
    }

    private int group(int index) {
        long half = index < 4 ? high : low;
        return (int) (half >>> (3 - index % 4) * 16) & 0xffff;
    }
}
