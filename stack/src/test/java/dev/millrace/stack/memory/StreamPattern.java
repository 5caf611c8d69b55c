package dev.millrace.stack.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;

/** A byte stream whose every byte is known from its position: the naive model of what a byte queue must give back. */
final class StreamPattern {
    private StreamPattern() {}

    static byte at(long position) {
        long mixed = position * 0x9e37_79b9_7f4a_7c15L;
        return (byte) (mixed >>> 56 ^ mixed >>> 24);
    }

    /** A heap or direct buffer with the bytes of {@code [position, position + length)} at {@code index}, noise around them. */
    static ByteBuffer buffer(long position, int index, int length, RandomGenerator random) {
        int size = index + length + random.nextInt(8);
        ByteBuffer buffer = random.nextBoolean() ? ByteBuffer.allocate(size) : ByteBuffer.allocateDirect(size);
        for (int i = 0; i < size; i++) {
            buffer.put(i, i < index || i >= index + length ? (byte) random.nextInt() : at(position + i - index));
        }
        return random.nextInt(4) == 0 ? buffer.asReadOnlyBuffer() : buffer;
    }

    static void writeTo(long address, long position, int length) {
        for (int i = 0; i < length; i++) {
            Memory.putByte(address + i, at(position + i));
        }
    }

    static void assertAt(long address, long position, int length) {
        for (int i = 0; i < length; i++) {
            assertEquals(at(position + i), Memory.getByte(address + i), "byte at position " + (position + i));
        }
    }

    static void assertIn(ByteBuffer buffer, int index, long position, int length) {
        for (int i = 0; i < length; i++) {
            assertEquals(at(position + i), buffer.get(index + i), "byte at position " + (position + i));
        }
    }
}
