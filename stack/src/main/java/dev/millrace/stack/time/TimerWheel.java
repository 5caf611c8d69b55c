package dev.millrace.stack.time;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Timers of one core: a hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7). Scheduling, cancelling and firing cost O(1)
 * each however many timers fall on the same instant, which peers may choose (a flood of SYNs, a burst of requests), so
 * a wheel with a scanned array per tick would be an attack surface.
 *
 * <p>Time is cut into ticks of 2¹⁷ ns (131 µs) counted from the first time seen. Level {@code L} has 256 slots; a timer stands on the
 * level of the highest group of eight bits in which its tick differs from the current one, so that the next occupied slot is found
 * by bit search, empty stretches are skipped however long they are (a paused JVM), and lower levels always come first:
 * <pre>
 *   level 2 |   slot spans 8.6 s   |
 *   level 1 |   33 ms each    |  ← redistributed when the current tick enters the slot
 *   level 0 | 131 µs |  ← fires
 * </pre>
 * Deadlines are rounded up to a tick: a timer never fires early, and less than a tick late. One thread. Allocates only while it grows.
 */
public final class TimerWheel {
    /** Called by {@link #poll} on the core's thread; may schedule and cancel timers. */
    @FunctionalInterface
    public interface Timer {
        void onTimer(long nowNs);
    }

    /** What {@link #schedule} never returns. */
    public static final long NONE = 0;

    public static final int TICK_SHIFT = 17;

    /** Timers fired by one {@link #poll} at most; the rest follow in the next, so that frames are not left waiting. */
    public static final int MAX_FIRED_PER_POLL = 256;

    private static final int GROUP_BITS = 8;
    private static final int SLOTS = 1 << GROUP_BITS;
    private static final int LEVELS = 6; // 48 bits of ticks; 63 − 17 are needed
    private static final int WORDS = SLOTS / 64;
    /** List of timers scheduled before the first poll told the time. */
    private static final int UNPLACED = LEVELS * SLOTS;

    private static final int FIRST_NODE = UNPLACED + 1;

    private final long[] occupied = new long[LEVELS * WORDS];

    // Nodes. The first ones are list heads, one per slot; circular doubly linked lists through the others.
    private int[] next;
    private int[] previous;
    private int[] generation;
    /** The tick at which a placed timer fires; the deadline in ns of one not placed yet. */
    private long[] due;

    private @Nullable Timer[] timers;
    private int free = -1;
    private int used = FIRST_NODE;
    private int size;

    private boolean started;
    private long originNs;
    private long currentTick;
    private long polledTick;

    public TimerWheel() {
        int nodes = FIRST_NODE + 64;
        next = new int[nodes];
        previous = new int[nodes];
        generation = new int[nodes];
        due = new long[nodes];
        timers = new @Nullable Timer[nodes];
        for (int head = 0; head < FIRST_NODE; head++) {
            next[head] = head;
            previous[head] = head;
        }
    }

    /**
     * Fires once, at the first {@link #poll} whose time has reached the deadline; a deadline in the past fires with the next poll that
     * enters a new tick.
     *
     * @return an id for {@link #cancel}, never {@link #NONE}
     */
    public long schedule(Timer timer, long deadline) {
        int node = takeNode();
        timers[node] = timer;
        if (started) {
            place(node, Math.max(tickAtOrAfter(deadline), polledTick + 1));
        } else {
            due[node] = deadline;
            append(UNPLACED, node);
        }
        size++;
        return (long) generation[node] << 32 | node;
    }

    /** False when it has fired, or was cancelled, before. */
    public boolean cancel(long id) {
        int node = (int) id;
        if (node < FIRST_NODE || node >= used || generation[node] != (int) (id >>> 32)) {
            return false;
        }
        unlink(node);
        giveNode(node);
        return true;
    }

    /**
     * Fires what is due, at most {@link #MAX_FIRED_PER_POLL}.
     *
     * @return timers fired
     */
    public int poll(long nowNs) {
        if (!started) {
            start(nowNs);
        }
        long nowTick = nowNs - originNs >> TICK_SHIFT;
        if (nowTick > polledTick) {
            polledTick = nowTick;
        }
        int fired = drain(nowNs, MAX_FIRED_PER_POLL);
        while (fired < MAX_FIRED_PER_POLL && currentTick < polledTick) {
            long tick = nextOccupiedTick();
            if (tick > polledTick) {
                currentTick = polledTick;
                break;
            }
            enter(tick);
            fired += drain(nowNs, MAX_FIRED_PER_POLL - fired);
        }
        return fired;
    }

