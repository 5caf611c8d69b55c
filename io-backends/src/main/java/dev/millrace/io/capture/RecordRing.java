package dev.millrace.io.capture;

import dev.millrace.stack.memory.Memory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/**
 * A one-to-one ring of bytes between a core, which appends whole records, and the thread that writes the file.
 *
 * <p>The core writes ahead of {@code tail} and publishes with {@link #commit}; what it has not committed it may take back. Both never wait: a record that finds no
 * room is refused.
 */
final class RecordRing implements AutoCloseable {
    private static final VarHandle TAIL;
    private static final VarHandle HEAD;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            TAIL = lookup.findVarHandle(RecordRing.class, "tail", long.class);
            HEAD = lookup.findVarHandle(RecordRing.class, "head", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Arena arena = Arena.ofShared();
    private final int capacity;
    private final long memory;
    private final ByteBuffer view;

    private long position; // core: where the next byte goes, at or ahead of tail
    private volatile long tail; // written by the core
    private volatile long head; // written by the writer

    /** @param capacity bytes, a power of two */
    RecordRing(int capacity) {
        this.capacity = capacity;
        MemorySegment segment = arena.allocate(capacity, 64);
        this.memory = segment.address();
        this.view = segment.asByteBuffer();
    }

    // ---- core ----

    /** Whether a record of that size fits behind what has been written. */
    boolean hasRoom(int bytes) {
        return position + bytes - (long) HEAD.getAcquire(this) <= capacity;
    }

    void putInt(int value) {
        Memory.putIntNative(
                memory + (position & capacity - 1), value); // records are of multiples of 4 bytes: never split
        position += 4;
    }

    /** Copies bytes and pads them with zeros to a multiple of 4. */
    void putPadded(long from, int length) {
        int offset = (int) (position & capacity - 1);
        int first = Math.min(length, capacity - offset);
        Memory.copy(from, memory + offset, first);
        Memory.copy(from + first, memory, (long) length - first);
        position += length;
        while ((position & 3) != 0) {
            Memory.putByte(memory + (position & capacity - 1), 0);
            position++;
        }
    }

    /** Where the next byte goes. */
    long position() {
        return position;
    }

    /** Publishes everything up to {@code end} and forgets what was written behind it. */
    void commit(long end) {
        position = end;
        TAIL.setRelease(this, end);
    }

    // ---- writer ----

    /** Writes what is there; returns how many bytes. */
    long drainTo(WritableByteChannel file) throws IOException {
        long start = head;
        long end = tail;
        long at = start;
        while (at < end) {
            int offset = (int) (at & capacity - 1);
            int count = (int) Math.min(end - at, (long) capacity - offset);
            ByteBuffer piece = view.slice(offset, count);
            while (piece.hasRemaining()) {
                file.write(piece);
            }
            at += count;
        }
        HEAD.setRelease(this, end);
        return end - start;
    }

    /** Throws away what is there. */
    void discard() {
        HEAD.setRelease(this, tail);
    }

    @Override
    public void close() {
        arena.close();
    }
}
