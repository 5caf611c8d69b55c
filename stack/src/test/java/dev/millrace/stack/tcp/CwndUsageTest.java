package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** RFC 7661 §4.1: only a window that is used may grow. */
class CwndUsageTest {
    private final CwndUsage usage = new CwndUsage();

    @Test
    void aFlightThatFilledTheWindowCountsUntilItIsAcknowledged() {
        usage.onTransmitted(true, 10_000, 0, 10_000);
        for (long una = 1_000; una < 10_000; una += 1_000) {
            usage.onTransmitted(false, 10_000 - una, una, 10_000); // nothing more to send
            assertTrue(usage.isLimited(10_000, 5_000), "at " + una);
        }
        usage.onTransmitted(false, 0, 10_000, 10_000);
        assertFalse(usage.isLimited(10_000, 5_000));
    }

    @Test
    void anApplicationThatSendsLittleIsNotLimited() {
        usage.onTransmitted(false, 2_000, 0, 2_000);
        assertFalse(usage.isLimited(10_000, 5_000));
    }

    @Test
    void aWindowMoreThanHalfUsedCountsInSlowStartOnly() {
        usage.onTransmitted(false, 5_000, 0, 5_000);
        assertTrue(usage.isLimited(9_999, Long.MAX_VALUE));
        assertFalse(usage.isLimited(9_999, 9_999));
        assertFalse(usage.isLimited(10_000, Long.MAX_VALUE));
    }

    @Test
    void aWindowNotFilledForATimeoutIsUnusedOncePerTimeout() {
        assertFalse(usage.isUnused(true, 10_000, 0, 200));
        assertFalse(usage.isUnused(false, 4_000, 100, 200));
        assertFalse(usage.isUnused(false, 1_000, 199, 200));
        assertTrue(usage.isUnused(false, 2_000, 200, 200));
        assertEquals(4_000, usage.takeUsedBytes(200));
        assertFalse(usage.isUnused(false, 2_000, 399, 200));
        assertTrue(usage.isUnused(false, 1_000, 400, 200));
        assertEquals(2_000, usage.takeUsedBytes(400));
        assertFalse(usage.isUnused(true, 9_000, 500, 200));
        assertFalse(usage.isUnused(false, 1_000, 699, 200));
    }
}
