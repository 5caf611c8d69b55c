package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.millrace.stack.Rule;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IsnGeneratorTest {
    private final IsnGenerator generator = new IsnGenerator(new SplittableRandom(1));

    @Rule("RFC 9293 MUST-8")
    @Test
    void aTuplesNumbersGrowWithAClockOf4Microseconds() {
        int first = generator.initialSequence(0, 1, 80, 0, 2, 1000, -8_000);
        assertEquals(first + 2, generator.initialSequence(0, 1, 80, 0, 2, 1000, 0));
        assertEquals(first + 2, generator.initialSequence(0, 1, 80, 0, 2, 1000, 3_999));
        assertEquals(first + 3, generator.initialSequence(0, 1, 80, 0, 2, 1000, 4_000));
        assertEquals(first + 250_002, generator.initialSequence(0, 1, 80, 0, 2, 1000, 1_000_000_000));
    }

    @Rule("RFC 9293 SHLD-1")
    @Rule("RFC 9293 MUST-9")
    @Test
    void everyFieldAndTheSecretChangeTheNumber() {
        int base = generator.initialSequence(0, 1, 80, 0, 2, 1000, 0);
        assertNotEquals(base, generator.initialSequence(1, 1, 80, 0, 2, 1000, 0));
        assertNotEquals(base, generator.initialSequence(0, 3, 80, 0, 2, 1000, 0));
        assertNotEquals(base, generator.initialSequence(0, 1, 81, 0, 2, 1000, 0));
        assertNotEquals(base, generator.initialSequence(0, 1, 80, 1, 2, 1000, 0));
        assertNotEquals(base, generator.initialSequence(0, 1, 80, 0, 3, 1000, 0));
        assertNotEquals(base, generator.initialSequence(0, 1, 80, 0, 2, 1001, 0));
        IsnGenerator other = new IsnGenerator(new SplittableRandom(2));
        assertNotEquals(base, other.initialSequence(0, 1, 80, 0, 2, 1000, 0));
    }

    @Test
    void hostsHaveTheirOwnTimestampOffset() {
        int base = generator.timestampOffset(0, 1, 0, 2);
        assertEquals(base, generator.timestampOffset(0, 1, 0, 2));
        assertNotEquals(base, generator.timestampOffset(0, 1, 0, 3));
        assertNotEquals(base, generator.timestampOffset(0, 2, 0, 1));
    }

    @Test
    void theTimestampClockCountsMilliseconds() {
        assertEquals(-1, IsnGenerator.timestampClock(-1));
        assertEquals(0, IsnGenerator.timestampClock(999_999));
        assertEquals(1, IsnGenerator.timestampClock(1_000_000));
    }
}
