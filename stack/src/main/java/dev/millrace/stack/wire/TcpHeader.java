package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;

/**
 * The TCP header on the wire (RFC 9293 §3.1) and its options: MSS (§3.2), window scale and timestamps (RFC 7323), SACK (RFC 2018).
 *
 * <pre>
 *  0  source port         2  destination port
 *  4  sequence number
 *  8  acknowledgment number
 * 12  offset, flags      14  window
 * 16  checksum           18  urgent pointer
 * 20  options, in 4-byte units, at most 40 bytes
 * </pre>
 *
 * Nothing is read before the lengths that make it readable have been checked. Stateless; any thread; allocates nothing.
 */
public final class TcpHeader {
    /** Without options. */
    public static final int MIN_BYTES = 20;

    /** Data offset 15. */
    public static final int MAX_BYTES = 60;

    /** SYN options at their largest: MSS 4, SACK-permitted and timestamps 12, window scale 4. */
    public static final int MAX_SYN_OPTION_BYTES = 20;

    /** Timestamps with the padding in front that aligns them (RFC 7323 appendix A). */
    public static final int TIMESTAMP_OPTION_BYTES = 12;

    /** RFC 7323 §2.3: a larger shift is used as 14. */
    public static final int MAX_WINDOW_SCALE = 14;

    private static final int END_OF_OPTIONS = 0;
    private static final int NO_OPERATION = 1;
    private static final int MSS = 2;
    private static final int WINDOW_SCALE = 3;
    private static final int SACK_PERMITTED = 4;
    private static final int SACK = 5;
    private static final int TIMESTAMPS = 8;
    private static final int FAST_OPEN = 34;
    /** Shared by experiments, which a number tells apart (RFC 6994). */
    private static final int EXPERIMENTAL = 254;

    /** Fast Open's number, used before it had an option of its own (RFC 7413 §4.1.1). */
    private static final int FAST_OPEN_MAGIC = 0xf989;

    // RFC 7413 §4.1.1
    private static final int MIN_COOKIE_BYTES = 4;
    private static final int MAX_COOKIE_BYTES = 16;

    private static final int NOP_NOP_TIMESTAMPS = NO_OPERATION << 24 | NO_OPERATION << 16 | TIMESTAMPS << 8 | 10;
    private static final int SACKOK_TIMESTAMPS = SACK_PERMITTED << 24 | 2 << 16 | TIMESTAMPS << 8 | 10;
    private static final int NOP_NOP_SACKOK = NO_OPERATION << 24 | NO_OPERATION << 16 | SACK_PERMITTED << 8 | 2;

    /** Why a segment is not one. */
    public enum Fault {
        NONE,
        /** Fewer bytes than a header without options. */
        TOO_SHORT,
        /** The data offset is below 5 or reaches beyond the segment. */
        BAD_DATA_OFFSET,
        /** No SYN, ACK, RST or FIN ("null scan"), or FIN+PSH+URG without ACK ("christmas tree"): belongs to no state of any connection. */
        NO_MEANING,
        /** SYN with RST: opens and closes at once. SYN with FIN does so, too, but some systems take it; TCP knows which. */
        CONTRADICTION
    }

    private TcpHeader() {}

