package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SentSegmentsTest {
    private final SegmentLogPool pool = new SegmentLogPool();
    private final SentSegments log = new SentSegments(pool);
    private final DeliveryRate rate = new DeliveryRate();

    private void send(int segments, int bytes, long nowNs) {
        for (int i = 0; i < segments; i++) {
            log.append(log.end() + bytes, nowNs, rate);
        }
    }

    @Test
    void thePipeIsWhatIsNeitherSackedNorLostPlusWhatWasSentAgain() {
        send(10, 100, 0);
        assertEquals(1000, log.pipe());
        log.markSacked(3);
        assertEquals(900, log.pipe());
        assertEquals(100, log.markLost(0));
        assertEquals(800, log.pipe());
        log.onRetransmitted(0, 5, rate);
        assertEquals(900, log.pipe());
        assertEquals(100, log.markLost(0), "the retransmission is lost as well");
        assertEquals(0, log.markLost(0));
        assertEquals(800, log.pipe());
        log.onRetransmitted(0, 9, rate);
        log.removeFirst();
        assertEquals(800, log.pipe());
        assertEquals(0, log.lostBytes() + log.retransmittedBytes());
    }

    @Test
    void aPartlyAcknowledgedSegmentCountsForWhatIsLeft() {
        send(2, 100, 0);
        log.markLost(0);
        log.onRetransmitted(0, 1, rate);
        assertEquals(30, log.trim(30));
        assertEquals(70, log.bytes(0));
        assertEquals(170, log.pipe());
        assertEquals(30, log.start(0));
    }

    @Test
    void lostSegmentsGoOutInSequenceOrderHoweverTheyWereFound() {
        send(8, 100, 0);
        for (int number : new int[] {5, 2, 7, 3, 6, 0}) {
            log.markLost(number);
        }
        List<Long> order = new ArrayList<>();
        for (long number = log.firstLost(); number != SentSegments.NONE; number = log.firstLost()) {
            order.add(number);
            log.onRetransmitted(number, 1, rate);
        }
        assertEquals(List.of(0L, 2L, 3L, 5L, 6L, 7L), order);
    }

    @Test
    void theOneOutForLongestIsTheOneNotSentAgain() {
        send(3, 100, 0);
        log.onRetransmitted(0, 1, rate);
        assertEquals(1, log.longestOut());
        log.markSacked(1);
        log.markLost(2);
        assertEquals(0, log.longestOut());
    }

    @Test
    void forgettingLossesPutsThemBackInFront() {
        send(6, 100, 0);
        log.markLost(1);
        log.markLost(2);
        log.markLost(0);
        log.onRetransmitted(0, 1, rate);
        log.forgetLosses();
        assertEquals(1, log.longestOut());
        assertEquals(SentSegments.NONE, log.firstLost());
        assertEquals(700, log.pipe(), "the retransmission is out, and so is its original");
        assertTrue(log.isConsistent());
    }

    @Test
    void anIdleConnectionHoldsNoMemoryAndGetsTheSameBack() {
        long[] array = pool.take(SegmentLogPool.MIN_ENTRIES);
        pool.give(array);
        send(1, 100, 0);
        long[] other = pool.take(SegmentLogPool.MIN_ENTRIES);
        assertNotSame(array, other, "in use");
        log.removeFirst();
        assertSame(array, pool.take(SegmentLogPool.MIN_ENTRIES));
        assertTrue(log.isEmpty());
        assertEquals(100, log.end());
    }

    @Test
    void thereIsABound() {
        send(SegmentLogPool.MAX_ENTRIES, 1, 0);
        assertTrue(log.isFull());
        log.removeFirst();
        assertFalse(log.isFull());
    }

    /** Blocks that repeat everything known, as a peer may send without end: the run is skipped, not walked. */
    @Test
    void aLongRunOfSackedSegmentsIsSkipped() {
        send(SegmentLogPool.MAX_ENTRIES, 1, 0);
        for (long number = 1; number < SegmentLogPool.MAX_ENTRIES - 1; number++) {
            log.markSacked(number);
        }
        long startNs = System.nanoTime();
        for (int i = 0; i < 1_000_000; i++) {
            assertEquals(SegmentLogPool.MAX_ENTRIES - 1, log.nextNotSacked(1 + i % 100));
        }
        // a walk would take 30 ms each, eight hours in all
        assertTrue(System.nanoTime() - startNs < 60_000_000_000L);
    }

    /** What the log is, without any of its short cuts. */
    private static final class Model {
        long end;
        long sentNs;
        boolean sacked;
        boolean lost;
        boolean retransmitted;

        Model(long end, long sentNs) {
            this.end = end;
            this.sentNs = sentNs;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void agreesWithAPlainList(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Model> model = new ArrayList<>();
        long una = 0;
        long nowNs = 0;
        for (int step = 0; step < 3_000; step++) {
            nowNs++;
            int what = random.nextInt(12);
            int at = model.isEmpty() ? 0 : random.nextInt(model.size());
            long number = log.first() + at;
            if (what < 4 || model.isEmpty()) {
                long end = log.end() + 1 + random.nextInt(100);
                model.add(new Model(end, nowNs));
                log.append(end, nowNs, rate);
            } else if (what == 4) {
                una = model.removeFirst().end;
                log.removeFirst();
            } else if (what == 5) {
                long trimmed = una + random.nextLong(model.getFirst().end - una);
                log.trim(trimmed);
                una = trimmed;
            } else if (what < 8 && !model.get(at).sacked) {
                model.get(at).sacked = true;
                model.get(at).lost = false;
                model.get(at).retransmitted = false;
                log.markSacked(number);
            } else if (what < 10 && !model.get(at).sacked) {
                model.get(at).lost = true;
                model.get(at).retransmitted = false;
                log.markLost(number);
            } else if (what == 10 && !model.get(at).sacked) {
                model.get(at).retransmitted = true;
                model.get(at).sentNs = nowNs;
                log.onRetransmitted(number, nowNs, rate);
            } else if (what == 11 && random.nextInt(50) == 0) {
                model.forEach(entry -> entry.sacked = false);
                log.forgetSacks();
            }
            compare(model, una, "seed " + seed + " step " + step);
        }
    }

    private void compare(List<Model> model, long una, String at) {
        assertTrue(log.isConsistent(), at);
        long sacked = 0;
        long lost = 0;
        long retransmitted = 0;
        long start = una;
        for (int i = 0; i < model.size(); i++) {
            Model entry = model.get(i);
            long bytes = entry.end - start;
            assertEquals(start, log.start(log.first() + i), at);
            sacked += entry.sacked ? bytes : 0;
            lost += entry.lost ? bytes : 0;
            retransmitted += entry.retransmitted ? bytes : 0;
            assertEquals(log.first() + i, log.firstEndingAfter(start), at);
            start = entry.end;
        }
        assertEquals(start, log.end(), at);
        assertEquals(sacked, log.sackedBytes(), at);
        assertEquals(lost, log.lostBytes(), at);
        assertEquals(start - una - sacked - lost + retransmitted, log.pipe(), at);
        int first = firstIndex(model, entry -> entry.lost && !entry.retransmitted);
        assertEquals(first < 0 ? SentSegments.NONE : log.first() + first, log.firstLost(), at);
        for (int i = 0; i < model.size(); i++) {
            int from = i;
            int found = from;
            while (found < model.size() && model.get(found).sacked) {
                found++;
            }
            assertEquals(log.first() + found, log.nextNotSacked(log.first() + from), at);
        }
        if (model.stream().noneMatch(entry -> entry.sacked)) {
            return;
        }
        model.stream()
                .filter(entry -> !entry.sacked && !(entry.lost && !entry.retransmitted))
                .min(Comparator.comparingLong(entry -> entry.sentNs))
                .ifPresent(oldest -> assertTrue(log.longestOut() != SentSegments.NONE, at));
    }

    private static int firstIndex(List<Model> model, java.util.function.Predicate<Model> is) {
        for (int i = 0; i < model.size(); i++) {
            if (is.test(model.get(i))) {
                return i;
            }
        }
        return -1;
    }
}
