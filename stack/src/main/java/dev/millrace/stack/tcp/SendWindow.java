package dev.millrace.stack.tcp;

/**
 * What the peer is willing to take: SND.WND, SND.WL1, SND.WL2 and the largest window ever offered (RFC 9293 §3.3.1), in stream positions.
 * Core thread only.
 *
 * <pre>
 *        SND.UNA            SND.NXT              edge
 *   ────────┬──── in flight ────┬──── usable ──────┬──── not allowed ───
 * </pre>
 */
final class SendWindow {
    /** Position that may not be sent; SND.UNA + SND.WND of the update that set it. Moves back when the peer shrinks its window. */
    long edge;

    /** Largest window offered so far (Max.SND.WND). */
    long maxBytes;

    /** Shift of the peer's window fields (Snd.Wind.Shift). */
    int scale;

    private long lastSequence;
    private long lastAck;
    private long bytes;

    /** The window of a SYN or SYN+ACK, which is never scaled (RFC 7323 §2.2). */
    void open(long sequence, long ack, int field) {
        set(sequence, ack, field);
    }

    /**
     * RFC 9293 §3.10.7.4, fifth: takes the window of a segment that is newer than the last one taken.
     *
     * @return whether the window's size has changed, so that the segment is no duplicate ACK (RFC 5681 §2)
     */
    boolean update(long sequence, long ack, int field) {
        if (sequence < lastSequence || sequence == lastSequence && ack < lastAck) {
            return false;
        }
        long before = bytes;
        set(sequence, ack, (long) field << scale);
        return bytes != before;
    }

    private void set(long sequence, long ack, long windowBytes) {
        bytes = windowBytes;
        lastSequence = sequence;
        lastAck = ack;
        edge = ack + windowBytes;
        maxBytes = Math.max(maxBytes, windowBytes);
    }

    /** SND.WND */
    long bytes() {
        return bytes;
    }
}
