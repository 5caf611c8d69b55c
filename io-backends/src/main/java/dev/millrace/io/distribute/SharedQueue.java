package dev.millrace.io.distribute;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.wire.FlowSteering;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The queue pair beneath, used by several shards in turn.
 *
 * <p>{@code lock} guards everything beneath but sleeping and waking. A shard that would receive and does not get it goes away, since another is dealing out; one that
 * would send waits, since the holder never waits for anything. {@code sleeper} is the one shard that sleeps on the device, while others may use it.
 */
final class SharedQueue {
    private static final int NOBODY = -1;
    private static final int BURST = 64;
    private static final int SPINS_BEFORE_YIELD = 200;

    private final RxQueue rx;
    private final TxQueue tx;
    private final AtomicBoolean lock = new AtomicBoolean();
    private final AtomicInteger sleeper = new AtomicInteger(NOBODY);
    private final Packet[] burst = new Packet[BURST]; // guarded by lock
    private final Packet[] sending = new Packet[BURST]; // guarded by lock

    SharedQueue(RxQueue rx, TxQueue tx) {
        this.rx = rx;
        this.tx = tx;
    }

    // ---- receive ----

    /** Takes what has arrived and deals it out to {@code shards}; {@code self} needs no wake. False when another shard is at it. */
    boolean deal(ShardQueue[] shards, int self) {
        if (!lock.compareAndSet(false, true)) {
            return false;
        }
        try {
            int count = rx.receive(burst, BURST);
            if (count > 0) {
                dealOut(shards, self, count);
                rx.release(burst, count);
            }
            return true;
        } finally {
            lock.set(false);
        }
    }

    private void dealOut(ShardQueue[] shards, int self, int count) {
        long woken = 0;
        for (int i = 0; i < count; i++) {
            Packet frame = burst[i];
            int target = FlowSteering.shardOf(frame.address, frame.length, shards.length);
            if (target != FlowSteering.EVERY_SHARD) {
                woken |= 1L << target;
                shards[target].deliver(frame, shards[self]);
                continue;
            }
            woken = -1;
            for (ShardQueue shard : shards) {
                shard.deliver(frame, shards[self]);
            }
        }
        for (int i = 0; i < shards.length; i++) {
            if (i != self && (woken & 1L << i) != 0) {
                shards[i].wake();
            }
        }
    }

    // ---- sleep ----

    /** Makes {@code shard} the one that sleeps on the device; false when another is. */
    boolean claimSleep(int shard) {
        return sleeper.compareAndSet(NOBODY, shard);
    }

    boolean nobodySleeps() {
        return sleeper.get() == NOBODY;
    }

    /** Sleeps on the device. The one that claimed it. */
    void sleep(long timeoutNs) {
        rx.await(timeoutNs);
    }

    void leaveSleep() {
        sleeper.set(NOBODY);
    }

    /** Ends the sleep of {@code shard}, if it is the one on the device. Any thread. */
    void wake(int shard) {
        if (sleeper.get() == shard) {
            rx.wake();
        }
    }

    // ---- transmit ----

    /** Copies frames into the port's own packets and sends them; returns how many were accepted, all of which stay the caller's to recycle. */
    int transmit(Packet[] packets, int count) {
        lockForSending();
        try {
            int sent = 0;
            while (sent < count) {
                int wanted = Math.min(BURST, count - sent);
                int copied = copy(packets, sent, wanted);
                int accepted = tx.transmit(sending, copied);
                for (int i = accepted; i < copied; i++) {
                    tx.release(sending[i]);
                }
                sent += accepted;
                if (accepted < wanted) {
                    break;
                }
            }
            return sent;
        } finally {
            lock.set(false);
        }
    }

    private int copy(Packet[] packets, int from, int count) {
        for (int i = 0; i < count; i++) {
            Packet packet = tx.allocate();
            if (packet == null) {
                return i;
            }
            Packet frame = packets[from + i];
            Memory.copy(frame.address, packet.address, frame.length);
            packet.length = frame.length;
            packet.flags = frame.flags;
            sending[i] = packet;
        }
        return count;
    }

    private void lockForSending() {
        int spins = 0;
        while (!lock.compareAndSet(false, true)) {
            if (++spins % SPINS_BEFORE_YIELD == 0) {
                Thread.yield(); // the holder may have been descheduled
            } else {
                Thread.onSpinWait();
            }
        }
    }
}
