package dev.millrace.stack.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SequenceNumberTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, -1, -2, Integer.MAX_VALUE, Integer.MIN_VALUE, 0x1234_5678})
    void ordersNumbersAcrossTheWrap(int number) {
        assertTrue(SequenceNumber.lt(number, number + 1));
        assertTrue(SequenceNumber.lt(number, number + Integer.MAX_VALUE));
        assertTrue(SequenceNumber.gt(number + 1, number));
        assertTrue(SequenceNumber.gt(number + (1 << 30), number));
        assertFalse(SequenceNumber.lt(number, number));
        assertFalse(SequenceNumber.gt(number, number));
        assertTrue(SequenceNumber.leq(number, number));
        assertTrue(SequenceNumber.geq(number, number));
        assertFalse(SequenceNumber.leq(number + 1, number));
        assertFalse(SequenceNumber.geq(number, number + 1));
        assertEquals(number + 5, SequenceNumber.max(number, number + 5));
        assertEquals(number + 5, SequenceNumber.max(number + 5, number));
        assertEquals(number, SequenceNumber.min(number, number + 5));
        assertEquals(number, SequenceNumber.min(number + 5, number));
        assertEquals(-7, SequenceNumber.difference(number, number + 7));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -3, Integer.MAX_VALUE - 1})
    void aWindowHoldsItsFirstNumberAndNotItsEnd(int from) {
        assertTrue(SequenceNumber.inWindow(from, from, 10));
        assertTrue(SequenceNumber.inWindow(from + 9, from, 10));
        assertFalse(SequenceNumber.inWindow(from + 10, from, 10));
        assertFalse(SequenceNumber.inWindow(from - 1, from, 10));
        assertFalse(SequenceNumber.inWindow(from, from, 0));
    }

    @Test
    void unwrapsToThePositionNearTheReference() {
        assertEquals(5_000_000_010L, SequenceNumber.unwrap(4, -6, 5_000_000_000L));
        assertEquals(4_999_999_990L, SequenceNumber.unwrap(-6, 4, 5_000_000_000L));
    }
}
