package dev.millrace.io.distribute;

import dev.millrace.io.PortDecorator;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;

/**
 * Shows address resolution to every shard on a port that spreads flows over its queues itself.
 *
 * <p>Receive-side scaling hashes flows; ARP and IPv6 neighbour discovery have none, so the device puts them on one queue, and only that shard's neighbour
 * cache would learn from them. The queue that gets such a frame gives each other one a copy. Everything else stays where the device has put it, and sending is the port's own.
 */
public final class NeighborSharingPort extends PortDecorator {
    /** Copies that may wait for a shard; one that is slower loses them, as a full ring would. */
    static final int WAITING = 64;

    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int VLAN_TAG_BYTES = 4;

    private final NeighborSharingQueue[] queues;

    /** @param inner has at least two queues, each used by one shard */
    public NeighborSharingPort(Port inner) {
        super(inner);
        if (inner.queues() < 2) {
            throw new IllegalArgumentException("nobody to share with on a port with one queue");
        }
        this.queues = new NeighborSharingQueue[inner.queues()];
        int frameBytes = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + inner.mtu();
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new NeighborSharingQueue(i, inner.rx(i), queues, WAITING, frameBytes);
        }
    }

    @Override
    public RxQueue rx(int queue) {
        return queues[queue];
    }

    /** Copies that found no room count as dropped. */
    @Override
    public PortStatistics statistics() {
        PortStatistics beneath = inner.statistics();
        long dropped = beneath.rxDropped();
        for (NeighborSharingQueue queue : queues) {
            dropped += queue.dropped();
        }
        return new PortStatistics(dropped, beneath.rxErrors(), beneath.txDropped());
    }

    /** Copies made by {@code queue} that have not come home. The queue's thread. */
    int copiesAbroad(int queue) {
        return queues[queue].copiesAbroad();
    }

    @Override
    protected void closeOwn() {
        for (NeighborSharingQueue queue : queues) {
            queue.close();
        }
    }
}
