package dev.millrace.io.distribute;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One shard's end of a {@link DistributingPort}: an inbox that whoever deals fills, and packets of its own for sending.
 *
 * <p>A frame is copied out of the port's packet into one of the dealer's, so the port gets its own back at once and no lock is held while frames are
 * processed. The receiver sends the copy home when it is done.
 *
 * <p>Sleep: one shard sleeps on the device, the others are parked. Whoever leaves the device wakes a parked one to take its place, so that
 * the device is watched as long as any shard sleeps. No wake is lost: sleepers announce themselves and then look, wakers write and then look.
 */
final class ShardQueue implements RxQueue, TxQueue, AutoCloseable {
    private final int index;
    private final SharedQueue shared;
    private final ShardQueue[] all;
    private final PacketPool dealt; // for frames that this shard deals out; handle = index
    private final PacketPool outgoing;
    private final Inbox inbox;
    private volatile boolean signalled;
    private volatile @Nullable Thread parked;

    ShardQueue(int index, SharedQueue shared, ShardQueue[] all, int packets, int rxCapacity, int txCapacity) {
        this.index = index;
        this.shared = shared;
        this.all = all;
        this.dealt = new PacketPool(packets, rxCapacity, index);
        this.outgoing = new PacketPool(packets, txCapacity, index);
        this.inbox = new Inbox(packets);
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        int count = inbox.take(into, max);
        if (count == 0 && shared.deal(all, index)) {
            count = inbox.take(into, max);
        }
        return count;
    }

    /** Puts a copy of a frame into this shard's inbox. The dealer's thread. */
    void deliver(Packet frame, ShardQueue dealer) {
        inbox.deliver(frame, dealer.dealt);
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            Packet packet = packets[i];
            if (packet.handle == index) {
                dealt.give(packet);
            } else {
                all[(int) packet.handle].dealt.giveFromAfar(packet);
            }
        }
    }

    // ---- sleep ----

    @Override
    public void await(long timeoutNs) {
        if (timeoutNs > 0 && !Thread.currentThread().isInterrupted()) {
            if (shared.claimSleep(index)) {
                if (!isCalled()) {
                    shared.sleep(timeoutNs);
                }
                shared.leaveSleep();
                callAReplacement();
            } else {
                park(timeoutNs);
            }
        }
        signalled = false;
    }

    private boolean isCalled() {
        return signalled || !inbox.isEmpty();
    }

    private void park(long timeoutNs) {
        parked = Thread.currentThread();
        if (!isCalled() && !shared.nobodySleeps()) {
            if (timeoutNs == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, timeoutNs);
            }
        }
        parked = null;
    }

    private void callAReplacement() {
        for (ShardQueue shard : all) {
            Thread thread = shard.parked;
            if (thread != null) {
                LockSupport.unpark(thread);
                return;
            }
        }
    }

    @Override
    public void wake() {
        signalled = true;
        shared.wake(index);
        Thread thread = parked;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }

    // ---- transmit ----

    @Override
    public @Nullable Packet allocate() {
        return outgoing.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        int sent = shared.transmit(packets, count);
        for (int i = 0; i < sent; i++) {
            outgoing.give(packets[i]);
        }
        return sent;
    }

    @Override
    public void release(Packet packet) {
        outgoing.give(packet);
    }

    /** Frames lost because this shard was too slow. Any thread. */
    long rxDropped() {
        return inbox.dropped();
    }

    @Override
    public void close() {
        dealt.close();
        outgoing.close();
    }
}