    /**
     * When {@link #poll} next has something to do; {@link Long#MAX_VALUE} when there is no timer. Never later than the first tick at which
     * a timer may fire; earlier, at most once per level, when timers far away must be redistributed.
     */
    public long nextDeadlineNs() {
        if (size == 0) {
            return Long.MAX_VALUE;
        }
        if (!started) {
            long earliest = Long.MAX_VALUE;
            for (int node = next[UNPLACED]; node != UNPLACED; node = next[node]) {
                earliest = Math.min(earliest, due[node]);
            }
            return earliest;
        }
        int head = (int) currentTick & SLOTS - 1;
        long tick = next[head] != head ? currentTick : nextOccupiedTick();
        return originNs + (tick << TICK_SHIFT);
    }

    /** Timers waiting. */
    public int size() {
        return size;
    }

    private void start(long nowNs) {
        started = true;
        originNs = nowNs;
        while (next[UNPLACED] != UNPLACED) {
            int node = next[UNPLACED];
            unlink(node);
            place(node, Math.max(tickAtOrAfter(due[node]), currentTick));
        }
    }

    private long tickAtOrAfter(long deadline) {
        return deadline - originNs + (1L << TICK_SHIFT) - 1 >> TICK_SHIFT;
    }

    /** Makes {@code tick} current and brings the timers of the slot that begins there down to where they belong now. */
    private void enter(long tick) {
        long differing = tick ^ currentTick;
        currentTick = tick;
        for (int level = levelOf(differing); level > 0; level--) {
            int head = level * SLOTS + ((int) (tick >>> level * GROUP_BITS) & SLOTS - 1);
            while (next[head] != head) {
                int node = next[head];
                unlink(node);
                place(node, due[node]);
            }
        }
    }

    private int drain(long nowNs, int limit) {
        int head = (int) currentTick & SLOTS - 1;
        int fired = 0;
        while (fired < limit && next[head] != head) {
            int node = next[head];
            Timer timer = timers[node];
            assert timer != null : "a free node in a slot";
            unlink(node);
            giveNode(node);
            fired++;
            timer.onTimer(nowNs);
        }
        return fired;
    }

    private static int levelOf(long differing) {
        return differing == 0 ? 0 : (63 - Long.numberOfLeadingZeros(differing)) / GROUP_BITS;
    }

    /** The first tick after the current one at which a slot begins that holds timers; Long.MAX_VALUE when there is none. */
    private long nextOccupiedTick() {
        for (int level = 0; level < LEVELS; level++) {
            int shift = level * GROUP_BITS;
            int slot = nextOccupiedSlot(level, (int) (currentTick >>> shift) & SLOTS - 1);
            if (slot >= 0) {
                long above = currentTick >>> shift + GROUP_BITS;
                return (above << GROUP_BITS | slot) << shift;
            }
        }
        return Long.MAX_VALUE;
    }

    private int nextOccupiedSlot(int level, int after) {
        int from = after + 1;
        if (from == SLOTS) {
            return -1;
        }
        int word = from >>> 6;
        long bits = occupied[level * WORDS + word] & -1L << from;
        while (bits == 0) {
            if (++word == WORDS) {
                return -1;
            }
            bits = occupied[level * WORDS + word];
        }
        return (word << 6) + Long.numberOfTrailingZeros(bits);
    }

    private void place(int node, long tick) {
        assert tick >= currentTick : "behind the wheel";
        due[node] = tick;
        int level = levelOf(tick ^ currentTick);
        int slot = (int) (tick >>> level * GROUP_BITS) & SLOTS - 1;
        occupied[level * WORDS + (slot >>> 6)] |= 1L << slot;
        append(level * SLOTS + slot, node);
    }

    private void append(int head, int node) {
        int last = previous[head];
        next[last] = node;
        previous[node] = last;
        next[node] = head;
        previous[head] = node;
    }

    private void unlink(int node) {
        int before = previous[node];
        int after = next[node];
        next[before] = after;
        previous[after] = before;
        if (before == after && before < UNPLACED) {
            occupied[before >>> 6] &= ~(1L << before);
        }
    }

    private int takeNode() {
        int node = free;
        if (node >= 0) {
            free = next[node];
            return node;
        }
        if (used == next.length) {
            int wider = used * 2;
            next = Arrays.copyOf(next, wider);
            previous = Arrays.copyOf(previous, wider);
            generation = Arrays.copyOf(generation, wider);
            due = Arrays.copyOf(due, wider);
            timers = Arrays.copyOf(timers, wider);
        }
        return used++;
    }

    private void giveNode(int node) {
        timers[node] = null;
        generation[node]++; // ids handed out for this node are void from here on
        next[node] = free;
        free = node;
        size--;
    }
}
