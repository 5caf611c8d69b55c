package dev.millrace.stack.fuzz;

import java.util.Arrays;

/** A fuzzer's input, read as a program: values in order, zeros once it has run out. */
final class Program {
    private final byte[] bytes;
    private int at;

    Program(byte[] bytes) {
        this.bytes = bytes;
    }

    boolean isOver() {
        return at >= bytes.length;
    }

    int unsignedByte() {
        return at < bytes.length ? bytes[at++] & 0xff : 0;
    }

    int signedByte() {
        return (byte) unsignedByte();
    }

    int unsignedShort() {
        return unsignedByte() << 8 | unsignedByte();
    }

    int integer() {
        return unsignedShort() << 16 | unsignedShort();
    }

    /** So many bytes, fewer at the end. */
    byte[] bytes(int count) {
        int end = Math.min(bytes.length, at + count);
        byte[] taken = Arrays.copyOfRange(bytes, Math.min(at, end), end);
        at = end;
        return taken;
    }

    /** Everything that is left. */
    byte[] rest() {
        return bytes(bytes.length - at);
    }
}
