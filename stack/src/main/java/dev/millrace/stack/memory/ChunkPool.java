package dev.millrace.stack.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The bounded off-heap memory of one core's send and receive buffers.
 *
 * <p>Chunks are taken by application threads (sending) and by the core (receiving) and returned by either. The free ones form a
 * Treiber stack (R. K. Treiber, 1986), lock-free, many-to-many: the chunk returned last is taken first, while its lines are still in the
 * cache, which a queue would spread over the whole pool. The word that is compared and set holds the top's index in its low half and
 * a stamp in its high half that changes with every step, so that a top that was taken and returned meanwhile is not mistaken
 * for one that never moved. Nothing is allocated on the heap once the pool has grown.
 *
 * <p>Memory is reserved in slabs on demand, up to {@code maxBytes}; it is given back to the operating system when the pool is closed.
 */
public final class ChunkPool implements AutoCloseable {
    /** 256 KiB: whoever needs the first chunk of a slab waits while its memory is cleared. */
    private static final int SLAB_SHIFT = 6;

    private static final int CHUNKS_PER_SLAB = 1 << SLAB_SHIFT;
    private static final long SLAB_BYTES = (long) Chunk.SIZE * CHUNKS_PER_SLAB;
    /** Limits are whole multiples of this. */
    private static final long LIMIT_BYTES = 1 << 20;

    private static final int SLABS_PER_LIMIT = (int) (LIMIT_BYTES / SLAB_BYTES);
    private static final int MAX_SLABS = Integer.MAX_VALUE / CHUNKS_PER_SLAB / SLABS_PER_LIMIT * SLABS_PER_LIMIT;

    private static final long INDEX_MASK = 0xffff_ffffL;
    private static final long STAMP_STEP = 1L << 32;

    private static final VarHandle TOP;

    static {
        try {
            TOP = MethodHandles.lookup().findVarHandle(ChunkPool.class, "top", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Arena arena = Arena.ofShared();

    /** A row per slab, written under the monitor before an index into it is published through {@link #top}. */
    private final Chunk[][] table;

    private volatile int slabs;

    /** Stamp and index, see above; index 0 means that no chunk is free. */
    private volatile long top;

    /** @param maxBytes limit of the memory reserved, in bytes; rounded down to whole MiB, at least one. */
    public ChunkPool(long maxBytes) {
        table = new Chunk[Math.clamp(maxBytes / LIMIT_BYTES * SLABS_PER_LIMIT, SLABS_PER_LIMIT, MAX_SLABS)][];
    }

    /** A chunk, or null when the limit is reached. Any thread. */
    public @Nullable Chunk take() {
        while (true) {
            long seen = top;
            int index = (int) seen;
            if (index == 0) {
                return grow();
            }
            Chunk chunk = chunkAt(index);
            // a stale value, if another thread has the chunk already; the stamp has changed then
            long next = (seen & ~INDEX_MASK) + STAMP_STEP | chunk.below;
            if (TOP.compareAndSet(this, seen, next)) {
                return chunk;
            }
        }
    }

    /** Returns a chunk that nothing refers to any more. Any thread. */
    public void give(Chunk chunk) {
        while (true) {
            long seen = top;
            int index = (int) seen;
            assert index != chunk.index : "returned twice";
            chunk.below = index;
            chunk.depth = index == 0 ? 1 : chunkAt(index).depth + 1;
            if (TOP.compareAndSet(this, seen, (seen & ~INDEX_MASK) + STAMP_STEP | chunk.index)) {
                return;
            }
        }
    }

    private Chunk chunkAt(int index) {
        return table[(index - 1) >>> SLAB_SHIFT][(index - 1) & (CHUNKS_PER_SLAB - 1)];
    }

    /** Chunks in use now; exact when no other thread is active. Any thread. */
    public int chunksInUse() {
        int index = (int) top; // before slabs: chunks may be made meanwhile, never unmade
        int free = index == 0 ? 0 : chunkAt(index).depth;
        return slabs * CHUNKS_PER_SLAB - free;
    }

    /** Chunks that can still be taken. Any thread; exact when no other is active. */
    public int freeChunks() {
        return table.length * CHUNKS_PER_SLAB - chunksInUse();
    }

    /** Whether so little is left that it is kept for what cannot wait: less than a sixteenth. Any thread. */
    public boolean isShort() {
        return freeChunks() < table.length * (CHUNKS_PER_SLAB / 16);
    }

    /** Bytes in use now. Any thread. */
    public long bytesInUse() {
        return (long) chunksInUse() * Chunk.SIZE;
    }

    /** The limit, in bytes. */
    public long maxBytes() {
        return table.length * SLAB_BYTES;
    }

    private synchronized @Nullable Chunk grow() {
        if ((int) top != 0) {
            return take(); // returned, or made by another thread, meanwhile
        }
        int slab = slabs;
        if (slab == table.length) {
            return null;
        }
        MemorySegment memory = arena.allocate(SLAB_BYTES, Chunk.SIZE);
        Chunk[] row = new Chunk[CHUNKS_PER_SLAB];
        for (int i = 0; i < CHUNKS_PER_SLAB; i++) {
            MemorySegment piece = memory.asSlice((long) i * Chunk.SIZE, Chunk.SIZE);
            row[i] = new Chunk(piece.address(), piece.asByteBuffer(), (slab << SLAB_SHIFT) + i + 1);
        }
        table[slab] = row;
        slabs = slab + 1;
        for (int i = CHUNKS_PER_SLAB - 1; i > 0; i--) {
            give(row[i]);
        }
        return row[0];
    }

    /** Frees all memory; no buffer of this pool may be used afterwards. */
    @Override
    public void close() {
        arena.close();
    }
}
