package dev.millrace.io.impair;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One queue pair of an {@link ImpairedPort}: a line for each direction. What is due to leave goes whenever the queue is used at all. */
final class ImpairedQueue implements RxQueue, TxQueue, AutoCloseable {
    private static final int BURST = 32;

    private final RxQueue rx;
    private final TxQueue tx;
    private final ImpairedLine inbound;
    private final ImpairedLine outbound;
    private final LongSupplier clock;
    private final Packet[] burst = new Packet[BURST];
    private final Packet[] one = new Packet[1];

    ImpairedQueue(RxQueue rx, TxQueue tx, ImpairedLine inbound, ImpairedLine outbound, LongSupplier clock) {
        this.rx = rx;
        this.tx = tx;
        this.inbound = inbound;
        this.outbound = outbound;
        this.clock = clock;
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        long now = clock.getAsLong();
        sendWhatIsDue(now);
        int arrived = rx.receive(burst, BURST);
        for (int i = 0; i < arrived; i++) {
            burst[i].flags = 0; // what the port has verified may be damaged here
            inbound.put(burst[i], now);
        }
        rx.release(burst, arrived);
        int count = 0;
        while (count < max && inbound.peek(now) != null) {
            into[count++] = inbound.remove();
        }
        return count;
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            inbound.recycle(packets[i]);
        }
    }

    @Override
    public void await(long timeoutNs) {
        long now = clock.getAsLong();
        sendWhatIsDue(now);
        long due = Math.min(inbound.nextDueNs(), outbound.nextDueNs());
        if (due > now) {
            rx.await(due == Long.MAX_VALUE ? timeoutNs : Math.min(timeoutNs, due - now));
        }
    }

    @Override
    public void wake() {
        rx.wake();
    }

    // ---- transmit ----

    @Override
    public @Nullable Packet allocate() {
        return tx.allocate();
    }

    /** A line takes everything; what does not fit on it is lost. */
    @Override
    public int transmit(Packet[] packets, int count) {
        long now = clock.getAsLong();
        for (int i = 0; i < count; i++) {
            outbound.put(packets[i], now);
            tx.release(packets[i]);
        }
        sendWhatIsDue(now);
        return count;
    }

    private void sendWhatIsDue(long now) {
        Packet frame = outbound.peek(now);
        while (frame != null && send(frame)) {
            outbound.recycle(outbound.remove());
            frame = outbound.peek(now);
        }
    }

    private boolean send(Packet frame) {
        Packet packet = tx.allocate();
        if (packet == null) {
            return false;
        }
        Memory.copy(frame.address, packet.address, frame.length);
        packet.length = frame.length;
        packet.flags = frame.flags;
        one[0] = packet;
        if (tx.transmit(one, 1) == 1) {
            return true;
        }
        tx.release(packet);
        return false;
    }

    @Override
    public void release(Packet packet) {
        tx.release(packet);
    }

    /** Frames lost here. Any thread; may lag. */
    long lost() {
        return inbound.lost() + outbound.lost();
    }

    @Override
    public void close() {
        inbound.close();
        outbound.close();
    }
}
