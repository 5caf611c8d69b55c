package dev.millrace.io.dpdk;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Brings a memif client's link back after its server has ended: net_memif connects when a device starts, and never again. So while the link is
 * down the device is stopped and started once a second; bursts are empty meanwhile, frames to be sent are dropped, and connections wait as they do
 * for any cable. A thread of its own, since nobody else may wait for a connect.
 */
final class Reconnection implements Runnable, AutoCloseable {
    /** Longer than the handshake of memif takes, which goes on behind the start. */
    private static final long PERIOD_NS = 1_000_000_000L;

    private final DpdkDevice device;
    private final BooleanSupplier linkUp;
    private final Thread thread;
    private volatile boolean closed;

    private Reconnection(DpdkDevice device, BooleanSupplier linkUp) {
        this.device = device;
        this.linkUp = linkUp;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("millrace " + device.spec.name())
                .unstarted(this);
    }

    /** @param linkUp whether there is a server now; any thread */
    static Reconnection start(DpdkDevice device, BooleanSupplier linkUp) {
        Reconnection reconnection = new Reconnection(device, linkUp);
        reconnection.thread.start();
        return reconnection;
    }

    @Override
    public void run() {
        while (!closed) {
            LockSupport.parkNanos(PERIOD_NS);
            if (!closed && !linkUp.getAsBoolean()) {
                device.restart();
            }
        }
    }

    /** Does not wait for an attempt in progress: the device looks by itself whether it has been closed. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