    /**
     * Reads a segment of {@code length} bytes. The addresses and {@code ecn} are the IP layer's to fill; the checksum is
     * not looked at.
     *
     * @return {@link Fault#NONE} when {@code into} has been filled; otherwise its content means nothing
     */
    public static Fault parse(long address, int length, TcpSegment into) {
        if (length < MIN_BYTES) {
            return Fault.TOO_SHORT;
        }
        int offsetAndFlags = Memory.getUnsignedShort(address + 12);
        int headerBytes = (offsetAndFlags >>> 12) * 4;
        if (headerBytes < MIN_BYTES || headerBytes > length) {
            return Fault.BAD_DATA_OFFSET;
        }
        int flags = offsetAndFlags & 0xff;
        Fault fault = checkFlags(flags);
        if (fault != Fault.NONE) {
            return fault;
        }
        into.sourcePort = Memory.getUnsignedShort(address);
        into.destinationPort = Memory.getUnsignedShort(address + 2);
        into.sequence = Memory.getInt(address + 4);
        into.acknowledgment = Memory.getInt(address + 8);
        into.flags = flags;
        into.window = Memory.getUnsignedShort(address + 14);
        into.urgentPointer = Memory.getUnsignedShort(address + 18);
        into.payloadAddress = address + headerBytes;
        into.payloadLength = length - headerBytes;
        parseOptions(address + MIN_BYTES, headerBytes - MIN_BYTES, into);
        return Fault.NONE;
    }

    private static Fault checkFlags(int flags) {
        int kind = flags & (TcpSegment.SYN | TcpSegment.ACK | TcpSegment.RST | TcpSegment.FIN);
        if (kind == TcpSegment.ACK) {
            return Fault.NONE;
        }
        if (kind == 0) {
            return Fault.NO_MEANING;
        }
        if ((kind & TcpSegment.SYN) != 0 && (kind & TcpSegment.RST) != 0) {
            return Fault.CONTRADICTION;
        }
        if (kind == TcpSegment.FIN
                && (flags & (TcpSegment.PSH | TcpSegment.URG)) == (TcpSegment.PSH | TcpSegment.URG)) {
            return Fault.NO_MEANING;
        }
        return Fault.NONE;
    }

    private static void parseOptions(long address, int length, TcpSegment into) {
        into.hasTimestamp = false;
        into.timestampValue = 0;
        into.timestampEcho = 0;
        into.mss = -1;
        into.windowScale = -1;
        into.sackPermitted = false;
        into.sackBlocks = 0;
        into.fastOpenBytes = -1;
        into.fastOpenExperimental = false;
        if (length == 0) {
            return;
        }
        if (length == TIMESTAMP_OPTION_BYTES && Memory.getInt(address) == NOP_NOP_TIMESTAMPS) {
            into.hasTimestamp = true;
            into.timestampValue = Memory.getInt(address + 4);
            into.timestampEcho = Memory.getInt(address + 8);
            return;
        }
        parseOptionsOneByOne(address, length, into);
    }

    /** An option whose length is below 2 or reaches past the end makes all that follows unreadable: parsing stops there. */
    private static void parseOptionsOneByOne(long address, int length, TcpSegment into) {
        long seen = 0;
        int at = 0;
        while (at < length) {
            int kind = Memory.getUnsignedByte(address + at);
            if (kind == END_OF_OPTIONS) {
                return;
            }
            if (kind == NO_OPERATION) {
                at++;
                continue;
            }
            if (at + 1 >= length) {
                return;
            }
            int optionBytes = Memory.getUnsignedByte(address + at + 1);
            if (optionBytes < 2 || at + optionBytes > length) {
                return;
            }
            if (kind <= FAST_OPEN && (seen & 1L << kind) == 0) {
                seen |= 1L << kind;
                parseOption(kind, address + at, optionBytes, into);
            } else if (kind == EXPERIMENTAL) {
                parseExperimental(address + at, optionBytes, into);
            }
            at += optionBytes;
        }
    }

