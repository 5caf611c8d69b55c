package dev.millrace.stack.port;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.wire.FlowSteering;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A link whose other end is a test: it hands in frames, keeps those that are sent, and may let packets and ring space run out. With several
 * queues frames are spread as receive-side scaling does. One thread.
 */
public final class MemoryPort implements Port {
    private static final int SCRATCH_BYTES = 1 << 16;

    /** Told of every frame that is sent, and its packet's flags. */
    public interface Listener {
        void onSent(byte[] frame, int flags);
    }

    /** What was sent, by all queues, and has not been taken out. */
    public final List<byte[]> sent = new ArrayList<>();

    private final long mac;
    private final int mtu;
    private final PortCapabilities capabilities;
    private final MemoryQueue[] queues;
    private final Listener listener;
    private final Arena arena = Arena.ofShared();
    private final long scratch = arena.allocate(SCRATCH_BYTES).address();

    public MemoryPort(long mac, int mtu) {
        this(mac, mtu, 1, PortCapabilities.NONE, (frame, flags) -> {});
    }

    public MemoryPort(long mac, int mtu, int queues, PortCapabilities capabilities, Listener listener) {
        this.mac = mac;
        this.mtu = mtu;
        this.capabilities = capabilities;
        this.listener = listener;
        this.queues = new MemoryQueue[queues];
        for (int i = 0; i < queues; i++) {
            this.queues[i] = new MemoryQueue(this, mtu);
        }
    }

    /** A frame comes in from the link. */
    public void arrives(byte[] frame) {
        int shard = 0;
        if (queues.length > 1) {
            Memory.copy(frame, 0, scratch, frame.length);
            shard = FlowSteering.shardOf(scratch, frame.length, queues.length);
        }
        for (int i = 0; i < queues.length; i++) {
            if (shard == i || shard == FlowSteering.EVERY_SHARD) {
                queues[i].arrives(frame);
            }
        }
    }

    /** The first of {@link #sent}, taken out; null when there is none. */
    public byte @Nullable [] nextSent() {
        return sent.isEmpty() ? null : sent.removeFirst();
    }

    public MemoryQueue queue(int index) {
        return queues[index];
    }

    /** Packets that the stack has neither sent nor given back. */
    public int packetsInUse() {
        int total = 0;
        for (MemoryQueue queue : queues) {
            total += queue.packetsInUse();
        }
        return total;
    }

    void onSent(Packet packet) {
        byte[] frame = new byte[packet.length];
        Memory.copy(packet.address, frame, 0, frame.length);
        sent.add(frame);
        listener.onSent(frame, packet.flags);
    }

    // ---- Port ----

    @Override
    public String name() {
        return "memory";
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
        return queues.length;
    }

    @Override
    public RxQueue rx(int queue) {
        return queues[queue];
    }

    @Override
    public TxQueue tx(int queue) {
        return queues[queue];
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
        for (MemoryQueue queue : queues) {
            queue.close();
        }
        arena.close();
    }
}
