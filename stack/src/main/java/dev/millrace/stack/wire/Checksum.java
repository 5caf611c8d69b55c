package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * The Internet checksum (RFC 1071): one's complement sum of 16-bit words. Sums are kept in a long in native word order until
 * {@link #finish}, which is correct because the one's complement sum commutes with swapping bytes (RFC 1071 §2 B).
 */
public final class Checksum {
    private Checksum() {}

    /** Adds {@code length} bytes at {@code address} to a running sum. Pieces but the last must be of even length. */
    public static long add(long sum, long address, int length) {
        long total = sum;
        long at = address;
        int left = length;
        while (left >= 16) {
            long first = Memory.getLongNative(at);
            long second = Memory.getLongNative(at + 8);
            total += (first & 0xffff_ffffL) + (first >>> 32) + (second & 0xffff_ffffL) + (second >>> 32);
            at += 16;
            left -= 16;
        }
        if (left >= 8) {
            long word = Memory.getLongNative(at);
            total += (word & 0xffff_ffffL) + (word >>> 32);
            at += 8;
            left -= 8;
        }
        if (left >= 4) {
            total += Memory.getIntNative(at) & 0xffff_ffffL;
            at += 4;
            left -= 4;
        }
        if (left >= 2) {
            total += Memory.getUnsignedShortNative(at);
            at += 2;
            left -= 2;
        }
        if (left > 0) {
            total += Memory.getUnsignedByte(at); // little-endian: the missing second byte is zero
        }
        return total;
    }

    /** The part of the TCP/UDP/ICMPv6 pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1) that does not change in a flow. */
    public static long pseudoHeader(IpAddress source, IpAddress destination, int protocol, int length) {
        return pseudoHeader(source.high(), source.low(), destination.high(), destination.low(), protocol, length);
    }

    /** As above, addresses as longs; IPv4 ones in mapped form. */
    public static long pseudoHeader(
            long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int protocol, int length) {
        if (IpAddress.isV4(sourceHigh, sourceLow)) {
            return swap(protocol) + swap(length) + swapInt((int) sourceLow) + swapInt((int) destinationLow);
        }
        return pseudoHeaderV6(sourceHigh, sourceLow, destinationHigh, destinationLow, protocol, length);
    }

    /** RFC 8200 §8.1, whatever the addresses are: also for one in mapped form that came in an IPv6 header. */
    public static long pseudoHeaderV6(
            long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int protocol, int length) {
        return swap(protocol)
                + swap(length)
                + swapInt((int) (sourceHigh >>> 32))
                + swapInt((int) sourceHigh)
                + swapInt((int) (sourceLow >>> 32))
                + swapInt((int) sourceLow)
                + swapInt((int) (destinationHigh >>> 32))
                + swapInt((int) destinationHigh)
                + swapInt((int) (destinationLow >>> 32))
                + swapInt((int) destinationLow);
    }

    /** Adds a 32-bit value as it would stand on the wire; a 16-bit one, too. */
    public static long addInt(long sum, int value) {
        return sum + swapInt(value);
    }

    private static long swap(int value) {
        return swapInt(value);
    }

    private static long swapInt(int value) {
        return Integer.reverseBytes(value) & 0xffff_ffffL;
    }

    /** Folds a sum and complements it: the value to store with {@link Memory#putShortNative}; 0 when verifying a good packet. */
    public static int finish(long sum) {
        return ~fold(sum) & 0xffff;
    }

    /** Folds a sum without complementing: what hardware offload expects in the field. Store natively. */
    public static int fold(long sum) {
        long folded = (sum & 0xffff_ffffL) + (sum >>> 32);
        folded = (folded & 0xffff) + (folded >>> 16);
        folded = (folded & 0xffff) + (folded >>> 16);
        folded = (folded & 0xffff) + (folded >>> 16);
        return (int) folded;
    }
}