    /** An option of a wrong length is skipped; MSS, window scale and SACK-permitted mean something in a SYN only. */
    private static void parseOption(int kind, long address, int optionBytes, TcpSegment into) {
        boolean syn = into.has(TcpSegment.SYN);
        switch (kind) {
            case MSS -> {
                if (syn && optionBytes == 4) {
                    int mss = Memory.getUnsignedShort(address + 2);
                    into.mss = mss == 0 ? -1 : mss;
                }
            }
            case WINDOW_SCALE -> {
                if (syn && optionBytes == 3) {
                    into.windowScale = Math.min(Memory.getUnsignedByte(address + 2), MAX_WINDOW_SCALE);
                }
            }
            case SACK_PERMITTED -> into.sackPermitted = syn && optionBytes == 2;
            case SACK -> {
                int blockBytes = optionBytes - 2;
                if (blockBytes > 0 && blockBytes % 8 == 0) {
                    parseSackBlocks(address + 2, blockBytes / 8, into);
                }
            }
            case TIMESTAMPS -> {
                if (optionBytes == 10) {
                    into.hasTimestamp = true;
                    into.timestampValue = Memory.getInt(address + 2);
                    into.timestampEcho = Memory.getInt(address + 6);
                }
            }
            case FAST_OPEN -> {
                if (syn && into.fastOpenBytes < 0) {
                    parseFastOpen(address + 2, optionBytes - 2, into);
                }
            }
            default -> {
                // unknown: ignored (RFC 9293 MUST-6)
            }
        }
    }

    /** A cookie of a length that cannot be is as no option (RFC 7413 §4.1.1). */
    private static void parseFastOpen(long address, int bytes, TcpSegment into) {
        if (bytes != 0 && (bytes < MIN_COOKIE_BYTES || bytes > MAX_COOKIE_BYTES || (bytes & 1) != 0)) {
            return;
        }
        long high = 0;
        long low = 0;
        for (int i = 0; i < bytes; i++) {
            long octet = Memory.getUnsignedByte(address + i);
            if (i < Long.BYTES) {
                high |= octet << 56 - i * 8;
            } else {
                low |= octet << 56 - (i - Long.BYTES) * 8;
            }
        }
        into.fastOpenBytes = bytes;
        into.fastOpenHigh = high;
        into.fastOpenLow = low;
    }

    /** As Linux, both forms are read, and answered in kind; of both in one segment the first counts. */
    private static void parseExperimental(long address, int optionBytes, TcpSegment into) {
        boolean fastOpen = into.has(TcpSegment.SYN)
                && optionBytes >= 4
                && Memory.getUnsignedShort(address + 2) == FAST_OPEN_MAGIC
                && into.fastOpenBytes < 0;
        if (fastOpen) {
            parseFastOpen(address + 4, optionBytes - 4, into);
            into.fastOpenExperimental = into.fastOpenBytes >= 0;
        }
    }

    private static void parseSackBlocks(long address, int count, TcpSegment into) {
        int blocks = Math.min(count, TcpSegment.MAX_SACK_BLOCKS);
        for (int i = 0; i < blocks; i++) {
            into.sackLeft[i] = Memory.getInt(address + i * 8L);
            into.sackRight[i] = Memory.getInt(address + i * 8L + 4);
        }
        into.sackBlocks = blocks;
    }

    /**
     * Writes the fixed part; checksum and urgent pointer are zero.
     *
     * @param headerBytes with options, a multiple of 4
     * @param window as it goes on the wire, already scaled
     */
    public static void write(
            long address,
            int sourcePort,
            int destinationPort,
            int sequence,
            int acknowledgment,
            int headerBytes,
            int flags,
            int window) {
        assert headerBytes >= MIN_BYTES && headerBytes <= MAX_BYTES && (headerBytes & 3) == 0 : "header length";
        assert window >= 0 && window <= 0xffff : "window does not fit";
        Memory.putInt(address, sourcePort << 16 | destinationPort);
        Memory.putInt(address + 4, sequence);
        Memory.putInt(address + 8, acknowledgment);
        Memory.putInt(address + 12, headerBytes << 26 | flags << 16 | window);
        Memory.putInt(address + 16, 0);
    }

    /** Writes the urgent pointer: how far behind the segment's first byte the urgent data ends (RFC 6093 §3.1). */
    public static void urgentPointer(long address, int pointer) {
        Memory.putShort(address + 18, pointer);
    }

