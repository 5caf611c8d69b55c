package dev.millrace.stack.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One thread against a naive model; what two threads may see is jcstress' business. */
class SendBufferTest {
    private static final int SCRATCH = 1 << 20;

    private final ChunkPool pool = new ChunkPool(4 << 20);
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment scratch = arena.allocate(SCRATCH);

    @AfterEach
    void close() {
        pool.close();
        arena.close();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void givesBackWhatWasWritten(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        SendBuffer buffer = new SendBuffer(pool, 1 + random.nextInt(300_000));
        long head = 0;
        long tail = 0;
        for (int step = 0; step < 2_000; step++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> tail += writeSome(buffer, tail, head, random);
                case 2 -> {
                    head += random.nextLong(tail - head + 1);
                    buffer.releaseTo(head);
                }
                case 3 -> {
                    long from = head + random.nextLong(tail - head + 1);
                    int length = (int) random.nextLong(tail - from + 1);
                    buffer.copyTo(from, scratch.address(), length);
                    StreamPattern.assertAt(scratch.address(), from, length);
                }
                default -> buffer.capacity(1 + random.nextInt(300_000));
            }
            assertEquals(head, buffer.head());
            assertEquals(tail, buffer.tailAcquire());
            assertEquals(tail - head, buffer.unreleasedBytes());
            assertTrue(pool.chunksInUse() <= (tail - head) / Chunk.SIZE + 2, "chunks beyond what is held");
        }
        buffer.releaseTo(tail);
        assertEquals(0, pool.chunksInUse(), "an idle connection holds no memory");
    }

    private static int writeSome(SendBuffer buffer, long tail, long head, SplittableRandom random) {
        int length = random.nextInt(4) == 0 ? random.nextInt(200_000) : random.nextInt(3_000);
        int index = random.nextInt(9);
        int free = (int) Math.max(0, head + buffer.capacity() - tail);
        assertEquals(free, buffer.freeBytes());
        int taken = buffer.write(StreamPattern.buffer(tail, index, length, random), index, length);
        assertEquals(Math.min(length, free), taken);
        return taken;
    }

    @Test
    void takesWhatFitsWhenThePoolRunsDry() {
        List<Chunk> others = takeAllBut(2);
        SendBuffer buffer = new SendBuffer(pool, 1 << 20);
        assertEquals(2 * Chunk.SIZE, write(buffer, 0, 3 * Chunk.SIZE));
        assertEquals(0, write(buffer, 2 * Chunk.SIZE, 100));
        buffer.releaseTo(Chunk.SIZE);
        assertEquals(100, write(buffer, 2 * Chunk.SIZE, 100));
        buffer.copyTo(Chunk.SIZE, scratch.address(), Chunk.SIZE + 100);
        StreamPattern.assertAt(scratch.address(), Chunk.SIZE, Chunk.SIZE + 100);
        buffer.dispose();
        others.forEach(pool::give);
        assertEquals(0, pool.chunksInUse());
    }

    @Test
    void losesNoChunkWhenTheSourceRefuses() {
        SendBuffer buffer = new SendBuffer(pool, 1 << 20);
        ByteBuffer gone = closedBuffer(3 * Chunk.SIZE);
        assertThrows(IllegalStateException.class, () -> buffer.write(gone, 0, 3 * Chunk.SIZE));
        assertEquals(0, pool.chunksInUse());
        write(buffer, 0, 100);
        assertThrows(IllegalStateException.class, () -> buffer.write(gone, 0, 100));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.write(ByteBuffer.allocate(8000), 0, 9000));
        assertEquals(1, pool.chunksInUse(), "only the chunk that holds the tail");
        assertEquals(5000, write(buffer, 100, 5000));
        buffer.copyTo(0, scratch.address(), 5100);
        StreamPattern.assertAt(scratch.address(), 0, 5100);
        buffer.dispose();
        assertEquals(0, pool.chunksInUse());
    }

    private static ByteBuffer closedBuffer(int size) {
        try (Arena shortLived = Arena.ofConfined()) {
            return shortLived.allocate(size).asByteBuffer();
        }
    }

    @Test
    void answersMinusOneOnceDisposed() {
        SendBuffer buffer = new SendBuffer(pool, 1 << 20);
        write(buffer, 0, 70_000);
        buffer.releaseTo(5_000);
        buffer.dispose();
        assertEquals(-1, write(buffer, 70_000, 10));
        assertEquals(0, pool.chunksInUse());
        buffer.dispose();
        assertEquals(0, pool.chunksInUse(), "disposing twice gives nothing back twice");
    }

    @Test
    void leavesThePositionOfTheSourceAlone() {
        SendBuffer buffer = new SendBuffer(pool, 1000);
        ByteBuffer source = ByteBuffer.allocate(64).position(7).limit(60);
        assertEquals(10, buffer.write(source, 20, 10));
        assertEquals(7, source.position());
        assertEquals(60, source.limit());
    }

    private int write(SendBuffer buffer, long position, int length) {
        return buffer.write(StreamPattern.buffer(position, 3, length, new SplittableRandom(7)), 3, length);
    }

    private List<Chunk> takeAllBut(int count) {
        List<Chunk> taken = new ArrayList<>();
        for (Chunk chunk = pool.take(); chunk != null; chunk = pool.take()) {
            taken.add(chunk);
        }
        for (int i = 0; i < count; i++) {
            pool.give(taken.removeLast());
        }
        return taken;
    }
}
