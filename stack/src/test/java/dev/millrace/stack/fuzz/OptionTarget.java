package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * TCP segments of any content to the parser: it agrees with a second, naive reading of the RFCs over a byte array, which throws where the
 * first would read outside, and with itself when the memory around the segment is filled differently.
 */
public final class OptionTarget {
    private static final int MAX_BYTES = 120;
    private static final MemorySegment MEMORY = Arena.global().allocate(MAX_BYTES + 128);

    private OptionTarget() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Program program = new Program(input);
        int flags = program.unsignedByte();
        byte[] options = program.rest();
        int length = Math.min(options.length, 40);
        int header = 20 + (length + 3 & ~3);
        byte[] segment = new byte[Math.min(MAX_BYTES, header + options.length - length)];
        System.arraycopy(options, 0, segment, 20, Math.min(options.length, segment.length - 20));
        segment[12] = (byte) (header << 2);
        segment[13] = (byte) flags;
        TcpSegment first = parse(segment, (byte) 0);
        TcpSegment second = parse(segment, (byte) 2);
        check(text(first).equals(text(second)), "bytes around the segment were read: " + text(first) + text(second));
        if (first.mss != REFUSED) {
            String expected = new NaiveOptions(segment, (flags & TcpSegment.SYN) != 0).toString();
            check(expected.equals(text(first)), "expected " + expected + ", parsed " + text(first));
        }
    }

    private static final int REFUSED = -2;

    private static TcpSegment parse(byte[] bytes, byte surroundings) {
        MEMORY.fill(surroundings);
        long at = MEMORY.address() + 64;
        Memory.copy(bytes, 0, at, bytes.length);
        TcpSegment segment = new TcpSegment();
        if (TcpHeader.parse(at, bytes.length, segment) != TcpHeader.Fault.NONE) {
            segment.mss = REFUSED;
        }
        return segment;
    }

    private static String text(TcpSegment segment) {
        StringBuilder sack = new StringBuilder();
        for (int i = 0; i < segment.sackBlocks; i++) {
            sack.append(segment.sackLeft[i])
                    .append('-')
                    .append(segment.sackRight[i])
                    .append(' ');
        }
        return NaiveOptions.text(
                segment.mss,
                segment.windowScale,
                segment.sackPermitted,
                segment.hasTimestamp ? segment.timestampValue + "/" + segment.timestampEcho : "none",
                sack.toString());
    }
}
