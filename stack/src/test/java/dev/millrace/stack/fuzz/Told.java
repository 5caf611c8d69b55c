package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the stack has told its peer: how far it is in both streams, its window, its timestamp and cookie. Each frame is verified. */
final class Told {
    private static final int FIN = 1;
    private static final int SYN = 2;
    private static final int RST = 4;
    private static final int ACK = 16;
    private static final int OPTION_FAST_OPEN = 34;

    private final boolean v6;

    int iss;
    /** Behind the last byte, SYN or FIN that was sent. */
    int next;
    /** What it expects of the peer, and behind the last byte that it takes. */
    int acknowledged;

    int edge;
    int timestamp;
    /** The last Fast Open cookie, empty when there was none. */
    byte[] cookie = {};

    byte @Nullable [] lastSegment;
    byte @Nullable [] lastDatagram;

    Told(boolean v6) {
        this.v6 = v6;
    }

    void read(byte[] frame) {
        check(frame.length <= Wire.ETHERNET + 1_500, "a frame larger than the link takes");
        if (Wire.isIp(frame, v6, Wire.TCP)) {
            Wire.verify(frame, v6, Wire.TCP);
            readSegment(frame, Wire.payload(v6));
        } else if (Wire.isIp(frame, v6, Wire.UDP)) {
            if (v6 || (Wire.unsignedShort(frame, Wire.ETHERNET + 6) & 0x3fff) == 0) {
                Wire.verify(frame, v6, Wire.UDP); // a fragment has only a part of what the sum is over
            }
            lastDatagram = frame;
        }
    }

    private void readSegment(byte[] frame, int at) {
        int header = (frame[at + 12] >> 4 & 15) * 4;
        int flags = frame[at + 13] & 0xff;
        int payload = frame.length - at - header;
        check(header >= 20 && payload >= 0, "data offset");
        check((flags & SYN) == 0 || (flags & (FIN | RST)) == 0, "SYN with FIN or RST");
        check((flags & RST) == 0 || payload == 0, "RST with text");
        if ((flags & RST) != 0) {
            return;
        }
        lastSegment = frame;
        int sequence = Wire.integer(frame, at + 4);
        if ((flags & SYN) != 0) {
            iss = sequence;
            next = sequence + 1;
            if ((flags & ACK) == 0) {
                acknowledged = Conversation.PEER_ISS;
            }
            readCookie(frame, at + 20, at + header);
        }
        int end = sequence + payload + (flags & FIN) + ((flags & SYN) >> 1);
        if (end - next > 0) {
            next = end;
        }
        if ((flags & ACK) != 0) {
            acknowledged = Wire.integer(frame, at + 8);
            int scale = (flags & SYN) != 0 ? 0 : 7;
            edge = acknowledged + (Wire.unsignedShort(frame, at + 14) << scale);
        }
        if (header >= 32 && Wire.integer(frame, at + 20) == 0x0101_080a) {
            timestamp = Wire.integer(frame, at + 24);
        }
    }

    private void readCookie(byte[] frame, int from, int end) {
        int at = from;
        while (at < end && frame[at] != 0) {
            int length = frame[at] == 1 ? 1 : frame[at + 1];
            check(length >= 1 && at + length <= end, "an option that does not fit the header");
            if (frame[at] == OPTION_FAST_OPEN && length > 2) {
                cookie = Arrays.copyOfRange(frame, at + 2, at + length);
            }
            at += length;
        }
    }
}
