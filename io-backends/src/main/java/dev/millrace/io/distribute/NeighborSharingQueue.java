package dev.millrace.io.distribute;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.wire.FlowSteering;

/**
 * One queue of a {@link NeighborSharingPort}: the device's own, and an inbox that the other queues fill with copies.
 *
 * <p>A burst is either copies or the device's frames, so that {@link #release} knows whose they are; the two take turns, so that a flood of address resolution
 * does not starve the flows. A copy goes home to the pool of the queue that made it, which its handle names.
 *
 * <p>No wake is lost: a sharer fills the inbox and then wakes the device's queue, whose wake ends the current or the next sleep; a sleeper looks at the inbox first.
 */
final class NeighborSharingQueue implements RxQueue {
    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int IPV6_HEADER_BYTES = 40;
    private static final int TYPE_ARP = 0x0806;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int NEXT_HEADER_OFFSET = ETHERNET_HEADER_BYTES + 6;
    private static final int TCP = 6;
    private static final int UDP = 17;

    private final int index;
    private final RxQueue device;
    private final NeighborSharingQueue[] all;
    private final PacketPool shared; // for frames that this queue shares; handle = index
    private final Inbox inbox;
    private boolean copies; // the last burst came from the inbox

    /**
     * @param waiting copies that may wait here; the pool has enough for every other queue to hold twice as many, waiting and being processed, so that a slow one
     *     does not take those of the rest
     */
    NeighborSharingQueue(int index, RxQueue device, NeighborSharingQueue[] all, int waiting, int frameBytes) {
        this.index = index;
        this.device = device;
        this.all = all;
        this.shared = new PacketPool(2 * waiting * (all.length - 1), frameBytes, index);
        this.inbox = new Inbox(waiting);
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        boolean devicesTurn = copies;
        int count = devicesTurn ? receiveAndShare(into, max) : takeCopies(into, max);
        if (count > 0) {
            return count;
        }
        return devicesTurn ? takeCopies(into, max) : receiveAndShare(into, max);
    }

    private int takeCopies(Packet[] into, int max) {
        int count = inbox.take(into, max);
        copies = count > 0;
        return count;
    }

    private int receiveAndShare(Packet[] into, int max) {
        copies = false;
        int count = device.receive(into, max);
        boolean any = false;
        for (int i = 0; i < count; i++) {
            if (concernsEveryShard(into[i])) {
                share(into[i]);
                any = true;
            }
        }
        if (any) {
            wakeOthers();
        }
        return count;
    }

    /** Looks first at what costs nothing: nearly every frame is TCP, and is not worth a hash that the device has computed already. */
    private static boolean concernsEveryShard(Packet frame) {
        if (frame.length < ETHERNET_HEADER_BYTES) {
            return false;
        }
        int type = Memory.getUnsignedShort(frame.address + 12);
        if (type != TYPE_IPV6) {
            return type == TYPE_ARP;
        }
        if (frame.length < ETHERNET_HEADER_BYTES + IPV6_HEADER_BYTES) {
            return false;
        }
        int next = Memory.getUnsignedByte(frame.address + NEXT_HEADER_OFFSET);
        return next != TCP
                && next != UDP
                && FlowSteering.shardOf(frame.address, frame.length, 2) == FlowSteering.EVERY_SHARD;
    }

    /** What is lost is asked for again by its sender. */
    private void share(Packet frame) {
        for (NeighborSharingQueue queue : all) {
            if (queue != this) {
                queue.inbox.deliver(frame, shared);
            }
        }
    }

    /** Once per burst, after the last frame of it was delivered. */
    private void wakeOthers() {
        for (NeighborSharingQueue queue : all) {
            if (queue != this) {
                queue.wake();
            }
        }
    }

    @Override
    public void release(Packet[] packets, int count) {
        if (!copies) {
            device.release(packets, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            Packet copy = packets[i];
            assert copy.handle != index : "a queue does not share with itself";
            all[(int) copy.handle].shared.giveFromAfar(copy);
        }
    }

    // ---- sleep ----

    @Override
    public void await(long timeoutNs) {
        if (inbox.isEmpty()) {
            device.await(timeoutNs);
        }
    }

    @Override
    public boolean isEmpty() {
        return inbox.isEmpty() && device.isEmpty();
    }

    @Override
    public void wake() {
        device.wake();
    }

    /** Copies lost because this queue was too slow. Any thread. */
    long dropped() {
        return inbox.dropped();
    }

    /** Copies made here that have not come home. The queue's thread. */
    int copiesAbroad() {
        return shared.inUse();
    }

    void close() {
        shared.close();
    }
}
