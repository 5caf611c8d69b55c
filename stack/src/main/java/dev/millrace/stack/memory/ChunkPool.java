package dev.millrace.stack.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jctools.queues.varhandle.MpmcVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The bounded off-heap memory of one core's send and receive buffers.
 *
 * <p>Chunks are taken by application threads (sending) and by the core (receiving) and returned by the core, so the free list
 * is JCTools' many-to-many array queue: lock-free, and nothing is allocated on the heap once the pool has grown. Memory is
 * reserved in slabs on demand, up to {@code maxBytes}; it is given back to the operating system when the pool is closed.
 */
public final class ChunkPool implements AutoCloseable {
    private static final int CHUNKS_PER_SLAB = 256;

    private final Arena arena = Arena.ofShared();
    private final MpmcVarHandleArrayQueue<Chunk> free;
    private final int maxChunks;
    private volatile int created;

    /** @param maxBytes limit of the memory reserved, in bytes; rounded down to whole slabs of 1 MiB, at least one. */
    public ChunkPool(long maxBytes) {
        int slabs =
                Math.clamp(maxBytes / ((long) Chunk.SIZE * CHUNKS_PER_SLAB), 1, Integer.MAX_VALUE / CHUNKS_PER_SLAB);
        this.maxChunks = slabs * CHUNKS_PER_SLAB;
        this.free = new MpmcVarHandleArrayQueue<>(maxChunks);
    }

    /** A chunk, or null when the limit is reached. Any thread. */
    public @Nullable Chunk take() {
        Chunk chunk = free.poll();
        return chunk != null ? chunk : grow();
    }

    /** Returns a chunk that nothing refers to any more. Any thread. */
    public void give(Chunk chunk) {
        boolean taken = free.offer(chunk);
        assert taken : "more chunks returned than were made";
    }

    /** Chunks in use now; exact when no other thread is active. Any thread. */
    public int chunksInUse() {
        return created - free.size();
    }

    /** Bytes in use now. Any thread. */
    public long bytesInUse() {
        return (long) chunksInUse() * Chunk.SIZE;
    }

    /** The limit, in bytes. */
    public long maxBytes() {
        return (long) maxChunks * Chunk.SIZE;
    }

    private synchronized @Nullable Chunk grow() {
        Chunk chunk = free.poll();
        if (chunk != null || created == maxChunks) {
            return chunk;
        }
        MemorySegment slab = arena.allocate((long) Chunk.SIZE * CHUNKS_PER_SLAB, Chunk.SIZE);
        for (int i = 1; i < CHUNKS_PER_SLAB; i++) {
            free.offer(chunkOf(slab, i));
        }
        created += CHUNKS_PER_SLAB;
        return chunkOf(slab, 0);
    }

    private static Chunk chunkOf(MemorySegment slab, int index) {
        MemorySegment piece = slab.asSlice((long) index * Chunk.SIZE, Chunk.SIZE);
        return new Chunk(piece.address(), piece.asByteBuffer());
    }

    /** Frees all memory; no buffer of this pool may be used afterwards. */
    @Override
    public void close() {
        arena.close();
    }
}
