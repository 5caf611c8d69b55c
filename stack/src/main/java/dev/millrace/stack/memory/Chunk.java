package dev.millrace.stack.memory;

import java.nio.ByteBuffer;

/** A fixed-size piece of off-heap memory that holds part of one connection's byte stream. Owned by a {@link ChunkPool}. */
public final class Chunk {
    /** Bytes of each chunk: small enough that a short exchange wastes little, large enough for two full segments. */
    public static final int SIZE = 4096;

    static final int SHIFT = 12;
    static final int MASK = SIZE - 1;

    /** Address of the first byte. */
    public final long address;

    /** The same memory for copies from and to application buffers; used with absolute positions only, hence shareable. */
    final ByteBuffer view;

    /** Place in the pool's table, from 1. */
    final int index;

    /** While free: index of the chunk below on the pool's stack, 0 for none; and how many chunks lie there, this one included. */
    int below;

    int depth;

    Chunk(long address, ByteBuffer view, int index) {
        this.address = address;
        this.view = view;
        this.index = index;
    }
}
