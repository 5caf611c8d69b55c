package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WindowedMaxTest {
    @Test
    void aLargerValueCountsAtOnceAndUntilItIsTooOld() {
        WindowedMax max = new WindowedMax(10);
        max.update(5, 1);
        max.update(9, 2);
        for (int round = 3; round <= 12; round++) {
            max.update(5, round);
            assertEquals(9, max.get(), "round " + round);
        }
        max.update(5, 13);
        assertEquals(5, max.get());
    }

    @Test
    void afterAPauseOnlyTheNewValueCounts() {
        WindowedMax max = new WindowedMax(10);
        max.update(9, 1);
        max.update(4, 100);
        assertEquals(4, max.get());
    }

    /** Never more than the true maximum, never less than that of the last quarter of the window. */
    @Test
    void itIsTheMaximumOfAboutAWindow() {
        SplittableRandom random = new SplittableRandom(5);
        WindowedMax max = new WindowedMax(20);
        long[] values = new long[5_000];
        for (int round = 0; round < values.length; round++) {
            values[round] = random.nextInt(1_000);
            max.update(values[round], round);
            long whole = 0;
            long recent = 0;
            for (int i = Math.max(0, round - 20); i <= round; i++) {
                whole = Math.max(whole, values[i]);
                recent = i > round - 5 ? Math.max(recent, values[i]) : recent;
            }
            assertTrue(max.get() <= whole && max.get() >= recent, "round " + round);
        }
    }
}
