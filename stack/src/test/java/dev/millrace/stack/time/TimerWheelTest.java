package dev.millrace.stack.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.millrace.stack.Rule;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimerWheelTest {
    private static final long MS = 1_000_000;
    private static final long SECOND = 1_000 * MS;
    private static final long TICK = 1L << TimerWheel.TICK_SHIFT;

    private static final TimerWheel.Timer NOTHING = now -> {};

    private final TimerWheel wheel = new TimerWheel();
    private final List<Long> fired = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 123_456_789_012_345L, -5_000_000_000_000L, Long.MAX_VALUE - 1_000 * SECOND})
    void firesNeverEarlyAndLessThanATickLate(long start) {
        wheel.poll(start);
        long[] delays = {1, TICK - 1, TICK, TICK + 1, MS, 40 * MS, 200 * MS, SECOND, 60 * SECOND, 300 * SECOND};
        for (long delay : delays) {
            wheel.schedule(fired::add, start + delay);
            assertEquals(0, wheel.poll(start + delay - 1 - (start + delay - 1 - start) % TICK), "early: " + delay);
            assertTrue(wheel.nextDeadlineNs() - start < delay + TICK, "told to sleep too long: " + delay);
            assertEquals(1, wheel.poll(start + delay + TICK - 1), "late: " + delay);
            start += delay + TICK;
        }
        assertEquals(delays.length, fired.size());
    }

    @Test
    void aTimerScheduledBeforeTheFirstPollFiresAtItsDeadline() {
        long start = 77 * SECOND;
        wheel.schedule(fired::add, start + 5 * SECOND);
        wheel.schedule(fired::add, start - SECOND);
        assertEquals(start - SECOND, wheel.nextDeadlineNs());
        assertEquals(1, wheel.poll(start));
        assertEquals(0, wheel.poll(start + 5 * SECOND - TICK));
        assertEquals(1, wheel.poll(start + 5 * SECOND + TICK));
    }

    @Test
    void aCancelledTimerDoesNotFire() {
        wheel.poll(0);
        long id = wheel.schedule(fired::add, MS);
        assertTrue(wheel.cancel(id));
        assertFalse(wheel.cancel(id));
        assertEquals(0, wheel.poll(SECOND));
        assertEquals(Long.MAX_VALUE, wheel.nextDeadlineNs());
    }

    @Test
    void anIdIsVoidOnceItsTimerHasFired() {
        wheel.poll(0);
        long first = wheel.schedule(fired::add, MS);
        wheel.poll(10 * MS);
        long second = wheel.schedule(fired::add, 20 * MS);
        assertNotEquals(first, second);
        assertFalse(wheel.cancel(first), "would cancel somebody else's timer");
        assertFalse(wheel.cancel(TimerWheel.NONE));
        assertEquals(1, wheel.size());
        assertTrue(wheel.cancel(second));
    }

    @Rule("tcp.md: long pause of the JVM (GC, stop-the-world, suspended host)")
    @Test
    void aLongPauseFiresEachTimerOnce() {
        wheel.poll(0);
        int[] count = {0};
        for (int i = 1; i <= 100; i++) {
            wheel.schedule(now -> count[0]++, i * SECOND);
        }
        assertEquals(100, wheel.poll(30L * 24 * 3600 * SECOND));
        assertEquals(100, count[0]);
        assertEquals(Long.MAX_VALUE, wheel.nextDeadlineNs());
    }

    @Test
    void aTimerRearmedInThePastFiresOncePerTickOfTheClock() {
        wheel.poll(0);
        TimerWheel.Timer[] self = new TimerWheel.Timer[1];
        self[0] = now -> {
            fired.add(now);
            wheel.schedule(self[0], 1);
        };
        wheel.schedule(self[0], 1);
        assertEquals(1, wheel.poll(SECOND));
        assertEquals(0, wheel.poll(SECOND), "same tick");
        assertEquals(1, wheel.poll(SECOND + TICK));
    }

    @Test
    void manyTimersOnOneTickFireOverSeveralPolls() {
        wheel.poll(0);
        int total = TimerWheel.MAX_FIRED_PER_POLL * 2 + 10;
        for (int i = 0; i < total; i++) {
            wheel.schedule(fired::add, MS);
        }
        assertEquals(TimerWheel.MAX_FIRED_PER_POLL, wheel.poll(2 * MS));
        assertTrue(wheel.nextDeadlineNs() <= 2 * MS, "the rest is due");
        assertEquals(TimerWheel.MAX_FIRED_PER_POLL, wheel.poll(2 * MS));
        assertEquals(10, wheel.poll(2 * MS));
        assertEquals(0, wheel.poll(2 * MS));
        assertEquals(total, fired.size());
    }

    @Test
    void timersFarAwayComeDownInPieces() {
        wheel.poll(0);
        int total = 20 * TimerWheel.SEGMENT;
        long[] ids = new long[total];
        for (int i = 0; i < total; i++) {
            ids[i] = wheel.schedule(fired::add, 20 * SECOND);
        }
        int pollsThatOnlyMove = 0;
        while (wheel.size() > total / 2) {
            int before = fired.size();
            wheel.poll(20 * SECOND + TICK);
            pollsThatOnlyMove += fired.size() == before ? 1 : 0;
            if (pollsThatOnlyMove == 3) {
                for (int i = 0; i < total / 2; i++) { // while they are neither here nor there
                    assertTrue(wheel.cancel(ids[i]));
                }
            }
            assertTrue(wheel.nextDeadlineNs() <= 20 * SECOND + TICK, "the rest is due");
        }
        assertTrue(pollsThatOnlyMove >= 3, "all at once is a pause of a peer's making");
        while (wheel.size() > 0) {
            wheel.poll(20 * SECOND + TICK);
        }
        assertEquals(total / 2, fired.size());
    }

    @Test
    void growingAllocatesOneSegmentAtATime() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        wheel.poll(0);
        long most = 0;
        for (int i = 0; i < 100 * TimerWheel.SEGMENT; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            wheel.schedule(NOTHING, SECOND);
            most = Math.max(most, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(most < 40L * TimerWheel.SEGMENT, "one call allocated " + most + " bytes");
    }

    @Test
    void aTimerMayCancelAnotherOfTheSameTick() {
        wheel.poll(0);
        long[] victim = new long[1];
        wheel.schedule(now -> assertTrue(wheel.cancel(victim[0])), MS);
        victim[0] = wheel.schedule(fired::add, MS);
        assertEquals(1, wheel.poll(3 * MS));
        assertEquals(0, fired.size());
    }

    @Test
    void aClockThatGoesBackFiresNothing() {
        wheel.poll(SECOND);
        wheel.schedule(fired::add, 2 * SECOND);
        assertEquals(0, wheel.poll(0));
        assertEquals(0, wheel.poll(2 * SECOND - TICK));
        assertEquals(1, wheel.poll(2 * SECOND + TICK));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void agreesWithANaiveListOfDeadlines(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        long now = random.nextLong(-1L << 40, 1L << 40);
        wheel.poll(now);
        int timers = 3_000;
        long[] deadlines = new long[timers];
        long[] ids = new long[timers];
        boolean[] pending = new boolean[timers];
        for (int number = 0; number < timers; number++) {
            int n = number;
            deadlines[n] = now + (random.nextLong() >>> random.nextInt(18, 62));
            pending[n] = true;
            ids[n] = wheel.schedule(
                    at -> {
                        assertTrue(pending[n], "fired twice or after being cancelled, seed " + seed);
                        assertTrue(deadlines[n] <= at, "early, seed " + seed);
                        pending[n] = false;
                    },
                    deadlines[n]);
            if (random.nextInt(4) == 0) {
                int victim = random.nextInt(n + 1);
                assertEquals(pending[victim], wheel.cancel(ids[victim]), "seed " + seed);
                pending[victim] = false;
            }
            if (random.nextInt(3) == 0) {
                now += random.nextLong() >>> random.nextInt(22, 50);
                do {
                    wheel.poll(now);
                } while (wheel.nextDeadlineNs() <= now);
                long earliest = Long.MAX_VALUE;
                int waiting = 0;
                for (int i = 0; i <= n; i++) {
                    if (pending[i]) {
                        waiting++;
                        earliest = Math.min(earliest, deadlines[i]);
                    }
                }
                assertTrue(earliest > now - TICK, "late, seed " + seed);
                assertEquals(waiting, wheel.size(), "seed " + seed);
                assertTrue(wheel.nextDeadlineNs() < earliest + TICK || waiting == 0, "seed " + seed);
            }
        }
    }
}
