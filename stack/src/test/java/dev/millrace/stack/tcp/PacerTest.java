package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PacerTest {
    private static final long MS = 1_000_000;
    /** A packet of 1500 bytes takes 1 ms. */
    private static final long RATE = 1_500_000;

    private final Pacer pacer = new Pacer();

    private int burst(long nowNs) {
        int sent = 0;
        while (pacer.permits(nowNs)) {
            pacer.onSent(1500, RATE, nowNs);
            sent++;
        }
        return sent;
    }

    @Test
    void segmentsLeaveAtTheRate() {
        long now = 7;
        int sent = burst(now);
        assertEquals(2, sent, "with the credit");
        for (int i = 0; i < 100; i++) {
            now = pacer.permittedNs();
            sent += burst(now);
        }
        assertEquals(102, sent);
        assertEquals(100 * MS + MS / 2, now - 7);
    }

    @Test
    void beingIdleEarnsNoMoreThanTheCredit() {
        assertEquals(2, burst(0));
        assertEquals(2, burst(3_600_000 * MS));
    }

    @Test
    void aTimerThatFiresLateCostsNothing() {
        long now = 0;
        int sent = burst(now);
        for (int i = 0; i < 100; i++) {
            now = pacer.permittedNs() + Pacer.CREDIT_NS;
            sent += burst(now);
        }
        assertTrue(Math.abs(sent - now / MS) <= 2, sent + " in " + now / MS + " ms");
    }

    @Test
    void atHighRatesWhatFallsIntoAQuantumLeavesTogether() {
        long rate = 1_500_000_000; // 1 µs each
        int sent = 0;
        while (pacer.permits(0)) {
            pacer.onSent(1500, rate, 0);
            sent++;
        }
        assertEquals((Pacer.QUANTUM_NS + Pacer.CREDIT_NS) / 1000 + 1, sent);
        assertFalse(pacer.permits(0));
        assertTrue(pacer.permits(pacer.permittedNs()));
    }

    @Test
    void withoutARateNothingIsHeldBack() {
        for (int i = 0; i < 10_000; i++) {
            pacer.onSent(65_535, Pacer.UNPACED, 0);
        }
        assertTrue(pacer.permits(0));
    }
}
