package dev.millrace.stack.tcp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * How much of a connection's send buffer the application may fill with bytes that are not sent yet (Linux' TCP_NOTSENT_LOWAT). The core writes, the application
 * reads; without a limit neither does more than find that out.
 *
 * <pre>
 *       SND.UNA          SND.NXT          written          end of the packet buffer
 *   ───────┬── in flight ───┬──── unsent ────┬──── may be written ────┬───
 * </pre>
 * As Linux, which looks at the limit when it begins a packet buffer and not with each byte: one begun is filled, and another one is begun while fewer than
 * {@code low} bytes are unsent, so that a low of one byte does not make segments of one byte. And as there a socket counts as writable again at half of
 * the limit, so that a waiting writer is not woken for every segment.
 */
final class NotSentLimit {
    /** No limit. */
    static final int NONE = Integer.MAX_VALUE;

    /** What one of Linux' packet buffers holds at most, a segmentation offload's packet. */
    private static final int MAX_BUFFER_BYTES = 0xffff;

    private static final VarHandle SENT;

    static {
        try {
            SENT = MethodHandles.lookup().findVarHandle(NotSentLimit.class, "sent", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // written by the core, read by the application
    private volatile int low = NONE;
    private int packetBufferBytes = 1;

    @SuppressWarnings("UnusedVariable") // through SENT
    private long sent;

    // ---- core ----

    /** @param bytes unsent, from which on nothing is taken; {@link #NONE} */
    void low(int bytes) {
        low = bytes;
    }

    boolean isLimited() {
        return low != NONE;
    }

    /**
     * @param nxt SND.NXT
     * @param segmentBytes payload of a full segment
     * @param maxWindowBytes the largest window that the peer has offered; a packet buffer takes no more than half of it
     */
    void onTransmitted(long nxt, int segmentBytes, long maxWindowBytes) {
        int most = (int) Math.min(MAX_BUFFER_BYTES, maxWindowBytes / 2);
        packetBufferBytes = Math.max(1, Math.max(most - most % Math.max(segmentBytes, 1), segmentBytes));
        SENT.setRelease(this, nxt);
    }

    // ---- application, or core ----

    /** How many of so many bytes may be written behind {@code tail}. */
    int permitted(long tail, int length) {
        int limit = low;
        if (limit == NONE) {
            return length;
        }
        long from = (long) SENT.getAcquire(this);
        long unsent = Math.max(0, tail - from);
        long buffers = Math.ceilDiv(unsent < limit ? limit : unsent, packetBufferBytes); // those that there may be
        return Math.clamp(from + buffers * packetBufferBytes - tail, 0, length);
    }

    /** Little enough is unsent that whoever waits may write. */
    boolean isWritable(long tail) {
        int limit = low;
        return limit == NONE || 2 * (tail - (long) SENT.getAcquire(this)) < limit;
    }
}
