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

    Chunk(long address, ByteBuffer view) {
        this.address = address;
        this.view = view;
    }
}
