package dev.millrace.io.capture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The blocks of a pcapng file (draft-ietf-opsawg-pcapng): one section, one Ethernet interface, nanoseconds, an enhanced packet block per
 * frame with its direction. In the machine's byte order, which the section header announces.
 */
final class Pcapng {
    static final int INBOUND = 1;
    static final int OUTBOUND = 2;

    private static final int SECTION_HEADER = 0x0a0d0d0a;
    private static final int BYTE_ORDER_MAGIC = 0x1a2b3c4d;
    private static final int INTERFACE_DESCRIPTION = 1;
    private static final int ENHANCED_PACKET = 6;
    private static final int LINKTYPE_ETHERNET = 1;
    private static final short OPT_END = 0;
    private static final short IF_NAME = 2;
    private static final short IF_TSRESOL = 9;
    private static final short SHB_USERAPPL = 4;
    private static final int EPB_FLAGS_OPTION = 2 | 4 << 16; // code 2, length 4, little-endian halves
    private static final int EPB_FIXED_BYTES = 28 + 12 + 4; // before the data; options; trailing length
    private static final byte NANOSECONDS = 9; // 10^-9

    private Pcapng() {}

    /** Section header and interface description. */
    static ByteBuffer header(String interfaceName) {
        ByteBuffer out = ByteBuffer.allocate(1024).order(ByteOrder.nativeOrder());
        begin(out, SECTION_HEADER);
        out.putInt(BYTE_ORDER_MAGIC).putShort((short) 1).putShort((short) 0).putLong(-1);
        option(out, SHB_USERAPPL, "Millrace".getBytes(StandardCharsets.UTF_8));
        end(out, 0);
        int start = out.position();
        begin(out, INTERFACE_DESCRIPTION);
        out.putShort((short) LINKTYPE_ETHERNET).putShort((short) 0).putInt(0); // snap length: none
        byte[] name = interfaceName.getBytes(StandardCharsets.UTF_8);
        option(out, IF_NAME, name.length <= 255 ? name : Arrays.copyOf(name, 255));
        option(out, IF_TSRESOL, new byte[] {NANOSECONDS});
        end(out, start);
        return out.flip();
    }

    private static void begin(ByteBuffer out, int type) {
        out.putInt(type).putInt(0);
    }

    private static void end(ByteBuffer out, int start) {
        out.putShort(OPT_END).putShort((short) 0);
        int length = out.position() - start + 4;
        out.putInt(length).putInt(start + 4, length);
    }

    private static void option(ByteBuffer out, short code, byte[] value) {
        out.putShort(code).putShort((short) value.length).put(value);
        while ((out.position() & 3) != 0) {
            out.put((byte) 0);
        }
    }

    /** Bytes of the block for a frame of that length. */
    static int packetBytes(int frameLength) {
        return EPB_FIXED_BYTES + (frameLength + 3 & -4);
    }

    /** Appends an enhanced packet block, for which there is room. */
    static void packet(RecordRing ring, long timestampNs, int direction, long address, int length) {
        int bytes = packetBytes(length);
        ring.putInt(ENHANCED_PACKET);
        ring.putInt(bytes);
        ring.putInt(0); // interface
        ring.putInt((int) (timestampNs >>> 32));
        ring.putInt((int) timestampNs);
        ring.putInt(length);
        ring.putInt(length);
        ring.putPadded(address, length);
        ring.putInt(EPB_FLAGS_OPTION);
        ring.putInt(direction);
        ring.putInt(OPT_END);
        ring.putInt(bytes);
    }
}
