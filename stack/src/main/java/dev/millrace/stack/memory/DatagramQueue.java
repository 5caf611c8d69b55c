package dev.millrace.stack.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Datagrams on their way between an application and a core: a one-to-one queue of records in chunks of a pool, bounded in bytes.
 *
 * <p>Positions count bytes since the queue was made ({@code long}, never wrap). A record is a header of fixed size and the payload, padded
 * to eight bytes; a header never straddles two chunks, so what is left of a chunk that is too small for one is skipped by both sides:
 * <pre>
 *        released        header, payload, header, payload, …         free
 *   ────────────────┬─────────────────────────────────────────┬─────────────────
 *                  head                                      tail
 * </pre>
 * {@code tail} is written by the producer with release order after a whole record, {@code head} by the consumer with release order after
 * it has read one. Chunks are taken by the producer and returned by the consumer; an empty queue keeps one at most. A datagram is taken
 * while less than the capacity is held, however large it is: as with Linux, the limit may be exceeded by one.
 */
public final class DatagramQueue {
    /** Bytes that a datagram costs beside its payload. */
    public static final int HEADER_BYTES = 48;

    private static final VarHandle TAIL;
    private static final VarHandle HEAD;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(DatagramQueue.class, "tail", long.class);
            HEAD = lookup.findVarHandle(DatagramQueue.class, "head", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ChunkPool pool;

    // written by the producer
    private volatile @Nullable Chunk[] chunks = new @Nullable Chunk[4];
    private long tail;

    // written by the consumer
    private long head;

    public DatagramQueue(ChunkPool pool) {
        this.pool = pool;
    }

    /** Bytes that the records hold now. Any thread. */
    public int bytes() {
        return (int) ((long) TAIL.getAcquire(this) - (long) HEAD.getAcquire(this));
    }

    /** Any thread. */
    public boolean isEmpty() {
        return (long) TAIL.getAcquire(this) == (long) HEAD.getAcquire(this);
    }

    // ---- producer ----

    /** Appends a datagram of {@code length} bytes at {@code address}. False when the pool is dry; nothing has changed then. */
    public boolean offer(DatagramHeader header, long address, int length) {
        long start = recordAt(tail);
        if (!reserve(start, length)) {
            return false;
        }
        for (int done = 0; done < length; ) {
            int count = run(start, done, length);
            Memory.copy(address + done, payloadAddress(chunks, start, done), count);
            done += count;
        }
        publish(start, header, length);
        return true;
    }

    /** As above, from a buffer's absolute index {@code from}; the buffer's position is left alone. */
    public boolean offer(DatagramHeader header, ByteBuffer source, int from, int length) {
        long start = recordAt(tail);
        if (!reserve(start, length)) {
            return false;
        }
        try {
            for (int done = 0; done < length; ) {
                int count = run(start, done, length);
                long at = start + HEADER_BYTES + done;
                chunk(chunks, at).view.put((int) at & Chunk.MASK, source, from + done, count);
                done += count;
            }
        } catch (RuntimeException e) {
            // the source refused: its indices are wrong, or its arena is closed
            giveBack(chunks, firstMissing(), chunksEnd(start, length));
            throw e;
        }
        publish(start, header, length);
        return true;
    }

    /** Index of the first chunk behind the tail. */
    private long firstMissing() {
        return (tail + Chunk.MASK) >>> Chunk.SHIFT;
    }

    private static long chunksEnd(long start, int length) {
        return (end(start, length) + Chunk.MASK) >>> Chunk.SHIFT;
    }

    /** Takes the chunks of a record, all or none. */
    private boolean reserve(long start, int length) {
        long first = firstMissing();
        long end = chunksEnd(start, length);
        @Nullable Chunk[] ring = chunks;
        while (end - ((long) HEAD.getAcquire(this) >>> Chunk.SHIFT) > ring.length) {
            ring = grow(ring, first);
        }
        for (long i = first; i < end; i++) {
            Chunk fresh = pool.take();
            if (fresh == null) {
                giveBack(ring, first, i);
                return false;
            }
            ring[(int) i & (ring.length - 1)] = fresh;
        }
        return true;
    }

    private @Nullable Chunk[] grow(@Nullable Chunk[] old, long end) {
        @Nullable Chunk[] wider = new @Nullable Chunk[old.length * 2];
        for (long i = Math.max(0, end - old.length); i < end; i++) {
            wider[(int) i & (wider.length - 1)] = old[(int) i & (old.length - 1)];
        }
        chunks = wider;
        return wider;
    }

    private void publish(long start, DatagramHeader header, int length) {
        long at = chunk(chunks, start).address + ((int) start & Chunk.MASK);
        Memory.putInt(at, length);
        Memory.putInt(at + 4, header.localPort << 16 | header.remotePort);
        Memory.putLong(at + 8, header.localHigh);
        Memory.putLong(at + 16, header.localLow);
        Memory.putLong(at + 24, header.remoteHigh);
        Memory.putLong(at + 32, header.remoteLow);
        Memory.putInt(at + 40, header.trafficClass);
        TAIL.setRelease(this, end(start, length));
    }

    // ---- consumer ----

    /** Reads the header of the first datagram; false when there is none. */
    public boolean peek(DatagramHeader into) {
        if ((long) TAIL.getAcquire(this) == head) {
            return false;
        }
        long start = recordAt(head);
        long at = chunk(chunks, start).address + ((int) start & Chunk.MASK);
        into.length = Memory.getInt(at);
        into.localPort = Memory.getUnsignedShort(at + 4);
        into.remotePort = Memory.getUnsignedShort(at + 6);
        into.localHigh = Memory.getLong(at + 8);
        into.localLow = Memory.getLong(at + 16);
        into.remoteHigh = Memory.getLong(at + 24);
        into.remoteLow = Memory.getLong(at + 32);
        into.trafficClass = Memory.getInt(at + 40);
        return true;
    }

    /** Where byte {@code offset} of the first datagram's payload lies; {@link #runBytes} tells how many follow it there. */
    public long payloadAddress(int offset) {
        return payloadAddress(chunks, recordAt(head), offset);
    }

    /** Contiguous bytes of the first datagram's payload from {@code offset} on, of {@code length} that are wanted. */
    public int runBytes(int offset, int length) {
        return run(recordAt(head), offset, offset + length);
    }

    /** Copies the first {@code length} bytes of the first datagram's payload to absolute index {@code at} of a buffer. */
    public void copyTo(ByteBuffer target, int at, int length) {
        long start = recordAt(head);
        @Nullable Chunk[] ring = chunks;
        for (int done = 0; done < length; ) {
            int count = run(start, done, length);
            long from = start + HEADER_BYTES + done;
            target.put(at + done, chunk(ring, from).view, (int) from & Chunk.MASK, count);
            done += count;
        }
    }

    /** Forgets the first datagram. */
    public void release() {
        long start = recordAt(head);
        @Nullable Chunk[] ring = chunks;
        int length = Memory.getInt(chunk(ring, start).address + ((int) start & Chunk.MASK));
        long end = end(start, length);
        giveBack(ring, head >>> Chunk.SHIFT, end >>> Chunk.SHIFT);
        HEAD.setRelease(this, end);
    }

    /** Returns all memory. Neither side may be inside a call, or make another one. */
    public void dispose() {
        long end = tail;
        giveBack(chunks, head >>> Chunk.SHIFT, (end + Chunk.MASK) >>> Chunk.SHIFT);
        HEAD.setRelease(this, end);
    }

    // ---- places ----

    /** Where the record behind {@code position} begins. */
    private static long recordAt(long position) {
        int left = Chunk.SIZE - ((int) position & Chunk.MASK);
        return left < HEADER_BYTES ? position + left : position;
    }

    private static long end(long start, int length) {
        return start + HEADER_BYTES + ((length + 7) & ~7);
    }

    private static int run(long start, int offset, int limit) {
        int inChunk = Chunk.SIZE - ((int) (start + HEADER_BYTES + offset) & Chunk.MASK);
        return Math.min(limit - offset, inChunk);
    }

    private static long payloadAddress(@Nullable Chunk[] ring, long start, int offset) {
        long at = start + HEADER_BYTES + offset;
        return chunk(ring, at).address + ((int) at & Chunk.MASK);
    }

    private static Chunk chunk(@Nullable Chunk[] ring, long position) {
        Chunk chunk = ring[(int) (position >>> Chunk.SHIFT) & (ring.length - 1)];
        assert chunk != null : "a chunk between head and tail is missing";
        return chunk;
    }

    private void giveBack(@Nullable Chunk[] ring, long from, long to) {
        for (long i = from; i < to; i++) {
            int slot = (int) i & (ring.length - 1);
            Chunk chunk = ring[slot];
            if (chunk != null) {
                ring[slot] = null;
                pool.give(chunk);
            }
        }
    }
}
