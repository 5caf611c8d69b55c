package dev.millrace.stack.ip;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

@Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
class NeighborTableTest {
    private static final long MAC = 0x02_00_00_00_00_01L;

    private final NeighborTable table = new NeighborTable(new SplittableRandom(7).nextLong() | 1);
    private final List<Neighbor> entries = new ArrayList<>();

    private Neighbor add(NeighborState state) {
        Neighbor neighbor = table.add(0, 1000 + entries.size(), 0);
        neighbor.state = state;
        table.touch(neighbor);
        entries.add(neighbor);
        return neighbor;
    }

    private void fill(NeighborState state) {
        while (!table.isFull()) {
            add(state);
        }
    }

    private Neighbor evict() {
        Neighbor victim = table.leastValuable(0);
        table.remove(victim);
        return victim;
    }

    @Test
    void thoseNeverSentToGoFirstThenThoseThatDoNotAnswerThenTheLongestUnused() {
        Neighbor known = add(NeighborState.STALE);
        Neighbor used = add(NeighborState.STALE);
        Neighbor unanswered = add(NeighborState.INCOMPLETE);
        Neighbor later = add(NeighborState.INCOMPLETE);
        Neighbor passive = add(NeighborState.STALE);
        table.passive(passive, MAC);
        table.touch(known);
        table.touch(unanswered);
        assertSame(passive, evict());
        assertSame(later, evict());
        assertSame(unanswered, evict());
        assertSame(used, evict());
        assertSame(known, evict());
        assertEquals(0, table.size());
    }

    @Test
    void whoWasConfirmedLatelyIsPassedOver() {
        Neighbor reachable = add(NeighborState.REACHABLE);
        reachable.reachableUntilNs = 1;
        Neighbor stale = add(NeighborState.STALE);
        assertSame(stale, table.leastValuable(0));
    }

    @Test
    void aTableOfNeighboursInUseStillTakesANewOne() {
        fill(NeighborState.REACHABLE);
        entries.forEach(each -> each.reachableUntilNs = 1);
        assertNotNull(evict());
        assertFalse(table.isFull());
    }

    @Test
    void gatewaysNeverGo() {
        Neighbor gateway = add(NeighborState.STALE);
        gateway.pinned = true;
        table.touch(gateway);
        fill(NeighborState.STALE);
        while (table.size() > 1) {
            assertTrue(evict() != gateway);
        }
        assertSame(gateway, table.find(0, gateway.low));
    }

    @Test
    void oneHardwareAddressFillsNoMoreThanItsShare() {
        for (int i = 0; i < NeighborTable.MAX_PASSIVE_PER_MAC; i++) {
            assertFalse(table.isExhausted(MAC));
            table.passive(add(NeighborState.STALE), MAC);
        }
        assertTrue(table.isExhausted(MAC));
        table.active(entries.getFirst());
        assertFalse(table.isExhausted(MAC), "something was sent to one of them");
        table.passive(add(NeighborState.STALE), MAC);
        table.remove(entries.getLast());
        assertFalse(table.isExhausted(MAC), "one of them is gone");
    }

    @Test
    void everyEntryIsFoundWhateverWasRemoved() {
        fill(NeighborState.STALE);
        SplittableRandom random = new SplittableRandom(11);
        while (!entries.isEmpty()) {
            Neighbor gone = entries.remove(random.nextInt(entries.size()));
            table.remove(gone);
            assertNull(table.find(0, gone.low));
            for (int i = 0; i < Math.min(3, entries.size()); i++) {
                Neighbor there = entries.get(random.nextInt(entries.size()));
                assertSame(there, table.find(0, there.low));
            }
            assertEquals(entries.size(), table.size());
        }
    }
}
