package dev.millrace.stack.memory;

/**
 * One frame in somebody's memory: a movable window {@code [address, address + length)} inside a buffer that a backend owns.
 *
 * <p>Instances are pooled by the queue that made them and never escape their core: received ones go back through
 * {@code RxQueue.release}, transmitted ones through {@code TxQueue.transmit} or {@code TxQueue.release}. Frames are never
 * chained; a frame larger than the buffer does not exist. Not thread-safe: one owner at a time.
 */
public final class Packet {
    /** {@link #flags}: on receive, the backend has verified every checksum of this frame. */
    public static final int CHECKSUM_VERIFIED = 1;
    /** {@link #flags}: on transmit, the backend shall fill in the TCP/UDP checksum (the field holds the pseudo-header sum). */
    public static final int CHECKSUM_REQUESTED = 2;
    /** {@link #flags}: the frame carries a connection's payload, so it leaves after control segments and pure ACKs of the turn. */
    public static final int DATA = 4;

    /** Address of the frame's first byte. */
    public long address;
    /** Bytes of the frame. */
    public int length;
    /** Address of the buffer's first byte; {@code address - bufferAddress} is the headroom in use. */
    public long bufferAddress;
    /** Bytes of the buffer from {@link #bufferAddress}. */
    public int capacity;
    /** Bits named above. */
    public int flags;
    /** RSS hash that the backend computed, or 0 when it did not. */
    public int hash;
    /** The backend's own mark, for instance the address of an rte_mbuf. */
    public long handle;

    public Packet() {}

    public Packet(long bufferAddress, int capacity) {
        this.bufferAddress = bufferAddress;
        this.capacity = capacity;
        this.address = bufferAddress;
    }

    /** Empties the window and places it {@code headroom} bytes into the buffer. */
    public void reset(int headroom) {
        address = bufferAddress + headroom;
        length = 0;
        flags = 0;
        hash = 0;
    }

    /** Grows the window at its front, for a header written before what is there. */
    public void prepend(int bytes) {
        assert address - bytes >= bufferAddress : "no headroom for " + bytes + " bytes";
        address -= bytes;
        length += bytes;
    }

    /** Bytes that still fit behind the window. */
    public int tailroom() {
        return (int) (bufferAddress + capacity - address) - length;
    }
}
