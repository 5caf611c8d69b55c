package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import org.jspecify.annotations.Nullable;

/**
 * Packets that wait for the hardware address of their next hop: {@link Neighbor#MAX_WAITING} for one neighbour at most, {@value #MAX_WAITING} in
 * all; beyond, the neighbour's oldest gives way (RFC 4861 §7.2.2). Core thread only.
 */
final class WaitingPackets {
    static final int MAX_WAITING = 256;

    private final NetworkInterface link;
    private final Counters counters;
    private int waiting;

    WaitingPackets(NetworkInterface link, Counters counters) {
        this.link = link;
        this.counters = counters;
    }

    /** Keeps a packet, or, while too many wait for others, gives it up. */
    void add(Neighbor neighbor, Packet packet) {
        if (neighbor.waitingCount == Neighbor.MAX_WAITING || (waiting >= MAX_WAITING && neighbor.waitingCount > 0)) {
            discard(poll(neighbor));
        } else if (waiting >= MAX_WAITING) {
            discard(packet);
            return;
        }
        @Nullable Packet[] queue = neighbor.waiting;
        if (queue == null) {
            queue = new @Nullable Packet[Neighbor.MAX_WAITING];
            neighbor.waiting = queue;
        }
        queue[neighbor.waitingCount++] = packet;
        waiting++;
    }

    /** Takes the oldest packet that waits for a neighbour, or null. */
    @Nullable
    Packet poll(Neighbor neighbor) {
        @Nullable Packet[] queue = neighbor.waiting;
        if (queue == null) {
            return null;
        }
        Packet oldest = queue[0];
        assert oldest != null : "a hole in the queue";
        System.arraycopy(queue, 1, queue, 0, neighbor.waitingCount - 1);
        queue[--neighbor.waitingCount] = null;
        waiting--;
        if (neighbor.waitingCount == 0) {
            neighbor.waiting = null;
        }
        return oldest;
    }

    /** Sends a packet that has waited, to the hardware address that is known now. */
    void send(Packet packet, Neighbor neighbor) {
        IpOutput.writeEthernet(packet, neighbor.mac, link, neighbor.isV4());
        link.enqueue(packet, Kind.CONTROL);
    }

    void release(Packet packet) {
        link.release(packet);
    }

    private void discard(@Nullable Packet packet) {
        assert packet != null : "nothing to discard";
        counters.increment(Counter.DROP_NEIGHBOR_QUEUE_FULL);
        link.release(packet);
    }
}
