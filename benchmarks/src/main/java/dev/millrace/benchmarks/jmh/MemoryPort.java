package dev.millrace.benchmarks.jmh;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import org.jspecify.annotations.Nullable;

/** A link whose other end is the benchmark itself, on the same thread: what it costs is next to nothing, so that the engine's part shows. */
final class MemoryPort implements Port, RxQueue, TxQueue {
    static final long MAC = 0x02_00_00_00_00_01L;

    private static final int FRAMES = 512;
    private static final int BYTES = HEADROOM + 14 + 1500;

    /** Told of every frame that the stack sends; the frame is gone when it returns. */
    interface Receiver {
        void onFrame(Packet frame);
    }

    private final PacketPool pool = new PacketPool(2 * FRAMES, BYTES, 0);
    private final PortCapabilities capabilities;
    private final Packet[] arriving = new Packet[FRAMES];
    private int first;
    private int last;
    private Receiver receiver = frame -> {};

    /** @param offload whether checksums are the port's business */
    MemoryPort(boolean offload) {
        capabilities = new PortCapabilities(offload, offload, false, false, false);
    }

    void receiver(Receiver told) {
        receiver = told;
    }

    /** An empty frame for {@link #arrive}. */
    Packet frame() {
        Packet packet = pool.take(HEADROOM);
        if (packet == null) {
            throw new IllegalStateException("the stack gave no frame back");
        }
        return packet;
    }

    /** Puts a frame where the stack's next turn finds it. */
    void arrive(Packet frame) {
        if (capabilities.rxChecksum()) {
            frame.flags |= Packet.CHECKSUM_VERIFIED;
        }
        arriving[last++ % FRAMES] = frame;
    }

    @Override
    public int receive(Packet[] into, int max) {
        int count = Math.min(max, last - first);
        for (int i = 0; i < count; i++) {
            into[i] = arriving[first++ % FRAMES];
        }
        return count;
    }

    @Override
    public void release(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            pool.give(packets[i]);
        }
    }

    @Override
    public @Nullable Packet allocate() {
        return pool.take(HEADROOM);
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        for (int i = 0; i < count; i++) {
            receiver.onFrame(packets[i]);
            pool.give(packets[i]);
        }
        return count;
    }

    @Override
    public void release(Packet packet) {
        pool.give(packet);
    }

    @Override
    public void await(long timeoutNs) {
        throw new IllegalStateException("a benchmark does not sleep");
    }

    @Override
    public void wake() {}

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public long mac() {
        return MAC;
    }

    @Override
    public int mtu() {
        return 1500;
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
}
