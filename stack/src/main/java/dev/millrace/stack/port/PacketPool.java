package dev.millrace.stack.port;

import dev.millrace.stack.memory.Packet;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The packets of one queue whose frames live in our own memory: a bounded free list, last in first out so that the buffers in use stay in the
 * cache. Buffers are reserved in slabs as they are first needed.
 *
 * <p>The home thread (whoever uses the queue) takes and gives; packets that travelled to another core come back through a many-to-one
 * queue, which the home thread empties only when its own list has run out.
 */
public final class PacketPool implements AutoCloseable {
    private static final int MAX_PACKETS_PER_SLAB = 32;
    /** Whoever needs the first packet of a slab waits while its memory is cleared. */
    private static final int MAX_SLAB_BYTES = 1 << 18;

    private static final int CACHE_LINE = 64;

    private final Arena arena = Arena.ofShared();
    private final int packets;
    private final int capacity;
    private final long mark;
    private final @Nullable Packet[] free;
    private final MpscVarHandleArrayQueue<Packet> returned;
    private int freeCount;
    private int created;

    /**
     * @param packets limit of packets in existence
     * @param capacity bytes of each, rounded up to whole cache lines
     * @param mark put into {@link Packet#handle} of every packet, so that a receiver knows where it belongs
     */
    public PacketPool(int packets, int capacity, long mark) {
        this.packets = packets;
        this.capacity = (capacity + CACHE_LINE - 1) & -CACHE_LINE;
        this.mark = mark;
        this.free = new @Nullable Packet[packets];
        this.returned = new MpscVarHandleArrayQueue<>(packets);
    }

    /** A packet with {@code headroom} bytes reserved, or null when all are in use. Home thread. */
    public @Nullable Packet take(int headroom) {
        if (freeCount == 0 && !refill()) {
            return null;
        }
        Packet packet = free[--freeCount];
        assert packet != null : "hole in the free list";
        packet.reset(headroom);
        return packet;
    }

    /** Gives a packet back. Home thread. */
    public void give(Packet packet) {
        assert packet.handle == mark : "packet of another pool";
        free[freeCount++] = packet;
    }

    /** Gives a packet back. Any thread. */
    public void giveFromAfar(Packet packet) {
        boolean taken = returned.offer(packet);
        assert taken : "more packets returned than were made";
    }

    private boolean refill() {
        Packet packet = returned.relaxedPoll();
        while (packet != null) {
            free[freeCount++] = packet;
            packet = returned.relaxedPoll();
        }
        return freeCount > 0 || grow();
    }

    private boolean grow() {
        int count = Math.min(Math.clamp(MAX_SLAB_BYTES / capacity, 1, MAX_PACKETS_PER_SLAB), packets - created);
        if (count == 0) {
            return false;
        }
        MemorySegment slab = arena.allocate((long) count * capacity, CACHE_LINE);
        for (int i = count - 1; i >= 0; i--) {
            Packet packet = new Packet(slab.address() + (long) i * capacity, capacity);
            packet.handle = mark;
            free[freeCount++] = packet;
        }
        created += count;
        return true;
    }

    /** Packets taken and not yet given back; a packet on its way back through another core counts. Home thread. */
    public int inUse() {
        return created - freeCount - returned.size();
    }

    /** Frees the memory; no packet may be used afterwards. */
    @Override
    public void close() {
        arena.close();
    }
}
