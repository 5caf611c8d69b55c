package dev.millrace.stack.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChunkPoolTest {
    @Test
    void neverExceedsItsLimit() {
        try (ChunkPool pool = new ChunkPool(3 << 20)) {
            assertEquals(3 << 20, pool.maxBytes());
            List<Chunk> taken = takeAll(pool);
            assertEquals(3 << 20, (long) taken.size() * Chunk.SIZE);
            assertEquals(3 << 20, pool.bytesInUse());
            assertNull(pool.take());
            pool.give(taken.removeLast());
            assertNotNull(pool.take());
            assertNull(pool.take());
        }
    }

    @Test
    void roundsTheLimitDownToWholeMebibytesAndNeverBelowOne() {
        try (ChunkPool small = new ChunkPool(1);
                ChunkPool odd = new ChunkPool((5 << 20) - 1)) {
            assertEquals(1 << 20, small.maxBytes());
            assertEquals(4 << 20, odd.maxBytes());
        }
    }

    @Test
    void givesChunksThatDoNotOverlap() {
        try (ChunkPool pool = new ChunkPool(2 << 20)) {
            List<Long> addresses =
                    takeAll(pool).stream().map(chunk -> chunk.address).sorted().toList();
            for (int i = 1; i < addresses.size(); i++) {
                assertTrue(addresses.get(i) - addresses.get(i - 1) >= Chunk.SIZE);
            }
        }
    }

    @Test
    void reservesNothingBeforeItIsNeeded() {
        try (ChunkPool pool = new ChunkPool(1L << 34)) {
            assertEquals(0, pool.chunksInUse());
            pool.give(pool.take());
            assertEquals(0, pool.chunksInUse());
        }
    }

    private static List<Chunk> takeAll(ChunkPool pool) {
        List<Chunk> taken = new ArrayList<>();
        for (Chunk chunk = pool.take(); chunk != null; chunk = pool.take()) {
            taken.add(chunk);
        }
        return taken;
    }
}
