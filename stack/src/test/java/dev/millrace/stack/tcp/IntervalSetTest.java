package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IntervalSetTest {
    @Test
    void adjacentIntervalsBecomeOne() {
        IntervalSet set = new IntervalSet(4);
        assertEquals(10, set.add(10, 20));
        assertEquals(10, set.add(30, 40));
        assertEquals(10, set.add(20, 30));
        assertEquals(1, set.count());
        assertEquals(10, set.from(0));
        assertEquals(40, set.to(0));
    }

    @Test
    void whatWouldTakeOneIntervalTooManyIsRefused() {
        IntervalSet set = new IntervalSet(3);
        set.add(10, 11);
        set.add(20, 21);
        set.add(30, 31);
        assertFalse(set.canAdd(40, 41));
        assertEquals(-1, set.add(40, 41));
        assertTrue(set.canAdd(9, 10));
        assertTrue(set.canAdd(31, 40));
        assertEquals(9, set.add(31, 40));
        assertEquals(18, set.add(11, 30));
        assertEquals(1, set.count());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void agreesWithABitSet(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int universe = 600;
        IntervalSet set = new IntervalSet(seed % 2 == 0 ? 8 : 1_000);
        BitSet model = new BitSet();
        long offset = random.nextLong(1L << 40);
        for (int step = 0; step < 20_000; step++) {
            String at = "seed " + seed + " step " + step;
            int from = random.nextInt(universe);
            int to = from + 1 + random.nextInt(1 + random.nextInt(40));
            switch (random.nextInt(40)) {
                case 0 -> {
                    set.clear();
                    model.clear();
                }
                case 1, 2 -> {
                    int below = random.nextInt(universe / 4);
                    set.removeBelow(offset + below);
                    model.clear(0, below);
                }
                default -> {
                    int before = model.cardinality();
                    boolean room = set.canAdd(offset + from, offset + to);
                    long added = set.add(offset + from, offset + to);
                    assertEquals(room, added >= 0, at);
                    if (room) {
                        model.set(from, to);
                        assertEquals(model.cardinality() - before, added, at);
                    }
                }
            }
            assertEquals(model.cardinality(), set.bytes(), at);
            int probe = random.nextInt(universe);
            assertEquals(offset + model.nextClearBit(probe), set.firstMissing(offset + probe), at);
            int present = model.nextSetBit(probe);
            assertEquals(present < 0 ? Long.MAX_VALUE : offset + present, set.firstPresent(offset + probe), at);
            assertEquals(model.get(probe), set.indexOf(offset + probe) >= 0, at);
            assertEquals(model.get(0, probe).cardinality(), set.bytesBelow(offset + probe), at);
            for (int i = 1; i < set.count(); i++) {
                assertTrue(set.to(i - 1) < set.from(i), at);
            }
        }
    }
}
