package dev.millrace.io.impair;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One direction of one queue: frames go in, and come out later, elsewhere in the order, twice, damaged, or not at all. The same seed, frames and
 * clock give the same result.
 *
 * <p>Frames are copied, so that the port beneath gets its packets back at once. A heap ordered by time of arrival, then by rank, holds
 * what is under way. A reordered frame gets a rank behind its overtakers; when they do not come it is let go after {@link #PATIENCE_NS}.
 * One thread at a time.
 */
final class ImpairedLine implements AutoCloseable {
    private static final long PATIENCE_NS = 2_000_000;
    private static final int ETHERNET_HEADER_BYTES = 14;

    private final Impairment impairment;
    private final long firstPauseNs; // within each period
    private final RandomGenerator random;
    private final PacketPool pool;
    private final @Nullable Packet[] underWay;
    private final long[] dueNs;
    private final long[] rank;
    private int count;
    private @Nullable Packet held; // reordered, not yet overtaken by enough
    private int overtakersLeft;
    private long heldSinceNs;
    private long nextRank;
    private long lineFreeNs = Long.MIN_VALUE;
    private long lost;

    /** @param inbound its pauses begin with each period, those of the other direction in the middle */
    ImpairedLine(Impairment impairment, boolean inbound, RandomGenerator random, int packets, int capacity) {
        this.impairment = impairment;
        this.firstPauseNs = inbound ? 0 : Impairment.PAUSE_PERIOD_NS / 2;
        this.random = random;
        this.pool = new PacketPool(packets, capacity, 0);
        this.underWay = new @Nullable Packet[packets + 1];
        this.dueNs = new long[packets + 1];
        this.rank = new long[packets + 1];
    }

    /** Puts a frame on the line; it stays the caller's. */
    void put(Packet frame, long nowNs) {
        // every frame draws the same number of times, so that one event does not shift the rest of the run
        double loss = random.nextDouble();
        double duplicate = random.nextDouble();
        double corrupt = random.nextDouble();
        double reorder = random.nextDouble();
        double jitter = random.nextDouble();
        int bit = random.nextInt(1 << 30);
        if (loss < impairment.loss()) {
            lost++;
            return;
        }
        long due = afterPause(
                departure(frame.length, nowNs) + impairment.delayNs() + (long) (jitter * impairment.jitterNs()));
        Packet copy = copyOf(frame);
        if (copy == null) {
            return;
        }
        if (corrupt < impairment.corrupt() && copy.length > ETHERNET_HEADER_BYTES) {
            flip(copy, bit);
        }
        if (duplicate < impairment.duplicate()) {
            Packet twin = copyOf(copy);
            if (twin != null) {
                push(twin, due);
            }
        }
        if (reorder < impairment.reorder() && held == null) {
            held = copy;
            overtakersLeft = 1 + bit % Impairment.MAX_OVERTAKERS;
            heldSinceNs = due;
            return;
        }
        push(copy, due);
        if (held != null && --overtakersLeft == 0) {
            letGo(due);
        }
    }

    /** When the last bit of a frame has left, on a line of limited rate. */
    private long departure(int length, long nowNs) {
        if (impairment.bitsPerSecond() == 0) {
            return nowNs;
        }
        long start = Math.max(lineFreeNs, nowNs);
        lineFreeNs = start + length * 8L * 1_000_000_000L / impairment.bitsPerSecond();
        return lineFreeNs;
    }

    private long afterPause(long due) {
        long phase = Math.floorMod(due - firstPauseNs, Impairment.PAUSE_PERIOD_NS);
        return phase < impairment.pauseNs() ? due + impairment.pauseNs() - phase : due;
    }

    private @Nullable Packet copyOf(Packet frame) {
        Packet copy = pool.take(0);
        if (copy == null || copy.capacity < frame.length) {
            lost++; // the line is full, as a router's queue would be
            if (copy != null) {
                pool.give(copy);
            }
            return null;
        }
        Memory.copy(frame.address, copy.address, frame.length);
        copy.length = frame.length;
        copy.hash = frame.hash;
        copy.flags = frame.flags;
        return copy;
    }

    /** Behind the Ethernet header, where the receiver's checksums look. */
    private static void flip(Packet packet, int bit) {
        int at = ETHERNET_HEADER_BYTES + bit / 8 % (packet.length - ETHERNET_HEADER_BYTES);
        Memory.putByte(packet.address + at, Memory.getUnsignedByte(packet.address + at) ^ 1 << (bit & 7));
    }

    private void letGo(long due) {
        Packet packet = held;
        if (packet != null) {
            held = null;
            push(packet, due);
        }
    }

    /** The next frame that has arrived, or null; it stays on the line until {@link #remove}. */
    @Nullable
    Packet peek(long nowNs) {
        if (held != null && nowNs >= heldSinceNs + PATIENCE_NS) {
            letGo(nowNs);
        }
        return count > 0 && dueNs[0] <= nowNs ? underWay[0] : null;
    }

    /** Takes what {@link #peek} has shown; to be given back with {@link #recycle}. */
    Packet remove() {
        return pop();
    }

    /** Gives a frame back that was taken off the line. */
    void recycle(Packet packet) {
        pool.give(packet);
    }

    /** When {@link #peek} will next show something, Long.MAX_VALUE for never. */
    long nextDueNs() {
        long next = count > 0 ? dueNs[0] : Long.MAX_VALUE;
        return held != null ? Math.min(next, heldSinceNs + PATIENCE_NS) : next;
    }

    /** Frames lost here, on purpose or because the line was full. */
    long lost() {
        return lost;
    }

    // ---- the heap ----

    private void push(Packet packet, long due) {
        int at = count++;
        long order = nextRank++;
        while (at > 0 && isBefore(due, order, (at - 1) / 2)) {
            move((at - 1) / 2, at);
            at = (at - 1) / 2;
        }
        place(packet, due, order, at);
    }

    private Packet pop() {
        Packet first = underWay[0];
        assert first != null : "empty heap";
        count--;
        Packet last = underWay[count];
        long due = dueNs[count];
        long order = rank[count];
        underWay[count] = null;
        if (count > 0 && last != null) {
            int at = 0;
            for (int child = smallerChild(0); child < count && !isBefore(due, order, child); child = smallerChild(at)) {
                move(child, at);
                at = child;
            }
            place(last, due, order, at);
        }
        return first;
    }

    private int smallerChild(int at) {
        int left = 2 * at + 1;
        int right = left + 1;
        return right < count && isBefore(dueNs[right], rank[right], left) ? right : left;
    }

    private boolean isBefore(long due, long order, int other) {
        return due < dueNs[other] || due == dueNs[other] && order < rank[other];
    }

    private void move(int from, int to) {
        underWay[to] = underWay[from];
        dueNs[to] = dueNs[from];
        rank[to] = rank[from];
    }

    private void place(Packet packet, long due, long order, int at) {
        underWay[at] = packet;
        dueNs[at] = due;
        rank[at] = order;
    }

    @Override
    public void close() {
        pool.close();
    }
}
