package dev.millrace.provider.nio;

import java.nio.ByteBuffer;

/**
 * Where a datagram is put together from several buffers, or taken apart into them. Grows to what its channel needs, 64 KiB at most, and is kept
 * for the next one. One thread at a time.
 */
final class DatagramStaging {
    /** No datagram is longer. */
    static final int MAX_BYTES = 65_535;

    /** IOV_MAX: so many buffers make one datagram at most, in the JDK's channels too. */
    private static final int MAX_BUFFERS = 1024;

    private static final int FIRST_BYTES = 2048;

    private ByteBuffer buffer = ByteBuffer.allocate(0);

    /** An empty buffer with as much room as the targets have together. */
    ByteBuffer forRoomOf(ByteBuffer[] targets, int offset, int length) {
        return sized((int) Math.min(MAX_BYTES, remaining(targets, offset, length)));
    }

    /** What the sources hold together, {@link #MAX_BYTES} at most; their positions stay. */
    ByteBuffer gathered(ByteBuffer[] sources, int offset, int length) {
        ByteBuffer whole = sized((int) Math.min(MAX_BYTES, remaining(sources, offset, length)));
        int at = 0;
        for (int i = offset; i < offset + limit(length) && at < whole.limit(); i++) {
            int count = Math.min(sources[i].remaining(), whole.limit() - at);
            whole.put(at, sources[i], sources[i].position(), count);
            at += count;
        }
        return whole;
    }

    private ByteBuffer sized(int bytes) {
        if (buffer.capacity() < bytes) {
            buffer = ByteBuffer.allocateDirect(Math.max(bytes, FIRST_BYTES));
        }
        return buffer.clear().limit(bytes);
    }

    /** Bytes that so many buffers hold, or have room for, together. */
    static long remaining(ByteBuffer[] buffers, int offset, int length) {
        long total = 0;
        for (int i = offset; i < offset + limit(length); i++) {
            total += buffers[i].remaining();
        }
        return total;
    }

    /** Moves all of {@code whole} into the targets. */
    static void scatter(ByteBuffer whole, ByteBuffer[] targets, int offset) {
        for (int i = offset; whole.hasRemaining(); i++) {
            ByteBuffer target = targets[i];
            int count = Math.min(target.remaining(), whole.remaining());
            target.put(target.position(), whole, whole.position(), count);
            target.position(target.position() + count);
            whole.position(whole.position() + count);
        }
    }

    /** Marks what {@link #gathered} took as taken. */
    static void consume(ByteBuffer[] sources, int offset, int length) {
        for (int i = offset; i < offset + limit(length); i++) {
            sources[i].position(sources[i].limit());
        }
    }

    private static int limit(int length) {
        return Math.min(length, MAX_BUFFERS);
    }
}
