package dev.millrace.stack.wire;

/**
 * Comparison of TCP sequence numbers, which live on a circle of 2³² (RFC 9293 §3.4). {@code a} is before {@code b} when going
 * forward from {@code a} to {@code b} takes less than half the circle; numbers exactly 2³¹ apart are each before the other, which
 * no pair inside a window of at most 2³⁰ can be. Sequence numbers are never compared in any other way.
 */
public final class SequenceNumber {
    private SequenceNumber() {}

    /** {@code a < b} */
    public static boolean lt(int a, int b) {
        return a - b < 0;
    }

    /** {@code a <= b} */
    public static boolean leq(int a, int b) {
        return a - b <= 0;
    }

    /** {@code a > b} */
    public static boolean gt(int a, int b) {
        return b - a < 0;
    }

    /** {@code a >= b} */
    public static boolean geq(int a, int b) {
        return b - a <= 0;
    }

    /** The later of the two. */
    public static int max(int a, int b) {
        return gt(a, b) ? a : b;
    }

    /** The earlier of the two. */
    public static int min(int a, int b) {
        return lt(a, b) ? a : b;
    }

    /** How far {@code to} lies after {@code from}; negative when it lies before. */
    public static int difference(int to, int from) {
        return to - from;
    }

    /** {@code from <= number < from + length}; {@code length} is not negative. */
    public static boolean inWindow(int number, int from, int length) {
        return Integer.compareUnsigned(number - from, length) < 0;
    }

    /**
     * The 64-bit stream position that {@code number} stands for, near {@code referencePosition}, whose own number is {@code reference}.
     * Positions do not wrap, so whatever keeps many of them keeps them unwrapped.
     */
    public static long unwrap(int number, int reference, long referencePosition) {
        return referencePosition + (number - reference);
    }
}
