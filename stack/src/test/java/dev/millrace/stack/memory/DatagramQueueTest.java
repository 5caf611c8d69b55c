package dev.millrace.stack.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DatagramQueueTest {
    private final ChunkPool pool = new ChunkPool(4 << 20);
    private final DatagramQueue queue = new DatagramQueue(pool);
    private final DatagramHeader header = new DatagramHeader();
    private final DatagramHeader read = new DatagramHeader();

    @AfterEach
    void close() {
        queue.dispose();
        assertEquals(0, pool.chunksInUse(), "all memory is given back");
        pool.close();
    }

    private static byte[] content(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + seed);
        }
        return bytes;
    }

    private boolean offer(byte[] bytes) {
        return queue.offer(header, ByteBuffer.wrap(bytes), 0, bytes.length);
    }

    private byte[] take() {
        assertTrue(queue.peek(read));
        byte[] bytes = new byte[read.length];
        queue.copyTo(ByteBuffer.wrap(bytes), 0, bytes.length);
        queue.release();
        return bytes;
    }

    @Test
    void whatIsKnownOfADatagramTravelsWithIt() {
        header.localHigh = 1;
        header.localLow = -2;
        header.localPort = 65_535;
        header.remoteHigh = 0x2001_0db8_0000_0000L;
        header.remoteLow = Long.MIN_VALUE;
        header.remotePort = 53;
        header.trafficClass = 0xb8;
        assertTrue(offer(content(5, 1)));
        assertTrue(queue.peek(read));
        assertEquals(5, read.length);
        assertEquals(1, read.localHigh);
        assertEquals(-2, read.localLow);
        assertEquals(65_535, read.localPort);
        assertEquals(0x2001_0db8_0000_0000L, read.remoteHigh);
        assertEquals(Long.MIN_VALUE, read.remoteLow);
        assertEquals(53, read.remotePort);
        assertEquals(0xb8, read.trafficClass);
        assertArrayEquals(content(5, 1), take());
        assertFalse(queue.peek(read));
    }

    @Test
    void datagramsOfAnySizeKeepTheirOrderAndTheirBoundaries() {
        SplittableRandom random = new SplittableRandom(7);
        ArrayDeque<byte[]> model = new ArrayDeque<>();
        try (Arena arena = Arena.ofConfined()) {
            long memory = arena.allocate(65_535).address();
            for (int i = 0; i < 4000; i++) {
                if (queue.bytes() < 200_000 && random.nextInt(3) > 0) {
                    int length = random.nextInt(8) == 0 ? random.nextInt(65_508) : random.nextInt(200);
                    byte[] bytes = content(length, i);
                    Memory.copy(bytes, 0, memory, length);
                    assertTrue(random.nextBoolean() ? offer(bytes) : queue.offer(header, memory, length));
                    model.add(bytes);
                } else if (!model.isEmpty()) {
                    assertArrayEquals(model.poll(), take());
                }
                assertEquals(model.isEmpty(), queue.isEmpty());
            }
        }
        while (!model.isEmpty()) {
            assertArrayEquals(model.poll(), take());
        }
        assertTrue(pool.chunksInUse() <= 1, "an empty queue keeps one chunk at most");
    }

    @Test
    void piecesOfAPayloadAreWhereTheyAreSaidToBe() {
        offer(content(100, 3));
        byte[] bytes = content(20_000, 4);
        offer(bytes);
        take();
        byte[] seen = new byte[20_000];
        for (int done = 0; done < seen.length; ) {
            int count = queue.runBytes(done, seen.length - done);
            assertTrue(count == seen.length - done || count % 2 == 0, "checksums are made of even pieces");
            queue.peek(read);
            Memory.copy(queue.payloadAddress(done), seen, done, count);
            done += count;
        }
        assertArrayEquals(bytes, seen);
    }

    @Test
    void aDryPoolRefusesAndChangesNothing() {
        ChunkPool small = new ChunkPool(1 << 20);
        DatagramQueue poor = new DatagramQueue(small);
        byte[] bytes = content(60_000, 9);
        int taken = 0;
        while (poor.offer(header, ByteBuffer.wrap(bytes), 0, bytes.length)) {
            taken++;
        }
        int used = small.chunksInUse();
        assertFalse(poor.offer(header, ByteBuffer.wrap(bytes), 0, bytes.length));
        assertEquals(used, small.chunksInUse());
        assertEquals((1 << 20) / (60_000 + DatagramQueue.HEADER_BYTES), taken);
        poor.dispose();
        assertEquals(0, small.chunksInUse());
        small.close();
    }

    @Test
    void aSourceThatRefusesLeavesTheQueueAsItWas() {
        offer(content(10, 1));
        int used = pool.chunksInUse();
        ByteBuffer shorter = ByteBuffer.allocate(100);
        assertThrows(IndexOutOfBoundsException.class, () -> queue.offer(header, shorter, 0, 30_000));
        assertEquals(used, pool.chunksInUse());
        offer(content(20_000, 2));
        assertArrayEquals(content(10, 1), take());
        assertArrayEquals(content(20_000, 2), take());
        assertTrue(queue.isEmpty());
    }

    @Test
    void emptyDatagramsCount() {
        byte[] nothing = {};
        for (int i = 0; i < 1000; i++) {
            assertTrue(offer(nothing));
        }
        assertEquals(
                1000,
                Arrays.stream(new int[1000]).filter(i -> take().length == 0).count());
        assertTrue(queue.isEmpty());
    }
}
