package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;

/**
 * One packet under reassembly: its bytes at their places, and which ranges have come. Owned by {@link Reassembly}; core thread only.
 *
 * <pre>
 *   buffer           buffer + HEADER_ROOM        + offset
 *   ├─ header, right-aligned ─┤├─ fragmentable part … ┤
 * </pre>
 */
final class Datagram {
    static final int MAX_PIECES = 128;
    static final int HEADER_ROOM = 64;
    private static final int MAX_PAYLOAD = 65_535;
    static final int BUFFER_BYTES = HEADER_ROOM + MAX_PAYLOAD + 1;

    /** What became of a fragment. */
    enum Outcome {
        /** More fragments are missing. */
        INCOMPLETE,
        /** The packet is whole. */
        COMPLETE,
        /** The same range once more: ignored (RFC 8200 §4.5). */
        DUPLICATE,
        /** Bytes that had come already, or behind the end: the whole packet is void (RFC 5722, and the same for IPv4). */
        OVERLAP,
        /** More pieces than a packet needs. */
        TOO_MANY
    }

    final long buffer;

    // the key
    long sourceHigh;
    long sourceLow;
    long destinationHigh;
    long destinationLow;
    int identification;
    /** IPv4's protocol; {@link Reassembly#V6} for IPv6, where it is not part of the key. */
    int protocol;

    /** What the first IPv6 fragment says its payload is. */
    int nextHeader;

    boolean inUse;
    /** Later fragments are dropped, too, until the time is over. */
    boolean poisoned;

    long deadlineNs;

    int headerBytes;
    /** Fragments taken, for the account of what a discard discards. */
    int pieces;

    private final int[] from = new int[MAX_PIECES];
    private final int[] to = new int[MAX_PIECES];
    private int totalBytes;
    private int receivedBytes;
    private int ecnSeen;

    Datagram(long buffer) {
        this.buffer = buffer;
    }

    void reset(long deadline) {
        inUse = true;
        poisoned = false;
        deadlineNs = deadline;
        headerBytes = 0;
        pieces = 0;
        totalBytes = -1;
        receivedBytes = 0;
        ecnSeen = 0;
    }

    boolean hasFirstFragment() {
        return headerBytes != 0;
    }

    long packetAddress() {
        return buffer + HEADER_ROOM - headerBytes;
    }

    int packetBytes() {
        return headerBytes + totalBytes;
    }

    /** Bytes from the packet's start that have come without a gap. */
    int contiguousBytes() {
        int end = 0;
        for (int i = 0; i < pieces && from[i] == end; i++) {
            end = to[i];
        }
        return headerBytes + end;
    }

    /** Takes bytes {@code [offset, offset + length)} of the fragmentable part; the last fragment tells where it ends. */
    Outcome add(long address, int offset, int length, boolean last, int ecn) {
        int end = offset + length;
        if (end > MAX_PAYLOAD || (totalBytes >= 0 && (end > totalBytes || (last && end != totalBytes)))) {
            return Outcome.OVERLAP;
        }
        int index = indexOf(offset);
        if (index < pieces && from[index] == offset && to[index] == end) {
            return Outcome.DUPLICATE;
        }
        if ((index > 0 && to[index - 1] > offset) || (index < pieces && from[index] < end)) {
            return Outcome.OVERLAP;
        }
        if (last && index < pieces) {
            return Outcome.OVERLAP; // something behind the end has come
        }
        if (pieces == MAX_PIECES) {
            return Outcome.TOO_MANY;
        }
        System.arraycopy(from, index, from, index + 1, pieces - index);
        System.arraycopy(to, index, to, index + 1, pieces - index);
        from[index] = offset;
        to[index] = end;
        pieces++;
        receivedBytes += length;
        ecnSeen |= 1 << ecn;
        if (last) {
            totalBytes = end;
        }
        Memory.copy(address, buffer + HEADER_ROOM + offset, length);
        return receivedBytes == totalBytes && headerBytes != 0 ? Outcome.COMPLETE : Outcome.INCOMPLETE;
    }

    /** Keeps the header of the first fragment. Called before its bytes are added. */
    void header(long address, int bytes) {
        headerBytes = bytes;
        Memory.copy(address, packetAddress(), bytes);
    }

    /** Index of the first range that begins at {@code offset} or later. */
    private int indexOf(int offset) {
        int low = 0;
        int high = pieces;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (from[middle] < offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /**
     * Makes the header that of the whole packet, congestion marks of all fragments included (RFC 3168 §5.3).
     *
     * @return false when the marks contradict each other, or the whole is longer than a packet can be
     */
    boolean finish(boolean v4) {
        boolean congestion = (ecnSeen & 1 << 3) != 0;
        if ((congestion && (ecnSeen & 1) != 0) || (v4 && packetBytes() > MAX_PAYLOAD)) {
            return false;
        }
        long packet = packetAddress();
        if (v4) {
            if (congestion) {
                Ipv4Header.trafficClass(packet, Ipv4Header.trafficClass(packet) | 3);
            }
            Ipv4Header.writeReassembled(packet, packetBytes());
        } else {
            if (congestion) {
                Ipv6Header.trafficClass(packet, Ipv6Header.trafficClass(packet) | 3);
            }
            Ipv6Header.writeReassembled(packet, totalBytes, nextHeader);
        }
        return true;
    }
}
