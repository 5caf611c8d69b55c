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
 * Deadlines are rounded up to a tick: a timer never fires early, and less than a tick late. One thread. Allocates only while it grows, a segment of
 * {@value #SEGMENT} timers at a time: copying a million of them to a larger array would be a pause, and when that happens is for peers to say. For the
 * same reason one {@link #poll} redistributes so many at most.
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
    private static final int SEGMENT_BITS = 11;
    /** Timers allocated at a time, and redistributed by one {@link #poll} at most. */
    static final int SEGMENT = 1 << SEGMENT_BITS;

    /** Nodes. The first ones are list heads, one per slot; circular doubly linked lists through the others. */
    private static final class Segment {
        final int[] next = new int[SEGMENT];
        final int[] previous = new int[SEGMENT];
        final int[] generation = new int[SEGMENT];
        /** The tick at which a placed timer fires; the deadline in ns of one not placed yet. */
        final long[] due = new long[SEGMENT];

        final @Nullable Timer[] timers = new @Nullable Timer[SEGMENT];
    }

    private final long[] occupied = new long[LEVELS * WORDS];
    private @Nullable Segment[] segments = {new Segment()};
    private int free = -1;
    private int used = FIRST_NODE;
    private int size;
    /** The highest level whose timers for the current tick have not all been brought down yet; 0 for none. */
    private int redistributing;

    private boolean started;
    private long originNs;
    private long currentTick;
    private long polledTick;

    public TimerWheel() {
        assert FIRST_NODE <= SEGMENT : "the list heads take one segment";
        for (int head = 0; head < FIRST_NODE; head++) {
            next(head, head);
            previous(head, head);
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
        timer(node, timer);
        if (started) {
            place(node, Math.max(tickAtOrAfter(deadline), polledTick + 1));
        } else {
            due(node, deadline);
            append(UNPLACED, node);
        }
        size++;
        return (long) generation(node) << 32 | node;
    }

    /** False when it has fired, or was cancelled, before. */
    public boolean cancel(long id) {
        int node = (int) id;
        if (node < FIRST_NODE || node >= used || generation(node) != (int) (id >>> 32)) {
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
        int toMove = redistribute(SEGMENT);
        int fired = redistributing > 0 ? 0 : drain(nowNs, MAX_FIRED_PER_POLL);
        while (redistributing == 0 && fired < MAX_FIRED_PER_POLL && currentTick < polledTick) {
            long tick = nextOccupiedTick();
            if (tick > polledTick) {
                currentTick = polledTick;
                break;
            }
            redistributing = levelOf(tick ^ currentTick);
            currentTick = tick;
            toMove = redistribute(toMove);
            if (redistributing == 0) {
                fired += drain(nowNs, MAX_FIRED_PER_POLL - fired);
            }
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
            for (int node = next(UNPLACED); node != UNPLACED; node = next(node)) {
                earliest = Math.min(earliest, due(node));
            }
            return earliest;
        }
        int head = (int) currentTick & SLOTS - 1;
        boolean busy = redistributing > 0 || next(head) != head;
        long tick = busy ? currentTick : nextOccupiedTick();
        return originNs + (tick << TICK_SHIFT);
    }

    /** Timers waiting. */
    public int size() {
        return size;
    }

    private void start(long nowNs) {
        started = true;
        originNs = nowNs;
        while (next(UNPLACED) != UNPLACED) {
            int node = next(UNPLACED);
            unlink(node);
            place(node, Math.max(tickAtOrAfter(due(node)), currentTick));
        }
    }

    private long tickAtOrAfter(long deadline) {
        return deadline - originNs + (1L << TICK_SHIFT) - 1 >> TICK_SHIFT;
    }

    /**
     * Brings the timers of the slots that begin at the current tick down to where they belong now, at most {@code limit}; answers how many more may be
     * moved. None of those of this tick fires before all have been.
     */
    private int redistribute(int limit) {
        int left = limit;
        while (redistributing > 0) {
            int head = redistributing * SLOTS + ((int) (currentTick >>> redistributing * GROUP_BITS) & SLOTS - 1);
            for (int node = next(head); node != head; node = next(head)) {
                if (left == 0) {
                    return 0;
                }
                left--;
                unlink(node);
                place(node, due(node));
            }
            redistributing--;
        }
        return left;
    }

    private int drain(long nowNs, int limit) {
        int head = (int) currentTick & SLOTS - 1;
        int fired = 0;
        while (fired < limit && next(head) != head) {
            int node = next(head);
            Timer timer = timer(node);
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
        due(node, tick);
        int level = levelOf(tick ^ currentTick);
        int slot = (int) (tick >>> level * GROUP_BITS) & SLOTS - 1;
        occupied[level * WORDS + (slot >>> 6)] |= 1L << slot;
        append(level * SLOTS + slot, node);
    }

    private void append(int head, int node) {
        int last = previous(head);
        next(last, node);
        previous(node, last);
        next(node, head);
        previous(head, node);
    }

    private void unlink(int node) {
        int before = previous(node);
        int after = next(node);
        next(before, after);
        previous(after, before);
        if (before == after && before < UNPLACED) {
            occupied[before >>> 6] &= ~(1L << before);
        }
    }

    private int takeNode() {
        int node = free;
        if (node >= 0) {
            free = next(node);
            return node;
        }
        int segment = used >>> SEGMENT_BITS;
        if (segment == segments.length) {
            segments = Arrays.copyOf(segments, segment * 2); // references to segments: a few thousand at most
        }
        if (segments[segment] == null) {
            segments[segment] = new Segment();
        }
        return used++;
    }

    private void giveNode(int node) {
        timer(node, null);
        Segment segment = segmentOf(node);
        segment.generation[node & SEGMENT - 1]++; // ids handed out for this node are void from here on
        next(node, free);
        free = node;
        size--;
    }

    // ---- fields of nodes ----

    private Segment segmentOf(int node) {
        Segment segment = segments[node >>> SEGMENT_BITS];
        assert segment != null : "beyond the nodes in use";
        return segment;
    }

    private int next(int node) {
        return segmentOf(node).next[node & SEGMENT - 1];
    }

    private void next(int node, int other) {
        segmentOf(node).next[node & SEGMENT - 1] = other;
    }

    private int previous(int node) {
        return segmentOf(node).previous[node & SEGMENT - 1];
    }

    private void previous(int node, int other) {
        segmentOf(node).previous[node & SEGMENT - 1] = other;
    }

    private int generation(int node) {
        return segmentOf(node).generation[node & SEGMENT - 1];
    }

    private long due(int node) {
        return segmentOf(node).due[node & SEGMENT - 1];
    }

    private void due(int node, long tick) {
        segmentOf(node).due[node & SEGMENT - 1] = tick;
    }

    private @Nullable Timer timer(int node) {
        return segmentOf(node).timers[node & SEGMENT - 1];
    }

    private void timer(int node, @Nullable Timer timer) {
        segmentOf(node).timers[node & SEGMENT - 1] = timer;
    }
}
