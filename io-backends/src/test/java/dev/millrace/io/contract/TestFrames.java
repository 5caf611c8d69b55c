package dev.millrace.io.contract;

import java.util.random.RandomGenerator;

/** Frames that no kernel sends or answers (EtherType 0x88b5, IEEE 802 local experimental), so that strays are told apart. */
public final class TestFrames {
    private static final int MIN_BYTES = 60; // shorter ones may be padded by a device
    private static final int HEADER_BYTES = 14;

    private TestFrames() {}

    /** A frame that carries its number and otherwise noise. */
    public static byte[] numbered(int number, int length, RandomGenerator random) {
        byte[] frame = new byte[Math.max(length, MIN_BYTES)];
        random.nextBytes(frame);
        for (int i = 0; i < 12; i++) {
            frame[i] = (byte) (i % 6 == 0 ? 2 : i); // unicast, locally administered
        }
        frame[12] = (byte) 0x88;
        frame[13] = (byte) 0xb5;
        for (int i = 0; i < 4; i++) {
            frame[HEADER_BYTES + i] = (byte) (number >>> 24 - 8 * i);
        }
        return frame;
    }

    public static byte[] ofRandomLength(int number, int mtu, RandomGenerator random) {
        return numbered(number, MIN_BYTES + random.nextInt(HEADER_BYTES + mtu - MIN_BYTES + 1), random);
    }

    public static byte[] largest(int number, int mtu, RandomGenerator random) {
        return numbered(number, HEADER_BYTES + mtu, random);
    }

    public static boolean isOurs(byte[] frame) {
        return frame.length >= MIN_BYTES && frame[12] == (byte) 0x88 && frame[13] == (byte) 0xb5;
    }
}
