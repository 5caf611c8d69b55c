package dev.millrace.compat.simulate;

import java.util.Arrays;

/** What some boxes on the way do: overwrites options of SYNs that they do not know with no-operations, so that both ends do without. */
final class Middlebox {
    static final int TIMESTAMPS = 1;
    static final int SACK_PERMITTED = 2;
    static final int WINDOW_SCALE = 4;
    static final int FAST_OPEN = 8;

    private static final int FAST_OPEN_KIND = 34;
    private static final int SYN = 2;
    private static final int NO_OPERATION = 1;

    private Middlebox() {}

    /** The frame, or a changed copy if it is a SYN with one of these options. */
    static byte[] strip(byte[] frame, int kinds) {
        if (!Frames.isTcp(frame)) {
            return frame;
        }
        int at = Frames.transportAt(frame);
        if ((frame[at + 13] & SYN) == 0) {
            return frame;
        }
        byte[] copy = frame.clone();
        int end = Math.min(copy.length, at + (copy[at + 12] >>> 4 & 0xf) * 4);
        int option = at + 20;
        while (option < end && copy[option] != 0) {
            int length = copy[option] == NO_OPERATION ? 1 : option + 1 < end ? copy[option + 1] & 0xff : 0;
            if (length < 1 || option + length > end) {
                break; // whose options are no options
            }
            if (isStripped(copy[option], kinds)) {
                Arrays.fill(copy, option, option + length, (byte) NO_OPERATION);
            }
            option += length;
        }
        Frames.putTcpChecksum(copy);
        return copy;
    }

    private static boolean isStripped(int option, int kinds) {
        return option == 8 && (kinds & TIMESTAMPS) != 0
                || option == 4 && (kinds & SACK_PERMITTED) != 0
                || option == 3 && (kinds & WINDOW_SCALE) != 0
                || option == FAST_OPEN_KIND && (kinds & FAST_OPEN) != 0;
    }
}