    /**
     * Writes the options of a SYN in Linux' order: MSS, SACK-permitted, timestamps, window scale.
     *
     * @param windowScale the shift, or −1 for no such option
     * @return bytes written, a multiple of 4
     */
    public static int writeSynOptions(
            long address,
            int mss,
            boolean sackPermitted,
            boolean timestamps,
            int timestampValue,
            int timestampEcho,
            int windowScale) {
        Memory.putInt(address, MSS << 24 | 4 << 16 | mss);
        int at = 4;
        if (timestamps) {
            Memory.putInt(address + at, sackPermitted ? SACKOK_TIMESTAMPS : NOP_NOP_TIMESTAMPS);
            Memory.putInt(address + at + 4, timestampValue);
            Memory.putInt(address + at + 8, timestampEcho);
            at += TIMESTAMP_OPTION_BYTES;
        } else if (sackPermitted) {
            Memory.putInt(address + at, NOP_NOP_SACKOK);
            at += 4;
        }
        if (windowScale >= 0) {
            Memory.putInt(address + at, NO_OPERATION << 24 | WINDOW_SCALE << 16 | 3 << 8 | windowScale);
            at += 4;
        }
        return at;
    }

    /**
     * Writes the Fast Open option (RFC 7413 §4.1.1) behind a SYN's others, padded as Linux does.
     *
     * @param experimental as option 254, for peers that know no other
     * @param bytes length of the cookie, 0 to ask for one
     * @return bytes written, a multiple of 4
     */
    public static int writeFastOpen(long address, boolean experimental, int bytes, long high, long low) {
        int head = experimental ? 4 : 2;
        Memory.putByte(address, experimental ? EXPERIMENTAL : FAST_OPEN);
        Memory.putByte(address + 1, head + bytes);
        if (experimental) {
            Memory.putShort(address + 2, FAST_OPEN_MAGIC);
        }
        for (int i = 0; i < bytes; i++) {
            long word = i < Long.BYTES ? high : low;
            Memory.putByte(address + head + i, (int) (word >>> 56 - i % Long.BYTES * 8));
        }
        int written = head + bytes;
        while ((written & 3) != 0) {
            Memory.putByte(address + written++, NO_OPERATION);
        }
        return written;
    }

    /**
     * Writes the options of any other segment: timestamps, and as many of the SACK blocks as fit behind them (three, without timestamps
     * four; RFC 2018 §3).
     *
     * @return bytes written, a multiple of 4
     */
    public static int writeOptions(
            long address,
            boolean timestamps,
            int timestampValue,
            int timestampEcho,
            int[] sackLeft,
            int[] sackRight,
            int sackBlocks) {
        int at = 0;
        if (timestamps) {
            Memory.putInt(address, NOP_NOP_TIMESTAMPS);
            Memory.putInt(address + 4, timestampValue);
            Memory.putInt(address + 8, timestampEcho);
            at = TIMESTAMP_OPTION_BYTES;
        }
        if (sackBlocks == 0) {
            return at;
        }
        int blocks = Math.min(sackBlocks, (MAX_BYTES - MIN_BYTES - at - 4) / 8);
        Memory.putInt(address + at, NO_OPERATION << 24 | NO_OPERATION << 16 | SACK << 8 | 2 + blocks * 8);
        at += 4;
        for (int i = 0; i < blocks; i++) {
            Memory.putInt(address + at, sackLeft[i]);
            Memory.putInt(address + at + 4, sackRight[i]);
            at += 8;
        }
        return at;
    }

    /** Bytes that {@link #writeOptions} will write. */
    public static int optionBytes(boolean timestamps, int sackBlocks) {
        int before = timestamps ? TIMESTAMP_OPTION_BYTES : 0;
        if (sackBlocks == 0) {
            return before;
        }
        return before + 4 + 8 * Math.min(sackBlocks, (MAX_BYTES - MIN_BYTES - before - 4) / 8);
    }
}
