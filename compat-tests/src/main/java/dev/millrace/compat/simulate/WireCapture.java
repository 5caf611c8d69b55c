package dev.millrace.compat.simulate;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Writes every frame of a world to a pcapng file (draft-ietf-opsawg-pcapng), with the virtual time since the world began and, as the packet's
 * comment, the stations and what became of it. Frames of which the line made nothing are in it, too.
 */
final class WireCapture implements WireLog {
    private static final int SECTION_HEADER = 0x0a0d_0d0a;
    private static final int BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
    private static final int INTERFACE_DESCRIPTION = 1;
    private static final int ENHANCED_PACKET = 6;
    private static final int LINKTYPE_ETHERNET = 1;
    private static final int OPTION_COMMENT = 1;
    private static final int OPTION_RESOLUTION = 9;
    private static final int NANOSECONDS = 9;

    private final OutputStream out;

    WireCapture(OutputStream out) throws IOException {
        this.out = out;
        ByteBuffer section = block(SECTION_HEADER, 16);
        section.putInt(BYTE_ORDER_MAGIC).putShort((short) 1).putShort((short) 0).putLong(-1);
        write(section);
        ByteBuffer description = block(INTERFACE_DESCRIPTION, 20);
        description.putShort((short) LINKTYPE_ETHERNET).putShort((short) 0).putInt(0);
        description.putShort((short) OPTION_RESOLUTION).putShort((short) 1).put((byte) NANOSECONDS);
        write(description);
    }

    /** An empty block with room for a body of so many bytes, its lengths written. */
    private static ByteBuffer block(int type, int body) {
        int length = 12 + body;
        ByteBuffer block = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        return block.putInt(type).putInt(length).putInt(length - 4, length);
    }

    private void write(ByteBuffer block) throws IOException {
        out.write(block.array(), block.arrayOffset(), block.capacity());
    }

    @Override
    public void onFrame(long sinceNs, int from, int to, byte[] frame, String fate) {
        byte[] comment = ((from < 0 ? "?" : from) + ">" + to + (fate.isEmpty() ? "" : ", " + fate))
                .getBytes(StandardCharsets.US_ASCII);
        int padded = frame.length + 3 & -4;
        int commentPadded = comment.length + 3 & -4;
        ByteBuffer packet = block(ENHANCED_PACKET, 20 + padded + 4 + commentPadded + 4);
        packet.putInt(0).putInt((int) (sinceNs >>> 32)).putInt((int) sinceNs);
        packet.putInt(frame.length).putInt(frame.length).put(frame).position(28 + padded);
        packet.putShort((short) OPTION_COMMENT).putShort((short) comment.length).put(comment);
        try {
            write(packet);
        } catch (IOException e) {
            throw new UncheckedIOException("the capture cannot be written", e);
        }
    }
}
