package dev.millrace.io.tap;

import dev.millrace.io.posix.Errno;
import dev.millrace.io.posix.Libc;
import dev.millrace.io.sleep.PollSleeper;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The queue pair of a tap: a read(2) or write(2) per frame, never blocking; sleeps in poll(2). */
final class TapQueue implements RxQueue, TxQueue, AutoCloseable {
    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int VLAN_TAG_BYTES = 4;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment state = Libc.callState(arena);
    private final int fd;
    private final int largestFrame;
    private final PacketPool rxPool;
    private final PacketPool txPool;
    private final PollSleeper sleeper;
    private final AtomicLong rxErrors = new AtomicLong();
    private final AtomicLong txDropped = new AtomicLong();
    private boolean closed;

    TapQueue(int fd, int mtu, int packets, PollSleeper sleeper) {
        this.fd = fd;
        this.largestFrame = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + mtu;
        this.rxPool = new PacketPool(packets, largestFrame + 1, 0); // a frame that fills the last byte was cut off
        this.txPool = new PacketPool(packets, HEADROOM + ETHERNET_HEADER_BYTES + mtu, 0);
        this.sleeper = sleeper;
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        int count = 0;
        while (count < max) {
            Packet packet = rxPool.take(0);
            if (packet == null) {
                break;
            }
            long bytes = Libc.read(state, fd, packet.address, largestFrame + 1L);
            if (bytes <= 0) {
                rxPool.give(
                        packet); // EAGAIN: none left; anything else: the interface is down or gone, and linkUp tells
                break;
            }
            if (bytes > largestFrame) {
                rxPool.give(packet);
                rxErrors.incrementAndGet();
                continue;
            }
            packet.length = (int) bytes;
            into[count++] = packet;
        }
        return count;
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            rxPool.give(packets[i]);
        }
    }

    @Override
    public void await(long timeoutNs) {
        sleeper.await(timeoutNs);
    }

    @Override
    public void wake() {
        sleeper.wake();
    }

    // ---- transmit ----

    @Override
    public @Nullable Packet allocate() {
        return txPool.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        int sent = 0;
        while (sent < count) {
            Packet packet = packets[sent];
            long result = Libc.write(state, fd, packet.address, packet.length);
            if (result == -Errno.EAGAIN) {
                break;
            }
            if (result != packet.length) {
                txDropped.incrementAndGet(); // the interface is down (EIO) or the kernel short of memory: lost, as on a
                // wire
            }
            txPool.give(packet);
            sent++;
        }
        return sent;
    }

    @Override
    public void release(Packet packet) {
        txPool.give(packet);
    }

    PortStatistics statistics() {
        return new PortStatistics(0, rxErrors.get(), txDropped.get());
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        sleeper.close();
        rxPool.close();
        txPool.close();
        arena.close();
    }
}
