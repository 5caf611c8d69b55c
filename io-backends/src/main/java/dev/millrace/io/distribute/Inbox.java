package dev.millrace.io.distribute;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import java.util.concurrent.atomic.AtomicLong;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;

/**
 * Frames that any queue's thread copies for one other's. A copy is in a packet of the queue that made it, and goes home to its pool, which its
 * handle names. Never waits: what does not fit is lost and counted.
 */
final class Inbox {
    private final MpscVarHandleArrayQueue<Packet> waiting;
    private final AtomicLong dropped = new AtomicLong();

    /** @param capacity copies that may wait */
    Inbox(int capacity) {
        this.waiting = new MpscVarHandleArrayQueue<>(capacity);
    }

    /** Puts a copy of a frame here, or counts it as lost. The thread of the queue that {@code pool} is of. */
    void deliver(Packet frame, PacketPool pool) {
        Packet copy = pool.take(0);
        if (copy == null) {
            dropped.incrementAndGet();
            return;
        }
        if (frame.length > copy.capacity) { // a device may hand over more than the MTU allows
            pool.give(copy);
            dropped.incrementAndGet();
            return;
        }
        Memory.copy(frame.address, copy.address, frame.length);
        copy.length = frame.length;
        copy.flags = frame.flags;
        copy.hash = frame.hash;
        if (!waiting.offer(copy)) {
            pool.give(copy);
            dropped.incrementAndGet();
        }
    }

    /** The receiving thread. */
    int take(Packet[] into, int max) {
        int count = 0;
        while (count < max) {
            Packet copy = waiting.relaxedPoll();
            if (copy == null) {
                break;
            }
            into[count++] = copy;
        }
        return count;
    }

    /** Any thread. */
    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Any thread. */
    long dropped() {
        return dropped.get();
    }
}
