package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Buffers of every kind, single, scattered and gathered; positions are exact whatever part was taken. */
class BuffersTest extends ContractTest {
    private static final int BYTES = 300_000;

    /** Where a buffer's bytes may lie. Each gives a buffer of {@code BYTES} remaining bytes at a position that is not 0. */
    enum Kind {
        HEAP {
            @Override
            ByteBuffer allocate(Arena arena) {
                return ByteBuffer.allocate(BYTES + 20).position(7).limit(BYTES + 7);
            }
        },
        HEAP_SLICE {
            @Override
            ByteBuffer allocate(Arena arena) {
                return ByteBuffer.allocate(BYTES + 50)
                        .slice(11, BYTES + 20)
                        .position(3)
                        .limit(BYTES + 3);
            }
        },
        DIRECT {
            @Override
            ByteBuffer allocate(Arena arena) {
                return ByteBuffer.allocateDirect(BYTES + 20).position(7).limit(BYTES + 7);
            }
        },
        DIRECT_SLICE {
            @Override
            ByteBuffer allocate(Arena arena) {
                return ByteBuffer.allocateDirect(BYTES + 50)
                        .slice(13, BYTES + 20)
                        .position(3)
                        .limit(BYTES + 3);
            }
        },
        ARENA {
            @Override
            ByteBuffer allocate(Arena arena) {
                return arena.allocate(BYTES + 20).asByteBuffer().position(7).limit(BYTES + 7);
            }
        };

        abstract ByteBuffer allocate(Arena arena);
    }

    private static byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        new Random(42).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource
    void everyKindIsWrittenAndRead(Kind kind) throws Exception {
        Pair pair = pair();
        byte[] content = randomBytes(BYTES);
        try (Arena arena = Arena.ofShared()) {
            ByteBuffer source = kind.allocate(arena);
            int start = source.position();
            source.put(content).position(start);
            Task<Void> writer = Task.start(() -> {
                while (source.hasRemaining()) {
                    int before = source.position();
                    int written = pair.client().write(source);
                    assertEquals(before + written, source.position());
                }
                return null;
            });
            ByteBuffer target = kind.allocate(arena);
            while (target.hasRemaining()) {
                int before = target.position();
                int read = pair.server().read(target);
                assertEquals(before + read, target.position());
            }
            writer.result();
            byte[] found = new byte[BYTES];
            target.position(start).get(found);
            assertArrayEquals(content, found);
        }
    }

    @Test
    void readOnlyBuffersAreWrittenAndNotReadInto() throws Exception {
        Pair pair = pair();
        ByteBuffer readOnly = bytes("read-only").asReadOnlyBuffer();
        assertEquals(9, pair.client().write(readOnly));
        assertEquals("read-only", receive(pair.server(), 9));
        ByteBuffer target = ByteBuffer.allocate(1).asReadOnlyBuffer();
        assertThrows(IllegalArgumentException.class, () -> pair.server().read(target));
        assertTrue(pair.server().isOpen());
    }

    @Test
    void gatherWritesAllBuffersInOrder() throws Exception {
        Pair pair = pair();
        byte[] content = randomBytes(100_000);
        ByteBuffer[] sources = split(content, 17);
        Task<Void> writer = Task.start(() -> {
            long left = content.length;
            while (left > 0) {
                left -= pair.client().write(sources);
            }
            return null;
        });
        ByteBuffer target = ByteBuffer.allocate(content.length);
        while (target.hasRemaining()) {
            pair.server().read(target);
        }
        writer.result();
        assertArrayEquals(content, target.array());
    }

    /** Pieces of growing length, of which every other one is direct, and some are empty. */
    private static ByteBuffer[] split(byte[] content, int pieces) {
        ByteBuffer[] buffers = new ByteBuffer[pieces];
        int offset = 0;
        for (int i = 0; i < pieces; i++) {
            int length = i == pieces - 1 ? content.length - offset : i % 5 == 3 ? 0 : i * 500;
            ByteBuffer buffer = i % 2 == 0 ? ByteBuffer.allocate(length + 1) : ByteBuffer.allocateDirect(length + 1);
            buffers[i] = buffer.position(1).put(content, offset, length).position(1);
            offset += length;
        }
        return buffers;
    }

    @Test
    void aPartialGatherLeavesPositionsExact() throws Exception {
        Pair pair = pair();
        pair.client().configureBlocking(false);
        ByteBuffer[] sources = new ByteBuffer[64];
        for (int i = 0; i < sources.length; i++) {
            sources[i] = ByteBuffer.allocate(1 << 20);
        }
        long written = pair.client().write(sources);
        assertTrue(written > 0 && written < 64L << 20, "took " + written);
        long found = 0;
        boolean ended = false;
        for (ByteBuffer source : sources) {
            assertTrue(!ended || source.position() == 0, "a later buffer was taken before an earlier one");
            ended |= source.hasRemaining();
            found += source.position();
        }
        assertEquals(written, found);
    }

    @Test
    void scatterFillsBuffersInOrder() throws Exception {
        Pair pair = pair();
        send(pair.client(), "0123456789");
        pair.client().shutdownOutput();
        ByteBuffer[] targets = {
            ByteBuffer.allocate(3), ByteBuffer.allocate(0), ByteBuffer.allocateDirect(5), ByteBuffer.allocate(9)
        };
        long total = 0;
        for (long read = 0; read >= 0; read = pair.server().read(targets)) {
            total += read;
        }
        assertEquals(10, total);
        assertEquals("012", text(targets[0]));
        assertEquals("34567", text(targets[2]));
        assertEquals("89", text(targets[3]));
    }

    private static String text(ByteBuffer buffer) {
        return java.nio.charset.StandardCharsets.US_ASCII.decode(buffer.flip()).toString();
    }

    @Test
    void aRangeOfTheArrayIsUsed() throws Exception {
        Pair pair = pair();
        ByteBuffer[] sources = {bytes("a"), bytes("b"), bytes("c"), bytes("d")};
        assertEquals(2, pair.client().write(sources, 1, 2));
        assertEquals("bc", receive(pair.server(), 2));
        assertThrows(IndexOutOfBoundsException.class, () -> pair.client().write(sources, 3, 2));
        assertThrows(IndexOutOfBoundsException.class, () -> pair.client().read(sources, -1, 2));
    }

    @Test
    void nothingIsZeroBytes() throws Exception {
        Pair pair = pair();
        SocketChannel client = pair.client();
        assertEquals(0, client.write(ByteBuffer.allocate(0)));
        assertEquals(0, client.write(new ByteBuffer[0]));
        assertEquals(0, client.write(new ByteBuffer[] {ByteBuffer.allocate(0), ByteBuffer.allocateDirect(0)}));
        send(pair.server(), "x");
        assertEquals("x", receive(client, 1));
        client.configureBlocking(false);
        assertEquals(0, client.read(ByteBuffer.allocate(1)));
    }

    @Test
    void byteByByteIsExact() throws Exception {
        Pair pair = pair();
        byte[] content = randomBytes(20_000);
        Task<Void> writer = Task.start(() -> {
            for (byte b : content) {
                pair.client().write(ByteBuffer.wrap(new byte[] {b}));
            }
            return null;
        });
        ByteBuffer target = ByteBuffer.allocate(content.length);
        while (target.hasRemaining()) {
            pair.server().read(target);
        }
        writer.result();
        assertArrayEquals(content, target.array());
    }
}
