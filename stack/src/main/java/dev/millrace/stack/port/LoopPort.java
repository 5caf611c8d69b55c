package dev.millrace.stack.port;

import java.util.function.IntFunction;

/**
 * A link from a stack to itself: what one shard sends, the shard receives to which the Toeplitz hash of the frame's 4-tuple leads.
 *
 * <p>No thread, clock or native call: how a core sleeps is the {@link Sleeper}'s business. Frames never leave the process, so the port
 * is trusted and its {@link #mac} is 0. Frames within one shard cross a plain array; only those between shards pay for a concurrent queue.
 */
public final class LoopPort implements Port {
    /** Largest IP packet unless told otherwise: large segments cost least, and 4096 of them still fit a modest pool. */
    public static final int DEFAULT_MTU = 16384;

    /** Queues are noted in the bits of a long. */
    public static final int MAX_QUEUES = 64;

    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final PortCapabilities CAPABILITIES = new PortCapabilities(true, false, true, true, true);

    private final String name;
    private final int mtu;
    private final LoopQueue[] queues;
    private boolean closed;

    /**
     * @param queues 1 to {@link #MAX_QUEUES}
     * @param packets limit of frames that one queue's core has under way
     * @param sleepers for each queue how its core sleeps, and is woken when another core has sent it something
     */
    public LoopPort(String name, int queues, int mtu, int packets, IntFunction<Sleeper> sleepers) {
        if (queues < 1 || queues > MAX_QUEUES) {
            throw new IllegalArgumentException("1 to " + MAX_QUEUES + " queues, not " + queues);
        }
        this.name = name;
        this.mtu = mtu;
        this.queues = new LoopQueue[queues];
        int capacity = TxQueue.HEADROOM + ETHERNET_HEADER_BYTES + mtu;
        for (int i = 0; i < queues; i++) {
            this.queues[i] = new LoopQueue(i, this.queues, packets, capacity, sleepers.apply(i));
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long mac() {
        return 0;
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

    /** Nothing is ever lost here: a full queue pushes back. */
    @Override
    public PortStatistics statistics() {
        return PortStatistics.NONE;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (LoopQueue queue : queues) {
            queue.close();
        }
    }
}
