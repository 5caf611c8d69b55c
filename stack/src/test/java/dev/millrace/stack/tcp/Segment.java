package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One segment in a trace, with numbers as they stand on the wire; built by the peer, or read from what the stack sent. */
final class Segment {
    int sourcePort;
    int destinationPort;
    int flags;
    int sequence;
    int acknowledgment;
    int window = 65535;
    int urgentPointer;
    byte[] payload = {};
    boolean hasTimestamp;
    int timestampValue;
    int timestampEcho;
    int mss = -1;
    int windowScale = -1;
    boolean sackPermitted;
    /** Fast Open cookie; empty asks for one, null leaves the option out. */
    byte @Nullable [] fastOpen;
    /** In the form it had before RFC 7413. */
    boolean fastOpenExperimental;

    int[] sackLeft = {};
    int[] sackRight = {};
    /** Of the IP header, ECN bits included. */
    int trafficClass;
    /** When the stack sent it. */
    long sentNs;

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    byte[] toBytes() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(TcpHost.PACKET_BYTES);
            long at = memory.address();
            int options = has(TcpSegment.SYN)
                    ? synOptions(at + 20)
                    : TcpHeader.writeOptions(
                            at + 20, hasTimestamp, timestampValue, timestampEcho, sackLeft, sackRight, sackLeft.length);
            int headerBytes = 20 + options;
            TcpHeader.write(at, sourcePort, destinationPort, sequence, acknowledgment, headerBytes, flags, window);
            Memory.putShort(at + 18, urgentPointer);
            byte[] bytes = new byte[headerBytes + payload.length];
            Memory.copy(at, bytes, 0, headerBytes);
            System.arraycopy(payload, 0, bytes, headerBytes, payload.length);
            return bytes;
        }
    }

    private int synOptions(long at) {
        if (mss < 0) {
            return 0;
        }
        int bytes = TcpHeader.writeSynOptions(
                at, mss, sackPermitted, hasTimestamp, timestampValue, timestampEcho, windowScale);
        byte[] cookie = fastOpen;
        if (cookie != null) {
            ByteBuffer words = ByteBuffer.wrap(Arrays.copyOf(cookie, 16));
            bytes += TcpHeader.writeFastOpen(
                    at + bytes, fastOpenExperimental, cookie.length, words.getLong(), words.getLong());
        }
        return bytes;
    }

    static Segment parse(TcpHost.Wire wire) {
        byte[] bytes = wire.bytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(bytes.length);
            Memory.copy(bytes, 0, memory.address(), bytes.length);
            TcpSegment parsed = new TcpSegment();
            TcpHeader.Fault fault = TcpHeader.parse(memory.address(), bytes.length, parsed);
            if (fault != TcpHeader.Fault.NONE) {
                throw new AssertionError("the stack sent a bad segment: " + fault);
            }
            Segment segment = of(parsed);
            segment.sentNs = wire.sentNs();
            segment.trafficClass = wire.trafficClass();
            return segment;
        }
    }

    private static Segment of(TcpSegment parsed) {
        Segment segment = new Segment();
        segment.sourcePort = parsed.sourcePort;
        segment.destinationPort = parsed.destinationPort;
        segment.flags = parsed.flags;
        segment.sequence = parsed.sequence;
        segment.acknowledgment = parsed.acknowledgment;
        segment.window = parsed.window;
        segment.urgentPointer = parsed.urgentPointer;
        segment.payload = new byte[parsed.payloadLength];
        Memory.copy(parsed.payloadAddress, segment.payload, 0, parsed.payloadLength);
        segment.hasTimestamp = parsed.hasTimestamp;
        segment.timestampValue = parsed.timestampValue;
        segment.timestampEcho = parsed.timestampEcho;
        segment.mss = parsed.mss;
        segment.windowScale = parsed.windowScale;
        segment.sackPermitted = parsed.sackPermitted;
        if (parsed.fastOpenBytes >= 0) {
            byte[] words = ByteBuffer.allocate(16)
                    .putLong(parsed.fastOpenHigh)
                    .putLong(parsed.fastOpenLow)
                    .array();
            segment.fastOpen = Arrays.copyOf(words, parsed.fastOpenBytes);
            segment.fastOpenExperimental = parsed.fastOpenExperimental;
        }
        segment.sackLeft = Arrays.copyOf(parsed.sackLeft, parsed.sackBlocks);
        segment.sackRight = Arrays.copyOf(parsed.sackRight, parsed.sackBlocks);
        return segment;
    }

    /** "SA." in the manner of tcpdump: S, F, R, P, a dot for ACK, E for ECE and W for CWR. */
    String flagText() {
        return (has(TcpSegment.SYN) ? "S" : "")
                + (has(TcpSegment.FIN) ? "F" : "")
                + (has(TcpSegment.RST) ? "R" : "")
                + (has(TcpSegment.URG) ? "U" : "")
                + (has(TcpSegment.PSH) ? "P" : "")
                + (has(TcpSegment.ACK) ? "." : "")
                + (has(TcpSegment.ECE) ? "E" : "")
                + (has(TcpSegment.CWR) ? "W" : "");
    }

    static int flagsOf(String text) {
        int flags = 0;
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            flags |= switch (letter) {
                case 'S' -> TcpSegment.SYN;
                case 'F' -> TcpSegment.FIN;
                case 'R' -> TcpSegment.RST;
                case 'P' -> TcpSegment.PSH;
                case 'U' -> TcpSegment.URG;
                case '.' -> TcpSegment.ACK;
                case 'E' -> TcpSegment.ECE;
                case 'W' -> TcpSegment.CWR;
                default -> throw new IllegalArgumentException("flag " + letter);
            };
        }
        return flags;
    }
}
