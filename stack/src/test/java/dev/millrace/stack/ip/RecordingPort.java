package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A link whose other end is a test: keeps every frame that is sent, takes as many at a time as it is told. */
final class RecordingPort implements Port, RxQueue, TxQueue {
    private final long mac;
    private final int mtu;
    private final PortCapabilities capabilities;
    private final PacketPool pool;

    final List<byte[]> sent = new ArrayList<>();
    final List<Integer> sentFlags = new ArrayList<>();
    int ringSpace = Integer.MAX_VALUE;

    RecordingPort(long mac, int mtu, int packets, PortCapabilities capabilities) {
        this.mac = mac;
        this.mtu = mtu;
        this.capabilities = capabilities;
        this.pool = new PacketPool(packets, TxQueue.HEADROOM + 14 + mtu, 0);
    }

    int packetsInUse() {
        return pool.inUse();
    }

    @Override
    public String name() {
        return "recording";
    }

    @Override
    public long mac() {
        return mac;
    }

    @Override
    public int mtu() {
        return mtu;
    }

    @Override
    public PortCapabilities capabilities() {
        return capabilities;
    }

    @Override
    public int queues() {
        return 1;
    }

    @Override
    public RxQueue rx(int queue) {
        return this;
    }

    @Override
    public TxQueue tx(int queue) {
        return this;
    }

    @Override
    public boolean linkUp() {
        return true;
    }

    @Override
    public PortStatistics statistics() {
        return PortStatistics.NONE;
    }

    @Override
    public void close() {
        pool.close();
    }

    @Override
    public int receive(Packet[] into, int max) {
        return 0;
    }

    @Override
    public void release(Packet[] packets, int count) {
        throw new AssertionError("nothing was received");
    }

    @Override
    public void await(long timeoutNs) {}

    @Override
    public void wake() {}

    @Override
    public @Nullable Packet allocate() {
        return pool.take(TxQueue.HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        int taken = Math.min(count, ringSpace);
        for (int i = 0; i < taken; i++) {
            byte[] bytes = new byte[packets[i].length];
            Memory.copy(packets[i].address, bytes, 0, bytes.length);
            sent.add(bytes);
            sentFlags.add(packets[i].flags);
            pool.give(packets[i]);
        }
        if (ringSpace != Integer.MAX_VALUE) {
            ringSpace -= taken;
        }
        return taken;
    }

    @Override
    public void release(Packet packet) {
        pool.give(packet);
    }
}
