package dev.millrace.io.dpdk;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.io.posix.LinkLock;
import dev.millrace.io.posix.UnixSocket;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A DPDK device as a port.
 *
 * <p>It has several queues only where the device spreads flows by the Toeplitz hash exactly as we do; otherwise one, which a distributing port shares out.
 */
public final class DpdkPort implements Port {
    private static final long LINK_CHECK_NS = 100_000_000L;
    private static final int LINK_STATUS_BYTE = 4; // struct rte_eth_link: speed, then the bits duplex, autoneg, status
    private static final int LINK_STATUS_BIT = 4;

    private final DeviceSpec spec;
    private final DpdkDevice device;
    private final LinkLock lock;
    private final DpdkQueue[] queues;
    private final PortCapabilities capabilities;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment link = arena.allocate(8, 8); // guarded by this
    private final MemorySegment raw; // guarded by this
    private final @Nullable Reconnection reconnection;
    private volatile boolean linkUp;
    private volatile long linkCheckedNs;
    private boolean closed;

    private DpdkPort(DeviceSpec spec, DpdkDevice device, LinkLock lock) {
        this.spec = spec;
        this.device = device;
        this.lock = lock;
        this.raw = arena.allocate(Dpdk.abi().statistics().bytes(), 8);
        this.queues = new DpdkQueue[device.queues];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new DpdkQueue(this, device, i);
        }
        this.capabilities = new PortCapabilities(device.rxChecksum, device.txChecksum, device.queues > 1, false, false);
        this.linkCheckedNs = System.nanoTime() - LINK_CHECK_NS;
        this.reconnection = spec.losesItsServer() ? Reconnection.start(device, this::linkUp) : null;
    }

    static DpdkPort open(DeviceSpec spec, LinkOptions options) throws LinkException {
        LinkLock lock = LinkLock.acquire(spec.link(), spec.exclusiveResource());
        try {
            claimSocket(spec);
            Eal eal = Eal.forDevice(spec, options);
            return new DpdkPort(spec, DpdkDevice.open(eal, spec, options), lock);
        } catch (LinkException e) {
            lock.close();
            throw e;
        }
    }

    /**
     * Removes the socket of a server that died. One that lives is left to memif to refuse, since this JVM may serve several ids on it; vhost
     * would take the file away from the server that lives, so it is not even asked.
     */
    private static void claimSocket(DeviceSpec spec) throws LinkException {
        String socket = spec.servedSocket();
        if (socket == null || spec.hasAbstractSocket()) {
            return;
        }
        boolean served;
        try {
            served = UnixSocket.removeIfStale(Path.of(socket));
        } catch (IOException e) {
            throw new LinkException(
                    spec.link() + ": the socket of a process that died cannot be removed: " + e.getMessage()
                            + ": remove " + socket,
                    e);
        }
        if (served && !spec.driver().equals("net_memif")) {
            throw new LinkException(
                    spec.link() + ": taken: another process serves " + socket + "; stop it or choose another path");
        }
    }

    @Override
    public String name() {
        return spec.link();
    }

    @Override
    public long mac() {
        return device.mac;
    }

    @Override
    public int mtu() {
        return device.mtu;
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

    /** At most 100 ms old. */
    @Override
    public boolean linkUp() {
        if (System.nanoTime() - linkCheckedNs >= LINK_CHECK_NS) {
            checkLink();
        }
        return linkUp;
    }

    private synchronized void checkLink() {
        if (closed) {
            linkUp = false;
            return;
        }
        int result = Dpdk.link(device.port, link);
        linkUp = result == 0 && (link.get(JAVA_BYTE, LINK_STATUS_BYTE) & LINK_STATUS_BIT) != 0;
        linkCheckedNs = System.nanoTime();
    }

    @Override
    public synchronized PortStatistics statistics() {
        long rxErrors = 0;
        long txDropped = 0;
        for (DpdkQueue queue : queues) {
            rxErrors += queue.rxErrors();
            txDropped += queue.txDropped();
        }
        if (closed || Dpdk.statistics(device.port, raw) < 0) {
            return new PortStatistics(0, rxErrors, txDropped);
        }
        DpdkAbi.Statistics at = Dpdk.abi().statistics();
        return new PortStatistics(
                raw.get(JAVA_LONG, at.rxMissed()) + raw.get(JAVA_LONG, at.rxNoMbuf()),
                raw.get(JAVA_LONG, at.rxErrors()) + rxErrors,
                raw.get(JAVA_LONG, at.txErrors()) + txDropped);
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        linkUp = false;
        if (reconnection != null) {
            reconnection.close();
        }
        for (DpdkQueue queue : queues) {
            queue.close();
        }
        device.close();
        lock.close();
        arena.close();
    }
}
