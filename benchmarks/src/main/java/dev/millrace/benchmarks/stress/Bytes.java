package dev.millrace.benchmarks.stress;

import dev.millrace.stack.memory.Chunk;
import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.memory.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What the byte queue tests share: one pool, as connections of a core share theirs, so that memory freed too early is soon in
 * somebody else's hands; and a stream in which every aligned word is known from its position.
 */
final class Bytes {
    static final ChunkPool POOL = new ChunkPool(1L << 30);

    /** A word in each cache line is scribbled over: enough to show on both sides, and quick. */
    private static final int STRIDE = 64;

    private static final int LARGEST = 8 * Chunk.SIZE;
    private static final long JUNK = 0xdead_dead_dead_deadL;
    private static final MemorySegment STREAM = stream(Arena.ofShared().allocate(2 * LARGEST, Long.BYTES));

    /** Room for what is copied or read; a state of its own would be too large for the many that jcstress keeps. */
    private static final ThreadLocal<ByteBuffer> SCRATCH =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(LARGEST));

    private Bytes() {}

    static ByteBuffer scratch() {
        return SCRATCH.get();
    }

    private static MemorySegment stream(MemorySegment memory) {
        for (int at = 0; at < memory.byteSize(); at += Long.BYTES) {
            Memory.putLong(memory.address() + at, word(at));
        }
        return memory;
    }

    /** The word at an aligned position of every stream. */
    static long word(long position) {
        return (position + 1) * 0x9e37_79b9_7f4a_7c15L;
    }

    /** The stream as an application buffer whose indices are positions; a view of its own for each caller. */
    static ByteBuffer source() {
        return STREAM.asByteBuffer();
    }

    /** The stream as frames carry it. */
    static long address(long position) {
        return STREAM.address() + position;
    }

    /** Whether a buffer holds the stream from {@code position} on, at its beginning. */
    static boolean matches(ByteBuffer bytes, long position, int length) {
        for (int at = 0; at < length; at += Long.BYTES) {
            if (bytes.getLong(at) != word(position + at)) {
                return false;
            }
        }
        return true;
    }

    /** Takes a chunk, very likely the one returned last, overwrites it, and tells whether it stayed so. */
    static boolean scribble() {
        Chunk chunk = POOL.take();
        if (chunk == null) {
            throw new IllegalStateException("the pool is dry");
        }
        fill(chunk);
        boolean kept = isFilled(chunk);
        POOL.give(chunk);
        return kept;
    }

    private static void fill(Chunk chunk) {
        for (int at = 0; at < Chunk.SIZE; at += STRIDE) {
            Memory.putLong(chunk.address + at, JUNK ^ chunk.address);
        }
    }

    private static boolean isFilled(Chunk chunk) {
        for (int at = 0; at < Chunk.SIZE; at += STRIDE) {
            if (Memory.getLong(chunk.address + at) != (JUNK ^ chunk.address)) {
                return false;
            }
        }
        return true;
    }

    /** For tests that only want to own a chunk. */
    static @Nullable Chunk take() {
        return POOL.take();
    }
}
