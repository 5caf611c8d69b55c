package dev.millrace.stack.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes an application has written and the peer has not yet acknowledged: a one-to-one byte queue with random access for
 * retransmission. The application (one writer at a time, NIO's write lock) appends; the core copies out and releases.
 *
 * <p>Positions count bytes since the connection began ({@code long}, never wrap):
 * <pre>
 *        released          held, readable by the core          free
 *   ────────────────┬─────────────────────────────────┬──────────────────┬───
 *                  head                              tail         head + capacity
 * </pre>
 * {@code tail} is written by the application with release order after the bytes; {@code head} by the core with release order
 * after it has read them. Chunks are taken by the application and returned by the core. The chunk that holds the tail is
 * shared; so that an idle connection holds no memory, the core may return it too, once everything is acknowledged, under a
 * {@code guard} that both sides take with one compare-and-set and that neither ever waits for beyond a few instructions.
 */
public final class SendBuffer {
    private static final int FREE = 0;
    private static final int WRITING = 1;
    private static final int RELEASING = 2;
    private static final int DISPOSED = 3;

    private static final VarHandle TAIL;
    private static final VarHandle HEAD;
    private static final VarHandle GUARD;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(SendBuffer.class, "tail", long.class);
            HEAD = lookup.findVarHandle(SendBuffer.class, "head", long.class);
            GUARD = lookup.findVarHandle(SendBuffer.class, "guard", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ChunkPool pool;

    // written by the application, under the guard
    private volatile @Nullable Chunk[] chunks;
    private long tail;

    // written by the core
    private long head;
    private volatile int capacity;

    // compare-and-set by both
    @SuppressWarnings("UnusedVariable") // through GUARD
    private int guard;

    public SendBuffer(ChunkPool pool, int capacity) {
        this.pool = pool;
        this.capacity = capacity;
        this.chunks = new @Nullable Chunk[4];
    }

    // ---- application ----

    /**
     * Appends bytes of {@code source} from absolute index {@code from}, as many as fit; the buffer's position is left alone.
     *
     * @return bytes taken, 0 when the buffer or the pool is full, −1 when the buffer is disposed (the connection is gone)
     */
    public int write(ByteBuffer source, int from, int length) {
        if (!lockForWriting()) {
            return -1;
        }
        int done = 0;
        try {
            long start = tail;
            int wanted = Math.min(length, freeBytes());
            while (done < wanted) {
                Chunk chunk = chunkForAppend(start + done);
                if (chunk == null) {
                    break;
                }
                int offset = (int) (start + done) & Chunk.MASK;
                int count = Math.min(wanted - done, Chunk.SIZE - offset);
                chunk.view.put(offset, source, from + done, count);
                done += count;
            }
            TAIL.setRelease(this, start + done);
            return done;
        } catch (RuntimeException e) {
            // the source refused: its indices are wrong, or its arena is closed
            forgetAppended(done);
            throw e;
        } finally {
            GUARD.setRelease(this, FREE);
        }
    }

    /** Returns the chunks that a write which did not complete has begun; the one that holds the tail stays. */
    private void forgetAppended(int done) {
        long first = (tail + Chunk.MASK) >>> Chunk.SHIFT;
        for (long i = first; i <= (tail + done) >>> Chunk.SHIFT; i++) {
            giveBack(chunks, i);
        }
    }

    /** Bytes that {@link #write} would take now, were the pool not to run dry. Application or core. */
    public int freeBytes() {
        return (int) Math.max(0, (long) HEAD.getAcquire(this) + capacity - (long) TAIL.getAcquire(this));
    }

    private boolean lockForWriting() {
        while (!GUARD.compareAndSet(this, FREE, WRITING)) {
            if ((int) GUARD.getAcquire(this) == DISPOSED) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }

    private @Nullable Chunk chunkForAppend(long position) {
        @Nullable Chunk[] ring = chunks;
        long index = position >>> Chunk.SHIFT;
        if ((position & Chunk.MASK) != 0) {
            Chunk current = ring[(int) index & (ring.length - 1)];
            if (current != null) {
                return current;
            }
        } else if (index - ((long) HEAD.getAcquire(this) >>> Chunk.SHIFT) >= ring.length) {
            ring = grow(ring, position);
        }
        Chunk fresh = pool.take();
        if (fresh != null) {
            ring[(int) index & (ring.length - 1)] = fresh;
        }
        return fresh;
    }

    private @Nullable Chunk[] grow(@Nullable Chunk[] old, long position) {
        @Nullable Chunk[] wider = new @Nullable Chunk[old.length * 2];
        long end = position >>> Chunk.SHIFT;
        for (long i = end - old.length; i < end; i++) {
            wider[(int) i & (wider.length - 1)] = old[(int) i & (old.length - 1)];
        }
        chunks = wider;
        return wider;
    }

    // ---- core ----

    /** Position behind the last byte written by the application. */
    public long tailAcquire() {
        return (long) TAIL.getAcquire(this);
    }

    /** Position of the first byte not yet released. */
    public long head() {
        return head;
    }

    /** Bytes written and not yet released. */
    public int unreleasedBytes() {
        return (int) (tailAcquire() - head);
    }

    /** Copies {@code [position, position + length)}, which must lie between head and tail, to an address. */
    public void copyTo(long position, long address, int length) {
        assert position >= head && position + length <= tailAcquire() : "outside the buffer";
        @Nullable Chunk[] ring = chunks;
        int done = 0;
        while (done < length) {
            long at = position + done;
            Chunk chunk = ring[(int) (at >>> Chunk.SHIFT) & (ring.length - 1)];
            assert chunk != null : "a chunk between head and tail is missing";
            int offset = (int) at & Chunk.MASK;
            int count = Math.min(length - done, Chunk.SIZE - offset);
            Memory.copy(chunk.address + offset, address + done, count);
            done += count;
        }
    }

    /** Forgets everything before {@code position} (acknowledged) and returns the chunks that become free. */
    public void releaseTo(long position) {
        long end = tailAcquire();
        assert position >= head && position <= end : "release outside the buffer";
        @Nullable Chunk[] ring = chunks;
        long from = head >>> Chunk.SHIFT;
        long to = position >>> Chunk.SHIFT;
        for (long i = from; i < to; i++) {
            giveBack(ring, i);
        }
        HEAD.setRelease(this, position);
        if (position == end) {
            releaseTail();
        }
    }

    /** Returns the partly filled last chunk when nothing is left in it, unless the application is writing just now. */
    private void releaseTail() {
        if (GUARD.compareAndSet(this, FREE, RELEASING)) {
            if (tail == head && (tail & Chunk.MASK) != 0) {
                giveBack(chunks, tail >>> Chunk.SHIFT);
            }
            GUARD.setRelease(this, FREE);
        }
    }

    private void giveBack(@Nullable Chunk[] ring, long index) {
        int slot = (int) index & (ring.length - 1);
        Chunk chunk = ring[slot];
        if (chunk != null) {
            ring[slot] = null;
            pool.give(chunk);
        }
    }

    /** Limit of unreleased bytes. Raising it lets the application write more; lowering it loses nothing. Core. */
    public void capacity(int bytes) {
        capacity = bytes;
    }

    /** Limit of unreleased bytes. Any thread. */
    public int capacity() {
        return capacity;
    }

    /** Returns all memory; later writes answer −1. Core; waits only for a copy in progress. */
    public void dispose() {
        while (!GUARD.compareAndSet(this, FREE, DISPOSED)) {
            if ((int) GUARD.getAcquire(this) == DISPOSED) {
                return;
            }
            Thread.onSpinWait();
        }
        @Nullable Chunk[] ring = chunks;
        // only these slots: growth may have left behind copies of chunks that were returned since
        long end = (tail + Chunk.MASK) >>> Chunk.SHIFT;
        for (long i = head >>> Chunk.SHIFT; i < end; i++) {
            giveBack(ring, i);
        }
        HEAD.setRelease(this, tail);
    }
}
