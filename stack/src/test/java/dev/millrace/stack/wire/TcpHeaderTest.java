package dev.millrace.stack.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.wire.TcpHeader.Fault;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TcpHeaderTest {
    private static final int SYN = TcpSegment.SYN;
    private static final int ACK = TcpSegment.ACK;

    private final Arena arena = Arena.ofConfined();
    private final long address = arena.allocate(256, 8).address();
    private final TcpSegment segment = new TcpSegment();

    @AfterEach
    void free() {
        arena.close();
    }

    /** Writes a header with these option bytes, padded with zeros, and parses it. */
    private Fault parse(int flags, int... options) {
        int padded = (options.length + 3) / 4 * 4;
        Memory.zero(address, 256);
        TcpHeader.write(address, 0x1234, 0xfedc, -2, 7, TcpHeader.MIN_BYTES + padded, flags, 0xffff);
        for (int i = 0; i < options.length; i++) {
            Memory.putByte(address + TcpHeader.MIN_BYTES + i, options[i]);
        }
        return TcpHeader.parse(address, TcpHeader.MIN_BYTES + padded, segment);
    }

    @Rule("RFC 9293 MUST-5")
    @Test
    void readsBackWhatItWrites() {
        TcpHeader.write(address, 65535, 1, 0xffff_fffe, 0x8000_0000, 32, ACK | TcpSegment.PSH | TcpSegment.CWR, 65535);
        int options = TcpHeader.writeOptions(address + 20, true, 0x0102_0304, -1, new int[4], new int[4], 0);
        assertEquals(12, options);
        assertSame(Fault.NONE, TcpHeader.parse(address, 32 + 100, segment));
        assertEquals(65535, segment.sourcePort);
        assertEquals(1, segment.destinationPort);
        assertEquals(0xffff_fffe, segment.sequence);
        assertEquals(0x8000_0000, segment.acknowledgment);
        assertEquals(ACK | TcpSegment.PSH | TcpSegment.CWR, segment.flags);
        assertEquals(65535, segment.window);
        assertEquals(address + 32, segment.payloadAddress);
        assertEquals(100, segment.payloadLength);
        assertTrue(segment.hasTimestamp);
        assertEquals(0x0102_0304, segment.timestampValue);
        assertEquals(-1, segment.timestampEcho);
        assertEquals(0, Memory.getInt(address + 16), "checksum and urgent pointer");
    }

    @Rule("RFC 9293 MUST-68")
    @Rule("RFC 9293 MUST-69")
    @Test
    void writesSynOptionsInLinuxOrder() {
        assertEquals(20, TcpHeader.writeSynOptions(address, 1460, true, true, 1, 2, 7));
        assertEquals(0x0204_05b4, Memory.getInt(address));
        assertEquals(0x0402_080a, Memory.getInt(address + 4));
        assertEquals(1, Memory.getInt(address + 8));
        assertEquals(2, Memory.getInt(address + 12));
        assertEquals(0x0103_0307, Memory.getInt(address + 16));
    }

    @Rule("RFC 9293 MUST-4")
    @ParameterizedTest
    @CsvSource({
        "true,true,7,20",
        "true,true,-1,16",
        "false,true,14,20",
        "true,false,0,12",
        "false,false,-1,4",
        "true,false,-1,8",
        "false,true,-1,16"
    })
    void parsesEveryCombinationOfSynOptions(boolean sack, boolean timestamps, int scale, int bytes) {
        int written = TcpHeader.writeSynOptions(address + 20, 9000, sack, timestamps, 11, 12, scale);
        assertEquals(bytes, written);
        TcpHeader.write(address, 1, 2, 3, 4, 20 + written, SYN, 5);
        assertSame(Fault.NONE, TcpHeader.parse(address, 20 + written, segment));
        assertEquals(9000, segment.mss);
        assertEquals(sack, segment.sackPermitted);
        assertEquals(timestamps, segment.hasTimestamp);
        assertEquals(scale, segment.windowScale);
        assertEquals(0, segment.payloadLength);
    }

    @ParameterizedTest
    @CsvSource({"true,0,12", "true,1,24", "true,3,40", "true,4,40", "false,1,12", "false,4,36", "false,0,0"})
    void writesAsManySackBlocksAsFit(boolean timestamps, int blocks, int bytes) {
        int[] left = {1, -10, 21, 31};
        int[] right = {5, 15, 25, 35};
        assertEquals(bytes, TcpHeader.writeOptions(address + 20, timestamps, 1, 2, left, right, blocks));
        assertEquals(bytes, TcpHeader.optionBytes(timestamps, blocks));
        TcpHeader.write(address, 1, 2, 3, 4, 20 + bytes, ACK, 5);
        assertSame(Fault.NONE, TcpHeader.parse(address, 20 + bytes, segment));
        assertEquals(timestamps, segment.hasTimestamp);
        assertEquals(timestamps ? Math.min(blocks, 3) : blocks, segment.sackBlocks);
        for (int i = 0; i < segment.sackBlocks; i++) {
            assertEquals(left[i], segment.sackLeft[i]);
            assertEquals(right[i], segment.sackRight[i]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 19})
    void refusesLessThanAHeader(int length) {
        TcpHeader.write(address, 1, 2, 3, 4, 20, ACK, 5);
        assertSame(Fault.TOO_SHORT, TcpHeader.parse(address, length, segment));
    }

    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @ParameterizedTest
    @CsvSource({"0,60", "4,60", "5,19", "6,23", "15,59"})
    void refusesADataOffsetThatDoesNotFit(int offsetWords, int length) {
        TcpHeader.write(address, 1, 2, 3, 4, 20, ACK, 5);
        Memory.putByte(address + 12, offsetWords << 4);
        Fault expected = length < 20 ? Fault.TOO_SHORT : Fault.BAD_DATA_OFFSET;
        assertSame(expected, TcpHeader.parse(address, length, segment));
    }

    @Test
    void acceptsADataOffsetThatFitsExactly() {
        Memory.zero(address, 60);
        TcpHeader.write(address, 1, 2, 3, 4, 60, ACK, 5);
        assertSame(Fault.NONE, TcpHeader.parse(address, 60, segment));
        assertEquals(0, segment.payloadLength);
    }

    @Rule("tcp.md: LAND, christmas tree, null, SYN+FIN, SYN+RST")
    @ParameterizedTest
    @CsvSource({
        "0,NO_MEANING", // null
        "8,NO_MEANING", // PSH
        "41,NO_MEANING", // FIN PSH URG: christmas tree
        "3,NONE", // SYN FIN is for TCP to drop
        "6,CONTRADICTION", // SYN RST
        "255,CONTRADICTION",
        "19,NONE", // SYN FIN ACK as well
        "2,NONE",
        "18,NONE",
        "4,NONE",
        "20,NONE",
        "16,NONE",
        "17,NONE",
        "1,NONE", // FIN without ACK is for the state machine to drop
        "194,NONE" // SYN ECE CWR
    })
    void refusesFlagsThatBelongToNoState(int flags, Fault expected) {
        assertSame(expected, parse(flags));
    }

    @Rule("tcp.md: Options")
    @Test
    void onlyTheFirstOfARepeatedOptionCounts() {
        assertSame(Fault.NONE, parse(SYN, 2, 4, 5, 0xb4, 2, 4, 0, 1, 3, 3, 5, 3, 3, 9));
        assertEquals(1460, segment.mss);
        assertEquals(5, segment.windowScale);
        parse(ACK, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4);
        assertEquals(1, segment.timestampValue);
        assertEquals(2, segment.timestampEcho);
    }

    @Test
    void aFirstOptionOfWrongLengthStillCountsAsTheFirst() {
        parse(SYN, 2, 3, 5, 1, 2, 4, 5, 0xb4);
        assertEquals(-1, segment.mss);
    }

    @Rule("RFC 9293 MUST-7")
    @Test
    void anOptionShorterThanItsHeaderStopsParsing() {
        parse(SYN, 2, 4, 5, 0xb4, 3, 1, 7, 4, 2);
        assertEquals(1460, segment.mss);
        assertEquals(-1, segment.windowScale);
        assertFalse(segment.sackPermitted);
        parse(SYN, 3, 0, 7, 4, 2);
        assertEquals(-1, segment.windowScale);
        assertFalse(segment.sackPermitted);
    }

    @Rule("RFC 9293 MUST-7")
    @Rule("tcp.md: Options")
    @Test
    void anOptionBeyondTheEndStopsParsing() {
        parse(SYN, 1, 1, 1, 1, 2, 5, 5, 0xb4);
        assertEquals(-1, segment.mss);
        parse(SYN, 1, 1, 1, 2);
        assertEquals(-1, segment.mss);
    }

    @Rule("RFC 9293 MUST-7")
    @Test
    void nothingIsReadBehindAnOptionShorterThanItsHeader() {
        for (int length = 0; length < 2; length++) {
            parse(SYN, 3, length, 4, 2);
            assertFalse(segment.sackPermitted, "length " + length);
        }
    }

    /** Whose value would be taken from the segment's text. */
    @Rule("RFC 9293 MUST-7")
    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @Test
    void anOptionIsNotCompletedByTheText() {
        int[][] cut = {{1, 1, 2, 4}, {1, 1, 1, 2}, {1, 1, 3, 3}, {1, 1, 8, 10}, {1, 1, 5, 10}, {1, 1, 34, 10}};
        for (int[] options : cut) {
            parse(SYN, options);
            for (int i = 0; i < 40; i++) {
                Memory.putByte(address + 24 + i, 4 + i);
            }
            assertSame(Fault.NONE, TcpHeader.parse(address, 24 + 40, segment));
            assertEquals(address + 24, segment.payloadAddress);
            assertEquals("-1 -1 false 0 -1", read(), Arrays.toString(options));
        }
    }

    /** What is behind it counts. */
    @Rule("RFC 9293 MUST-7")
    @Rule("tcp.md: Options")
    @ParameterizedTest
    @ValueSource(
            strings = {
                "2 3 5",
                "2 5 5 180 0",
                "3 2",
                "3 4 7 0",
                "4 3 0",
                "5 2",
                "5 6 0 0 0 0",
                "5 9 0 0 0 0 0 0 0",
                "5 11 0 0 0 0 0 0 0 0 0",
                "8 2",
                "8 6 1 2 3 4",
                "8 9 1 2 3 4 5 6 7",
                "8 12 1 2 3 4 5 6 7 8 9 10",
                "34 3 1",
                "34 4 1 2",
                "34 9 1 2 3 4 5 6 7",
                "34 20 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
                "254 2",
                "254 3 249",
                "254 6 249 137 1 2"
            })
    void anOptionOfAWrongLengthIsSkipped(String option) {
        int[] wrong =
                Arrays.stream(option.split(" ")).mapToInt(Integer::parseInt).toArray();
        int[] options = Arrays.copyOf(wrong, wrong.length + 4);
        options[wrong.length] = 253; // of a kind that nobody knows, to be seen from behind it
        options[wrong.length + 1] = 4;
        assertSame(Fault.NONE, parse(SYN, options));
        assertEquals("-1 -1 false 0 -1", read());
        int kind = wrong[0] == 3 ? 2 : 3;
        int[] followed = Arrays.copyOf(wrong, wrong.length + (kind == 3 ? 3 : 4));
        followed[wrong.length] = kind;
        followed[wrong.length + 1] = kind == 3 ? 3 : 4;
        followed[wrong.length + 2] = 5;
        parse(SYN, followed);
        assertEquals(kind == 3 ? "-1 5 false 0 -1" : "1280 -1 false 0 -1", read(), "followed by kind " + kind);
    }

    private String read() {
        assertFalse(segment.hasTimestamp);
        return segment.mss + " " + segment.windowScale + " " + segment.sackPermitted + " " + segment.sackBlocks + " "
                + segment.fastOpenBytes;
    }

    @Rule("RFC 9293 MUST-4")
    @Test
    void nothingIsReadBehindTheEndOfOptions() {
        parse(SYN, 4, 2, 0, 2, 4, 5, 0xb4);
        assertTrue(segment.sackPermitted);
        assertEquals(-1, segment.mss);
    }

    @Rule("RFC 9293 MUST-6")
    @Rule("RFC 9293 MUST-68")
    @Test
    void unknownOptionsAreSkipped() {
        parse(SYN, 254, 4, 1, 2, 2, 4, 5, 0xb4, 19, 2);
        assertEquals(1460, segment.mss);
    }

    @Test
    void synOptionsMeanNothingInOtherSegments() {
        parse(ACK, 2, 4, 5, 0xb4, 3, 3, 7, 4, 2);
        assertEquals(-1, segment.mss);
        assertEquals(-1, segment.windowScale);
        assertFalse(segment.sackPermitted);
    }

    @Rule("tcp.md: Options")
    @Test
    void windowScaleIsClampedTo14() {
        parse(SYN, 3, 3, 15);
        assertEquals(14, segment.windowScale);
        parse(SYN, 3, 3, 255);
        assertEquals(14, segment.windowScale);
    }

    @Test
    void anMssOfZeroIsNoMss() {
        parse(SYN, 2, 4, 0, 0);
        assertEquals(-1, segment.mss);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 9, 11, 17})
    void aSackOptionOfOddLengthIsIgnored(int optionBytes) {
        int[] options = new int[20];
        options[0] = 5;
        options[1] = optionBytes;
        parse(ACK, options);
        assertEquals(0, segment.sackBlocks);
    }

    @Test
    void optionsOfTheLastSegmentAreForgotten() {
        parse(SYN, 2, 4, 5, 0xb4, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2);
        parse(ACK);
        assertEquals(-1, segment.mss);
        assertEquals(-1, segment.windowScale);
        assertFalse(segment.sackPermitted);
        assertFalse(segment.hasTimestamp);
        assertEquals(0, segment.sackBlocks);
    }

    @Test
    void sequenceLengthCountsSynAndFin() {
        parse(SYN);
        assertEquals(1, segment.sequenceLength());
        TcpHeader.write(address, 1, 2, 3, 4, 20, ACK | TcpSegment.FIN, 5);
        TcpHeader.parse(address, 30, segment);
        assertEquals(11, segment.sequenceLength());
    }

    @Rule("RFC 9293 MUST-7")
    @Test
    void bytesOfAnyContentNeverThrowNorReachOutside() {
        long seed = 20_260_101;
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 200_000; round++) {
            int length = random.nextInt(80);
            for (int i = 0; i < 80; i += 8) {
                Memory.putLong(address + i, random.nextLong());
            }
            if (TcpHeader.parse(address, length, segment) == Fault.NONE) {
                assertTrue(segment.payloadLength >= 0 && segment.payloadLength <= length - 20, "seed " + seed);
                assertEquals(address + length, segment.payloadAddress + segment.payloadLength, "seed " + seed);
                assertTrue(segment.windowScale <= 14 && segment.sackBlocks <= 4, "seed " + seed);
            }
        }
    }
}
