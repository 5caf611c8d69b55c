package dev.millrace.stack.port;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A queue pair of a {@link MemoryPort}. Frames are copied both ways, so that a packet kept or given back twice shows. */
public final class MemoryQueue implements RxQueue, TxQueue {
    private static final int ETHERNET_BYTES = 14;
    private static final int OUTBOUND_PACKETS = 4096;
    private static final int INBOUND_PACKETS = 1024;
    /** So much longer than the MTU allows frames may come in; the rest is cut off. */
    private static final int OVERSIZE_BYTES = 406;

    /** Packets that may still be allocated. */
    public int packetsLeft = Integer.MAX_VALUE;

    /** Frames that may still be sent. */
    public int ringSpace = Integer.MAX_VALUE;

    private final MemoryPort port;
    private final PacketPool inbound;
    private final PacketPool outbound;
    private final ArrayDeque<byte[]> arriving = new ArrayDeque<>();

    MemoryQueue(MemoryPort port, int mtu) {
        this.port = port;
        int bytes = HEADROOM + ETHERNET_BYTES + mtu;
        this.inbound = new PacketPool(INBOUND_PACKETS, bytes + OVERSIZE_BYTES, 0);
        this.outbound = new PacketPool(OUTBOUND_PACKETS, bytes, 0);
    }

    void arrives(byte[] frame) {
        arriving.add(frame);
    }

    int packetsInUse() {
        return inbound.inUse() + outbound.inUse();
    }

    // ---- RxQueue ----

    @Override
    public int receive(Packet[] into, int max) {
        int count = 0;
        while (count < max && !arriving.isEmpty()) {
            byte[] frame = arriving.remove();
            Packet packet = inbound.take(HEADROOM);
            if (packet == null) {
                throw new AssertionError("received frames are not released");
            }
            packet.length = Math.min(frame.length, packet.tailroom());
            Memory.copy(frame, 0, packet.address, packet.length);
            into[count++] = packet;
        }
        return count;
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            inbound.give(packets[i]);
        }
    }

    @Override
    public void await(long timeoutNs) {}

    @Override
    public void wake() {}

    // ---- TxQueue ----

    @Override
    public @Nullable Packet allocate() {
        if (packetsLeft == 0) {
            return null;
        }
        packetsLeft--;
        return outbound.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        int taken = Math.min(count, ringSpace);
        for (int i = 0; i < taken; i++) {
            port.onSent(packets[i]);
            outbound.give(packets[i]);
        }
        if (ringSpace != Integer.MAX_VALUE) {
            ringSpace -= taken;
        }
        return taken;
    }

    @Override
    public void release(Packet packet) {
        outbound.give(packet);
    }

    void close() {
        inbound.close();
        outbound.close();
    }
}
