package dev.millrace.compat.simulate;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A queue pair of a {@link WorldPort}. Frames are copied both ways, so that a packet kept or given back twice shows. */
final class WorldQueue implements RxQueue, TxQueue {
    private static final int ETHERNET_BYTES = 14;

    private final PacketPool rxPool;
    private final PacketPool txPool;
    private final int perCall;
    private final Consumer<byte[]> wire;
    private final ArrayDeque<Packet> arrived = new ArrayDeque<>();
    private boolean unplugged;

    WorldQueue(int mtu, int packets, int perCall, Consumer<byte[]> wire) {
        this.rxPool = new PacketPool(packets, ETHERNET_BYTES + mtu, 0);
        this.txPool = new PacketPool(packets, HEADROOM + ETHERNET_BYTES + mtu, 1);
        this.perCall = perCall;
        this.wire = wire;
    }

    boolean arrive(byte[] frame) {
        Packet packet = rxPool.take(0);
        if (packet == null) {
            return false;
        }
        if (packet.capacity < frame.length) {
            rxPool.give(packet);
            return false;
        }
        Memory.copy(frame, 0, packet.address, frame.length);
        packet.length = frame.length;
        arrived.add(packet);
        return true;
    }

    void unplug() {
        unplugged = true;
    }

    int received() {
        return rxPool.inUse() - arrived.size();
    }

    int unsent() {
        return txPool.inUse();
    }

    @Override
    public int receive(Packet[] into, int max) {
        int count = 0;
        for (Packet packet = arrived.poll(); packet != null; packet = count < max ? arrived.poll() : null) {
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
    public boolean isEmpty() {
        return arrived.isEmpty();
    }

    @Override
    public void await(long timeoutNs) {
        throw new IllegalStateException("nobody sleeps in a simulation");
    }

    @Override
    public void wake() {}

    @Override
    public @Nullable Packet allocate() {
        return txPool.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        int taken = Math.min(count, perCall);
        for (int i = 0; i < taken; i++) {
            Packet packet = packets[i];
            if (!unplugged) {
                byte[] frame = new byte[packet.length];
                Memory.copy(packet.address, frame, 0, packet.length);
                wire.accept(frame);
            }
            txPool.give(packet);
        }
        return taken;
    }

    @Override
    public void release(Packet packet) {
        txPool.give(packet);
    }

    void close() {
        rxPool.close();
        txPool.close();
    }
}
