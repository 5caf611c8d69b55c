package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Fragments of both families, overlapping, repeated, short, late, of several packets at once. What comes out whole is seen by the echo
 * replies that it causes: each byte of a reply was sent in a fragment of that identification at that offset, and every buffer comes back.
 */
public final class ReassemblyTarget {
    private static final int MAX_OPERATIONS = 300;
    private static final int IDENTIFICATIONS = 4;
    private static final int SPACE = 4_096;

    private final FuzzedStack host;
    private final Program program;
    /** By family, identification, offset and value: whether that byte was sent. */
    private final boolean[][][] sent = new boolean[2 * IDENTIFICATIONS][SPACE][];

    private ReassemblyTarget(FuzzedStack host, Program program) {
        this.host = host;
        this.program = program;
    }

    public static void fuzzerTestOneInput(byte[] input) {
        try (FuzzedStack host = new FuzzedStack()) {
            new ReassemblyTarget(host, new Program(input)).run();
            host.expectNothingLeft();
        }
    }

    private void run() {
        for (int i = 0; i < MAX_OPERATIONS && !program.isOver(); i++) {
            int kind = program.unsignedByte();
            if ((kind & 15) == 15) {
                host.after(program.unsignedByte() * (250 * FuzzedStack.MS));
            } else {
                fragment((kind & 1) != 0, kind >> 1 & 3, kind >> 3 & 3);
            }
            verifyReplies();
        }
    }

    /** Offset and length in units of 8 bytes, so that pieces meet; now and then an odd length. */
    private void fragment(boolean v6, int identification, int oddity) {
        int offset = program.unsignedByte() & 63;
        int lengthAndMore = program.unsignedByte();
        boolean more = (lengthAndMore & 1) != 0;
        int length = (lengthAndMore >> 1 & 63) * 8;
        int fill = program.unsignedByte();
        if (oddity == 3) {
            length = Math.max(0, length - (fill & 7));
            offset |= (fill & 8) != 0 ? 0x1fc0 : 0;
        }
        byte[] data = new byte[length];
        Arrays.fill(data, (byte) fill);
        if (offset == 0 && length >= 8) {
            echoRequest(v6, data, program.unsignedByte(), fill);
        }
        note(v6, identification, offset * 8, data);
        host.receives(
                v6 ? fragment6(identification, offset, more, data) : fragment4(identification, offset, more, data));
    }

    /** ICMP header whose checksum is right if the whole is this many units of the fill byte. */
    private static void echoRequest(boolean v6, byte[] first, int units, int fill) {
        byte[] whole = new byte[Math.max(first.length, units * 8)];
        Arrays.fill(whole, (byte) fill);
        whole[0] = (byte) (v6 ? 128 : 8);
        whole[1] = 0;
        Wire.checksummed(v6, v6 ? Wire.ICMP6 : Wire.ICMP, whole, 2);
        System.arraycopy(whole, 0, first, 0, 8);
    }

    private static byte[] fragment4(int identification, int offset, boolean more, byte[] data) {
        return Wire.ethernet(0x0800, Wire.ipv4(Wire.ICMP, identification, (more ? 0x2000 : 0) | offset, data));
    }

    private static byte[] fragment6(int identification, int offset, boolean more, byte[] data) {
        ByteBuffer payload = ByteBuffer.allocate(8 + data.length);
        payload.put((byte) Wire.ICMP6).put((byte) 0).putShort((short) (offset << 3 | (more ? 1 : 0)));
        payload.putInt(identification).put(data);
        return Wire.ethernet(0x86dd, Wire.ipv6(44, 64, payload.array()));
    }

    private void note(boolean v6, int identification, int from, byte[] data) {
        boolean[][] packet = sent[(v6 ? IDENTIFICATIONS : 0) + identification];
        for (int i = 0; i < data.length && from + i < SPACE; i++) {
            boolean[] values = packet[from + i];
            if (values == null) {
                values = new boolean[256];
                packet[from + i] = values;
            }
            values[data[i] & 0xff] = true;
        }
    }

    private void verifyReplies() {
        for (byte[] frame = host.port.nextSent(); frame != null; frame = host.port.nextSent()) {
            verifyReply(frame, false, Wire.ICMP, 0);
            verifyReply(frame, true, Wire.ICMP6, 129);
        }
    }

    private void verifyReply(byte[] frame, boolean v6, int protocol, int type) {
        int at = Wire.payload(v6);
        if (!Wire.isIp(frame, v6, protocol) || (frame[at] & 0xff) != type) {
            return;
        }
        Wire.verify(frame, v6, protocol);
        boolean found = false;
        for (int identification = 0; identification < IDENTIFICATIONS; identification++) {
            found |= isOf(sent[(v6 ? IDENTIFICATIONS : 0) + identification], frame, at);
        }
        check(found, "an echo reply with bytes that were not sent there");
    }

    /** Type and checksum are the reply's own. */
    private static boolean isOf(boolean[][] packet, byte[] frame, int at) {
        for (int i = 4; at + i < frame.length; i++) {
            boolean[] values = packet[i];
            if (values == null || !values[frame[at + i] & 0xff]) {
                return false;
            }
        }
        return true;
    }
}
