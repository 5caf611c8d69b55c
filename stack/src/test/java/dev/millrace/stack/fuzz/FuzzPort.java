package dev.millrace.stack.fuzz;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A link whose other end is a fuzz target: it hands in frames, takes those that the stack sends, and can let the packets run out. */
final class FuzzPort implements Port, RxQueue, TxQueue {
    private static final int PACKETS = 1024;
    private static final int PACKET_BYTES = 2048;

    final ArrayDeque<byte[]> sent = new ArrayDeque<>();
    /** Packets that may still be allocated. */
    int packetsLeft = Integer.MAX_VALUE;

    private final long mac;
    private final int mtu;
    private final PacketPool pool = new PacketPool(PACKETS, PACKET_BYTES, 0);
    private final PacketPool inbound = new PacketPool(PACKETS, PACKET_BYTES, 0);
    private final ArrayDeque<byte[]> arriving = new ArrayDeque<>();

    FuzzPort(long mac, int mtu) {
        this.mac = mac;
        this.mtu = mtu;
    }

    void arrives(byte[] frame) {
        arriving.add(frame);
    }

    /** Packets that the stack has not given back. */
    int packetsInUse() {
        return pool.inUse() + inbound.inUse();
    }

    @Override
    public String name() {
        return "fuzz";
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
        return PortCapabilities.NONE;
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
        inbound.close();
    }

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

    @Override
    public @Nullable Packet allocate() {
        if (packetsLeft == 0) {
            return null;
        }
        packetsLeft--;
        return pool.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            byte[] frame = new byte[packets[i].length];
            Memory.copy(packets[i].address, frame, 0, frame.length);
            sent.add(frame);
            pool.give(packets[i]);
        }
        return count;
    }

    @Override
    public void release(Packet packet) {
        pool.give(packet);
    }
}
