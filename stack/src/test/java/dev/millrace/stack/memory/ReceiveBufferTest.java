package dev.millrace.stack.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One thread against a naive model, with data placed ahead of gaps; what two threads may see is jcstress' business. */
class ReceiveBufferTest {
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
    void givesBackWhatWasPlaced(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ReceiveBuffer buffer = new ReceiveBuffer(pool, 1 + random.nextInt(300_000));
        BitSet placed = new BitSet();
        long head = 0;
        long tail = 0;
        for (int step = 0; step < 2_000; step++) {
            switch (random.nextInt(6)) {
                case 0, 1, 2 -> placeSome(buffer, tail, placed, random);
                case 3 -> {
                    tail = placed.nextClearBit((int) tail);
                    buffer.publish(tail);
                }
                case 4 -> head += readSome(buffer, head, tail, random);
                default -> {
                    buffer.capacity(buffer.capacity() + random.nextInt(5_000)); // a window never shrinks
                    buffer.reclaim();
                }
            }
            assertEquals(head, buffer.headAcquire());
            assertEquals(tail, buffer.tail());
            assertEquals(tail - head, buffer.readableBytes());
            assertTrue(pool.bytesInUse() <= buffer.capacity() + 3L * Chunk.SIZE + unreclaimed(placed, head));
        }
        finish(buffer, head, placed);
    }

    /** Fills every gap and reads all of it, after which nothing may be held. */
    private void finish(ReceiveBuffer buffer, long head, BitSet placed) {
        for (int gap = placed.nextClearBit(0); gap < placed.length(); gap = placed.nextClearBit(gap)) {
            place(buffer, gap, placed.nextSetBit(gap) - gap);
            placed.set(gap, placed.nextSetBit(gap));
        }
        buffer.publish(placed.length());
        long at = head;
        ByteBuffer target = ByteBuffer.allocate(10_000);
        for (int count = buffer.read(target, 0, 10_000); count > 0; count = buffer.read(target, 0, 10_000)) {
            StreamPattern.assertIn(target, 0, at, count);
            at += count;
        }
        assertEquals(placed.length(), at);
        buffer.reclaim();
        assertEquals(0, pool.chunksInUse(), "an idle connection holds no memory");
    }

    /** What was read since the last reclaim is still held; it is less than the whole. */
    private static long unreclaimed(BitSet placed, long head) {
        return Math.min(head, placed.length());
    }

    private void placeSome(ReceiveBuffer buffer, long tail, BitSet placed, SplittableRandom random) {
        long room = buffer.limit() - tail;
        int gap = random.nextBoolean() ? 0 : (int) random.nextLong(room + 1);
        int most = random.nextInt(4) == 0 ? 65_535 : 1_460;
        int length = (int) Math.min(room - gap, random.nextInt(most));
        place(buffer, tail + gap, length);
        placed.set((int) tail + gap, (int) tail + gap + length);
    }

    private void place(ReceiveBuffer buffer, long position, int length) {
        StreamPattern.writeTo(scratch.address(), position, length);
        assertEquals(length, buffer.place(position, scratch.address(), length));
    }

    private static int readSome(ReceiveBuffer buffer, long head, long tail, SplittableRandom random) {
        int length = random.nextInt(random.nextBoolean() ? 200_000 : 2_000);
        int index = random.nextInt(9);
        ByteBuffer target =
                random.nextBoolean() ? ByteBuffer.allocate(length + index) : ByteBuffer.allocateDirect(length + index);
        int count = buffer.read(target, index, length);
        assertEquals(Math.min(length, tail - head), count);
        assertEquals(0, target.position());
        StreamPattern.assertIn(target, index, head, count);
        return count;
    }

    @Test
    void keepsALargePieceThatOutgrowsTheRingFromTheMiddleOfAChunk() {
        ReceiveBuffer buffer = new ReceiveBuffer(pool, 1 << 20);
        place(buffer, 0, 5_000);
        buffer.publish(5_000);
        assertEquals(5_000, buffer.read(ByteBuffer.allocate(5_000), 0, 5_000));
        place(buffer, 5_000, 60_000);
        buffer.publish(65_000);
        ByteBuffer target = ByteBuffer.allocate(60_000);
        assertEquals(60_000, buffer.read(target, 0, 60_000));
        StreamPattern.assertIn(target, 0, 5_000, 60_000);
    }

    @Test
    void placesWhatFitsWhenThePoolRunsDry() {
        List<Chunk> others = new ArrayList<>();
        for (Chunk chunk = pool.take(); chunk != null; chunk = pool.take()) {
            others.add(chunk);
        }
        ReceiveBuffer buffer = new ReceiveBuffer(pool, 1 << 20);
        StreamPattern.writeTo(scratch.address(), 0, 10_000);
        assertEquals(0, buffer.place(0, scratch.address(), 10_000));
        pool.give(others.removeLast());
        assertEquals(Chunk.SIZE, buffer.place(0, scratch.address(), 10_000));
        buffer.publish(Chunk.SIZE);
        ByteBuffer target = ByteBuffer.allocateDirect(Chunk.SIZE);
        assertEquals(Chunk.SIZE, buffer.read(target, 0, 10_000));
        StreamPattern.assertIn(target, 0, 0, Chunk.SIZE);
        buffer.dispose();
        others.forEach(pool::give);
        assertEquals(0, pool.chunksInUse());
    }

    @Test
    void answersMinusOneOnceDisposed() {
        ReceiveBuffer buffer = new ReceiveBuffer(pool, 1 << 20);
        place(buffer, 0, 70_000);
        buffer.publish(60_000);
        assertEquals(10, buffer.read(ByteBuffer.allocate(10), 0, 10));
        buffer.dispose();
        assertEquals(-1, buffer.read(ByteBuffer.allocate(10), 0, 10));
        assertEquals(0, pool.chunksInUse());
        buffer.dispose();
        assertEquals(0, pool.chunksInUse(), "disposing twice gives nothing back twice");
    }

    @Test
    void losesNothingWhenTheTargetRefuses() {
        ReceiveBuffer buffer = new ReceiveBuffer(pool, 1 << 20);
        place(buffer, 0, 100);
        buffer.publish(100);
        ByteBuffer readOnly = ByteBuffer.allocate(100).asReadOnlyBuffer();
        assertThrows(ReadOnlyBufferException.class, () -> buffer.read(readOnly, 0, 100));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.read(ByteBuffer.allocate(10), 0, 100));
        ByteBuffer target = ByteBuffer.allocate(100);
        assertEquals(100, buffer.read(target, 0, 100));
        StreamPattern.assertIn(target, 0, 0, 100);
    }
}
