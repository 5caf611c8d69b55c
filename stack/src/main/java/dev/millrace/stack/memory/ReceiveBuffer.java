package dev.millrace.stack.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The bytes a peer has sent and the application has not yet read: a one-to-one byte queue into which the core may also place
 * bytes ahead of a gap. The core places and publishes; the application (one reader at a time, NIO's read lock) reads.
 *
 * <p>Positions count bytes since the connection began ({@code long}, never wrap):
 * <pre>
 *         read              readable            placed ahead of gaps       free
 *   ───────────────┬──────────────────────┬──────────────────────────┬──────────────┬───
 *                 head                   tail                                head + capacity
 * </pre>
 * {@code tail} is written by the core with release order after the bytes; {@code head} by the application with release order
 * after it has copied them. Chunks are taken and returned by the core alone; which ranges ahead of {@code tail} are filled is
 * kept by the caller. The {@code guard} only keeps {@link #dispose} from taking memory out of a copy in progress.
 */
public final class ReceiveBuffer {
    private static final int FREE = 0;
    private static final int READING = 1;
    private static final int DISPOSED = 2;

    private static final VarHandle TAIL;
    private static final VarHandle HEAD;
    private static final VarHandle GUARD;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(ReceiveBuffer.class, "tail", long.class);
            HEAD = lookup.findVarHandle(ReceiveBuffer.class, "head", long.class);
            GUARD = lookup.findVarHandle(ReceiveBuffer.class, "guard", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ChunkPool pool;

    // written by the core
    private volatile @Nullable Chunk[] chunks;
    private long tail;
    private long reclaimed;
    private long highest;
    private int capacity;

    // written by the application
    private long head;

    // compare-and-set by both
    @SuppressWarnings("UnusedVariable") // through GUARD
    private int guard;

    public ReceiveBuffer(ChunkPool pool, int capacity) {
        this.pool = pool;
        this.capacity = capacity;
        this.chunks = new @Nullable Chunk[4];
    }

    // ---- application ----

    /**
     * Moves up to {@code length} bytes into {@code target} from absolute index {@code to}; its position is left alone.
     *
     * @return bytes moved, 0 when there are none, −1 when the buffer is disposed
     */
    public int read(ByteBuffer target, int to, int length) {
        if (!GUARD.compareAndSet(this, FREE, READING)) {
            assert (int) GUARD.getAcquire(this) == DISPOSED : "two readers";
            return -1;
        }
        try {
            long start = head;
            int count = (int) Math.min(length, (long) TAIL.getAcquire(this) - start);
            @Nullable Chunk[] ring = chunks;
            int done = 0;
            while (done < count) {
                long at = start + done;
                Chunk chunk = ring[(int) (at >>> Chunk.SHIFT) & (ring.length - 1)];
                assert chunk != null : "a chunk between head and tail is missing";
                int offset = (int) at & Chunk.MASK;
                int piece = Math.min(count - done, Chunk.SIZE - offset);
                target.put(to + done, chunk.view, offset, piece);
                done += piece;
            }
            HEAD.setRelease(this, start + count);
            return count;
        } finally {
            GUARD.setRelease(this, FREE);
        }
    }

    /** Passes over up to {@code length} bytes. */
    public void skip(int length) {
        if (GUARD.compareAndSet(this, FREE, READING)) {
            HEAD.setRelease(this, Math.min(head + length, (long) TAIL.getAcquire(this)));
            GUARD.setRelease(this, FREE);
        } else {
            assert (int) GUARD.getAcquire(this) == DISPOSED : "two readers";
        }
    }

    /** Bytes that {@link #read} would give now. Any thread. */
    public int readableBytes() {
        // head first: reading it after tail could make the difference negative
        long from = (long) HEAD.getAcquire(this);
        return (int) ((long) TAIL.getAcquire(this) - from);
    }

    // ---- core ----

    /** Position of the first byte the application has not read. */
    public long headAcquire() {
        return (long) HEAD.getAcquire(this);
    }

    /** Position behind the last byte the application may read; RCV.NXT in stream terms. */
    public long tail() {
        return tail;
    }

    /** Position behind which nothing may be placed. */
    public long limit() {
        return headAcquire() + capacity;
    }

    /**
     * Copies bytes from an address to {@code position}, which must not lie before {@code tail}, nor the end beyond
     * {@link #limit()}. The application sees them once {@link #publish} has passed them.
     *
     * @return bytes placed: fewer than {@code length} when the pool is dry
     */
    public int place(long position, long address, int length) {
        assert position >= tail && position + length <= limit() : "outside the window";
        int done = 0;
        while (done < length) {
            long at = position + done;
            Chunk chunk = chunkAt(at >>> Chunk.SHIFT);
            if (chunk == null) {
                break;
            }
            int offset = (int) at & Chunk.MASK;
            int piece = Math.min(length - done, Chunk.SIZE - offset);
            Memory.copy(address + done, chunk.address + offset, piece);
            done += piece;
            // after each piece: chunkAt may reclaim, which must know what its chunks hold
            highest = Math.max(highest, at + piece);
        }
        return done;
    }

    private @Nullable Chunk chunkAt(long index) {
        @Nullable Chunk[] ring = chunks;
        while (index - (reclaimed >>> Chunk.SHIFT) >= ring.length) {
            reclaim();
            if (index - (reclaimed >>> Chunk.SHIFT) >= ring.length) {
                ring = grow(ring);
            }
        }
        int slot = (int) index & (ring.length - 1);
        Chunk chunk = ring[slot];
        if (chunk == null) {
            chunk = pool.take();
            ring[slot] = chunk;
        }
        return chunk;
    }

    private @Nullable Chunk[] grow(@Nullable Chunk[] old) {
        @Nullable Chunk[] wider = new @Nullable Chunk[old.length * 2];
        long from = reclaimed >>> Chunk.SHIFT;
        for (long i = from; i < from + old.length; i++) {
            wider[(int) i & (wider.length - 1)] = old[(int) i & (old.length - 1)];
        }
        chunks = wider;
        return wider;
    }

    /** Makes everything before {@code position} readable. */
    public void publish(long position) {
        assert position >= tail && position <= highest : "publishing what was not placed";
        TAIL.setRelease(this, position);
    }

    /** Returns the chunks that the application has read to their end; all of them when nothing at all is held. */
    public void reclaim() {
        long read = headAcquire();
        @Nullable Chunk[] ring = chunks;
        long to = read >>> Chunk.SHIFT;
        for (long i = reclaimed >>> Chunk.SHIFT; i < to; i++) {
            giveBack(ring, i);
        }
        if (read == highest && (read & Chunk.MASK) != 0) {
            giveBack(ring, to);
        }
        reclaimed = read;
    }

    private void giveBack(@Nullable Chunk[] ring, long index) {
        int slot = (int) index & (ring.length - 1);
        Chunk chunk = ring[slot];
        if (chunk != null) {
            ring[slot] = null;
            pool.give(chunk);
        }
    }

    /** Whether the pool has little left: what is not urgent is not to be placed. */
    public boolean isMemoryShort() {
        return pool.isShort();
    }

    /** Limit of bytes held, readable or placed; raising it widens the window. */
    public void capacity(int bytes) {
        capacity = bytes;
    }

    public int capacity() {
        return capacity;
    }

    /** Returns all memory; later reads answer −1. Waits only for a copy in progress. */
    public void dispose() {
        while (!GUARD.compareAndSet(this, FREE, DISPOSED)) {
            if ((int) GUARD.getAcquire(this) == DISPOSED) {
                return;
            }
            Thread.onSpinWait();
        }
        @Nullable Chunk[] ring = chunks;
        for (int slot = 0; slot < ring.length; slot++) {
            giveBack(ring, slot);
        }
    }
}
