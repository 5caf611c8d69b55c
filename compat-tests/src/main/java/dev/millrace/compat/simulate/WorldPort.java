package dev.millrace.compat.simulate;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.wire.FlowSteering;
import java.lang.foreign.Arena;
import java.util.function.Consumer;

/** A network card of the virtual network: a queue pair per shard, spread as receive-side scaling does. One thread. */
final class WorldPort implements Port {
    private static final int SCRATCH_BYTES = 65_536;
    private static final PortCapabilities CAPABILITIES = new PortCapabilities(false, false, true, false, false);

    private final long mac;
    private final int mtu;
    private final WorldQueue[] queues;
    private final Arena arena = Arena.ofConfined();
    private final long scratch;

    /**
     * @param packets of each queue's pools
     * @param perCall frames that one call of transmit takes at most
     * @param wire where frames go
     */
    WorldPort(long mac, int mtu, int shards, int packets, int perCall, Consumer<byte[]> wire) {
        this.mac = mac;
        this.mtu = mtu;
        this.scratch = arena.allocate(SCRATCH_BYTES).address();
        this.queues = new WorldQueue[shards];
        for (int i = 0; i < shards; i++) {
            queues[i] = new WorldQueue(mtu, packets, perCall, wire);
        }
    }

    /** A frame from the wire; false when there was no room for it. */
    boolean arrive(byte[] frame) {
        int shard = 0;
        if (queues.length > 1) {
            Memory.copy(frame, 0, scratch, frame.length);
            shard = FlowSteering.shardOf(scratch, frame.length, queues.length);
        }
        if (shard != FlowSteering.EVERY_SHARD) {
            return queues[shard].arrive(frame);
        }
        boolean taken = true;
        for (WorldQueue queue : queues) {
            taken &= queue.arrive(frame);
        }
        return taken;
    }

    /** The host has gone: nothing it still says reaches the wire. */
    void unplug() {
        for (WorldQueue queue : queues) {
            queue.unplug();
        }
    }

    /** Received packets that the stack has not given back. */
    int received() {
        int total = 0;
        for (WorldQueue queue : queues) {
            total += queue.received();
        }
        return total;
    }

    /** Packets to send that the stack has neither sent nor given back. */
    int unsent() {
        int total = 0;
        for (WorldQueue queue : queues) {
            total += queue.unsent();
        }
        return total;
    }

    boolean hasFrames() {
        for (WorldQueue queue : queues) {
            if (!queue.isEmpty()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String name() {
        return "world";
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
        return CAPABILITIES;
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
        for (WorldQueue queue : queues) {
            queue.close();
        }
        arena.close();
    }
}
