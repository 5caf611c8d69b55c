package dev.millrace.stack.wire;

/**
 * One received TCP segment, parsed and validated: header fields, options, where the payload lies. A flyweight: a core has one and
 * refills it for each segment; nobody keeps it. Written by {@code TcpHeader.parse} and the IP layer; read by {@code tcp}.
 */
public final class TcpSegment {
    public static final int FIN = 1;
    public static final int SYN = 2;
    public static final int RST = 4;
    public static final int PSH = 8;
    public static final int ACK = 16;
    public static final int URG = 32;
    public static final int ECE = 64;
    public static final int CWR = 128;

    public static final int MAX_SACK_BLOCKS = 4;

    /** Addresses, IPv4 in mapped form. Source is the peer. */
    public long sourceHigh;

    public long sourceLow;
    public long destinationHigh;
    public long destinationLow;

    public int sourcePort;
    public int destinationPort;
    public int sequence;
    public int acknowledgment;

    /** Bits above. */
    public int flags;

    /** As on the wire, not yet scaled. */
    public int window;

    public int urgentPointer;

    public long payloadAddress;
    public int payloadLength;

    /** The two ECN bits of the IP header (RFC 3168): 0 not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
    public int ecn;

    // options; only the first of a repeated option counts
    public boolean hasTimestamp;
    public int timestampValue;
    public int timestampEcho;
    /** MSS option's value, or −1. */
    public int mss;
    /** Window scale option's shift, or −1. */
    public int windowScale;

    public boolean sackPermitted;
    /** Fast Open option's cookie length in bytes: 0 asks for a cookie, −1 without the option. */
    public int fastOpenBytes;
    /** The cookie's first eight bytes and the rest, left-aligned. */
    public long fastOpenHigh;

    public long fastOpenLow;
    /** It came as option 254, as before RFC 7413. */
    public boolean fastOpenExperimental;

    public int sackBlocks;
    public final int[] sackLeft = new int[MAX_SACK_BLOCKS];
    public final int[] sackRight = new int[MAX_SACK_BLOCKS];

    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** SEG.LEN of RFC 9293 §3.3.1: payload plus one each for SYN and FIN. */
    public int sequenceLength() {
        return payloadLength + ((flags & SYN) != 0 ? 1 : 0) + (flags & FIN);
    }
}
