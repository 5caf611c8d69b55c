package dev.millrace.io.distribute;

import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;

/**
 * Shows address resolution to every shard on a port that spreads flows over its queues itself.
 *
 * <p>Receive-side scaling hashes flows; ARP and IPv6 neighbour discovery have none, so the device puts them on one queue, and only that shard's neighbour
 * cache would learn from them. The queue that gets such a frame gives each other one a copy. Everything else stays where the device has put it, and sending is the port's own.
 */
public final class NeighborSharingPort implements Port {
    /** Copies that may wait for a shard; one that is slower loses them, as a full ring would. */
    static final int WAITING = 64;

    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int VLAN_TAG_BYTES = 4;

    private final Port inner;
    private final NeighborSharingQueue[] queues;
    private boolean closed;

    /** @param inner has at least two queues, each used by one shard */
    public NeighborSharingPort(Port inner) {
        if (inner.queues() < 2) {
            throw new IllegalArgumentException("nobody to share with on a port with one queue");
        }
        this.inner = inner;
        this.queues = new NeighborSharingQueue[inner.queues()];
        int frameBytes = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + inner.mtu();
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new NeighborSharingQueue(i, inner.rx(i), queues, WAITING, frameBytes);
        }
    }

    @Override
    public String name() {
        return inner.name();
    }

    @Override
    public long mac() {
        return inner.mac();
    }

    @Override
    public int mtu() {
        return inner.mtu();
    }

    @Override
    public PortCapabilities capabilities() {
        return inner.capabilities();
    }

    @Override
    public int queues() {
        return queues.length;
    }

    @Override
    public RxQueue rx(int queue) {
        return queues[queue];
    }

    @Override
    public TxQueue tx(int queue) {
        return inner.tx(queue);
    }

    @Override
    public boolean linkUp() {
        return inner.linkUp();
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
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        inner.close();
        for (NeighborSharingQueue queue : queues) {
            queue.close();
        }
    }
}
