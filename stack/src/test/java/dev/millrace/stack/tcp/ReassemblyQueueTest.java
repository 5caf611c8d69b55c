package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReassemblyQueueTest {
    private final ReassemblyQueue queue = new ReassemblyQueue();
    private final int[] left = new int[4];
    private final int[] right = new int[4];

    /** Blocks as pairs, with RCV.NXT 0 at position 0. */
    private int[] report(int limit) {
        int blocks = queue.sackBlocks(left, right, limit, 0, 0);
        int[] pairs = new int[blocks * 2];
        for (int i = 0; i < blocks; i++) {
            pairs[i * 2] = left[i];
            pairs[i * 2 + 1] = right[i];
        }
        return pairs;
    }

    @Test
    void theFirstBlockHoldsTheNewestSegmentAndOthersFollowByRecency() {
        queue.add(10, 20);
        queue.add(30, 40);
        queue.add(50, 60);
        assertArrayEquals(new int[] {50, 60, 30, 40, 10, 20}, report(4));
        queue.add(40, 45);
        assertArrayEquals(new int[] {30, 45, 50, 60, 10, 20}, report(3));
    }

    @Test
    void mergedBlocksAreReportedOnce() {
        queue.add(10, 20);
        queue.add(30, 40);
        queue.add(20, 30);
        assertArrayEquals(new int[] {10, 40}, report(4));
    }

    @Test
    void onlyTheMostRecentBlocksThatFitAreReported() {
        for (int i = 1; i <= 6; i++) {
            queue.add(i * 10L, i * 10L + 5);
        }
        assertArrayEquals(new int[] {60, 65, 50, 55, 40, 45}, report(3));
        assertArrayEquals(new int[] {60, 65, 50, 55, 40, 45, 30, 35}, report(4));
    }

    @Test
    void whatTheStreamHasReachedIsReportedNoMore() {
        queue.add(10, 20);
        queue.add(30, 40);
        assertEquals(20, queue.contiguousFrom(10));
        queue.advanceTo(20);
        assertArrayEquals(new int[] {30, 40}, report(4));
        queue.advanceTo(40);
        assertTrue(queue.isEmpty());
        assertArrayEquals(new int[] {}, report(4));
    }

    @Test
    void aDuplicateIsReportedFirstAndOnce() {
        queue.add(100, 200);
        queue.onDuplicate(0, 50);
        assertTrue(queue.hasDuplicate());
        assertArrayEquals(new int[] {0, 50, 100, 200}, report(3));
        assertFalse(queue.hasDuplicate());
        assertArrayEquals(new int[] {100, 200}, report(3));
    }

    @Test
    void aDuplicateInsideABlockIsFollowedByThatBlock() {
        queue.add(100, 200);
        queue.add(300, 400);
        queue.onDuplicate(120, 150);
        assertArrayEquals(new int[] {120, 150, 100, 200, 300, 400}, report(3));
    }

    @Test
    void blocksAreSequenceNumbersThatWrap() {
        long position = 1L << 33;
        queue.add(position + 10, position + 30);
        assertEquals(1, queue.sackBlocks(left, right, 4, -15, position));
        assertEquals(-5, left[0]);
        assertEquals(15, right[0]);
    }

    @Rule("tcp.md: out-of-order flood, fragment flood")
    @Test
    void oneGapTooManyIsRefused() {
        for (int i = 0; i < ReassemblyQueue.MAX_INTERVALS; i++) {
            assertTrue(queue.add(10L * i + 1, 10L * i + 2) > 0);
        }
        assertFalse(queue.canAdd(1_000_000, 1_000_001));
        assertEquals(-1, queue.add(1_000_000, 1_000_001));
        assertEquals(ReassemblyQueue.MAX_INTERVALS, queue.intervals());
    }

    /** Segments with different bytes for the same positions: each position keeps what came first. */
    @Rule("tcp.md: overlapping segments with different bytes")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void theFirstBytesWin(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] model = new int[400];
        int[] placed = new int[400];
        int next = 0;
        for (int segment = 1; segment < 3_000 && next < 350; segment++) {
            int from = next + random.nextInt(50);
            int to = Math.min(400, from + 1 + random.nextInt(12));
            for (int i = from; i < to; i++) {
                model[i] = model[i] == 0 ? segment : model[i];
            }
            for (long p = queue.firstMissing(from, to); p < to; ) {
                long end = queue.endOfGap(p, to);
                Arrays.fill(placed, (int) p, (int) end, segment);
                p = queue.firstMissing(end, to);
            }
            assertTrue(queue.add(from, to) >= 0);
            assertArrayEquals(model, placed, "seed " + seed);
            if (random.nextInt(4) == 0) {
                next = (int) queue.contiguousFrom(next);
                queue.advanceTo(next);
            }
        }
        assertTrue(next > 100, "the stream moved");
    }
}
