package dev.millrace.stack.port;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.wire.FlowSteering;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * One core's end of a {@link LoopPort}.
 *
 * <p>{@code local} is a plain ring for frames of this core to itself; it has room for every packet of the pool, so it is never full.
 * {@code remote} takes frames from other cores; when it is full their transmit pushes back. A packet goes home to the pool of the core that
 * made it, which its handle names.
 */
final class LoopQueue implements RxQueue, TxQueue {
    private final int index;
    private final LoopQueue[] all;
    private final PacketPool pool;
    private final Sleeper sleeper;
    private final MpscVarHandleArrayQueue<Packet> remote;
    private final @Nullable Packet[] local;
    private int localHead;
    private int localTail;

    LoopQueue(int index, LoopQueue[] all, int packets, int capacity, Sleeper sleeper) {
        this.index = index;
        this.all = all;
        this.pool = new PacketPool(packets, capacity, index);
        this.sleeper = sleeper;
        this.remote = new MpscVarHandleArrayQueue<>(packets);
        this.local = new @Nullable Packet[Integer.highestOneBit(Math.max(packets - 1, 1)) * 2];
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        int count = 0;
        if (all.length > 1) {
            // at most half, so that neither source starves the other
            count = receiveRemote(into, localHead == localTail ? max : (max + 1) / 2);
        }
        while (count < max && localHead != localTail) {
            int slot = localHead++ & (local.length - 1);
            Packet packet = local[slot];
            assert packet != null : "hole in the ring";
            local[slot] = null;
            into[count++] = packet;
        }
        return count;
    }

    private int receiveRemote(Packet[] into, int max) {
        int count = 0;
        while (count < max) {
            Packet packet = remote.relaxedPoll();
            if (packet == null) {
                break;
            }
            into[count++] = packet;
        }
        return count;
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            Packet packet = packets[i];
            if (packet.handle == index) {
                pool.give(packet);
            } else {
                all[(int) packet.handle].pool.giveFromAfar(packet);
            }
        }
    }

    @Override
    public void await(long timeoutNs) {
        if (isEmpty()) {
            sleeper.await(timeoutNs);
        }
    }

    @Override
    public boolean isEmpty() {
        return localHead == localTail && remote.isEmpty();
    }

    @Override
    public void wake() {
        sleeper.wake();
    }

    // ---- transmit ----

    @Override
    public @Nullable Packet allocate() {
        return pool.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        if (all.length == 1) {
            for (int i = 0; i < count; i++) {
                deliverLocally(packets[i]);
            }
            return count;
        }
        long woken = 0;
        int sent = 0;
        while (sent < count) {
            Packet packet = packets[sent];
            int target = FlowSteering.shardOf(packet.address, packet.length, all.length);
            if (target == index || target == FlowSteering.EVERY_SHARD) {
                deliverLocally(packet);
            } else if (all[target].deliverFromAfar(packet)) {
                woken |= 1L << target;
            } else {
                break;
            }
            sent++;
        }
        wakeAll(woken);
        return sent;
    }

    private void deliverLocally(Packet packet) {
        packet.flags = Packet.CHECKSUM_VERIFIED;
        local[localTail++ & (local.length - 1)] = packet;
        assert localTail - localHead <= local.length : "more frames than packets";
    }

    private boolean deliverFromAfar(Packet packet) {
        packet.flags = Packet.CHECKSUM_VERIFIED;
        return remote.offer(packet);
    }

    /** Once per burst and target, because a wake costs a full fence. */
    private void wakeAll(long queues) {
        long left = queues;
        while (left != 0) {
            all[Long.numberOfTrailingZeros(left)].sleeper.wake();
            left &= left - 1;
        }
    }

    @Override
    public void release(Packet packet) {
        pool.give(packet);
    }

    void close() {
        pool.close();
    }
}
