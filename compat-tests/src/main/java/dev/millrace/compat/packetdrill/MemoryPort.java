package dev.millrace.compat.packetdrill;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A link in memory: frames that the runner injects come out, frames that the stack sends go to the runner. One thread. */
final class MemoryPort implements Port, RxQueue, TxQueue {
    static final long STACK_MAC = 0x02_00_00_00_00_01L;
    private static final int PACKETS = 4096;
    private static final PortCapabilities CAPABILITIES = new PortCapabilities(true, false, false, true, false);

    private final int mtu;
    private final PacketPool pool;
    /** The largest packet that IP has fits in. */
    private final PacketPool inboundPool;

    private final ArrayDeque<byte[]> inbound = new ArrayDeque<>();
    private final Consumer<byte[]> onSent;

    /** @param onSent takes every frame that the stack sends */
    MemoryPort(int mtu, Consumer<byte[]> onSent) {
        this.mtu = mtu;
        this.onSent = onSent;
        this.pool = new PacketPool(PACKETS, TxQueue.HEADROOM + 14 + mtu, 0);
        this.inboundPool = new PacketPool(1, 14 + 40 + 0xffff, 0);
    }

    /** The stack will receive this frame. */
    void inject(byte[] frame) {
        inbound.add(frame);
    }

    boolean hasInbound() {
        return !inbound.isEmpty();
    }

    // ---- Port ----

    @Override
    public String name() {
        return "packetdrill";
    }

    @Override
    public long mac() {
        return STACK_MAC;
    }

    @Override
    public int mtu() {
        return mtu;
    }

    @Override
    public PortCapabilities capabilities() {
        return CAPABILITIES;
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
        inboundPool.close();
    }

    // ---- RxQueue ----

    /** One frame at a time, so that each is a burst of its own, as from a tunnel device. */
    @Override
    public int receive(Packet[] into, int max) {
        byte[] frame = inbound.poll();
        if (frame == null) {
            return 0;
        }
        Packet packet = inboundPool.take(0);
        if (packet == null) {
            throw new IllegalStateException("the stack keeps every packet of its port");
        }
        Memory.copy(frame, 0, packet.address, frame.length);
        packet.length = frame.length;
        packet.flags = Packet.CHECKSUM_VERIFIED;
        into[0] = packet;
        return 1;
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            inboundPool.give(packets[i]);
        }
    }

    @Override
    public void await(long timeoutNs) {
        throw new IllegalStateException("nobody sleeps on a virtual clock");
    }

    @Override
    public void wake() {
        // nobody sleeps here
    }

    // ---- TxQueue ----

    @Override
    public @Nullable Packet allocate() {
        return pool.take(TxQueue.HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            byte[] frame = new byte[packets[i].length];
            Memory.copy(packets[i].address, frame, 0, frame.length);
            pool.give(packets[i]);
            onSent.accept(frame);
        }
        return count;
    }

    @Override
    public void release(Packet packet) {
        pool.give(packet);
    }
}
