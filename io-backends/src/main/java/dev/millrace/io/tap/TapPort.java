package dev.millrace.io.tap;

import dev.millrace.io.sleep.PollSleeper;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;

/**
 * The far end of a kernel tap interface: what the kernel sends out of the interface arrives here. One queue pair; more shards share it through a
 * distributing port, because the kernel would spread flows by a hash of its own.
 */
public final class TapPort implements Port {
    private static final PortCapabilities CAPABILITIES = new PortCapabilities(false, false, false, false, true);

    private final String name;
    private final TapDevice device;
    private final TapQueue queue;

    private TapPort(String name, TapDevice device, TapQueue queue) {
        this.name = name;
        this.device = device;
        this.queue = queue;
    }

    /** Creates the interface, or attaches to one of that name, and sets it up. */
    public static TapPort open(String interfaceName, LinkOptions options) throws LinkException {
        TapDevice device = TapDevice.open(interfaceName, options);
        try {
            TapQueue queue = new TapQueue(device.fd, device.mtu, options.packets(), new PollSleeper(device.fd));
            return new TapPort("tap:" + interfaceName, device, queue);
        } catch (LinkException e) {
            device.close();
            throw e;
        }
    }

    @Override
    public String name() {
        return name;
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
        return CAPABILITIES;
    }

    @Override
    public int queues() {
        return 1;
    }

    @Override
    public RxQueue rx(int index) {
        return queue;
    }

    @Override
    public TxQueue tx(int index) {
        return queue;
    }

    @Override
    public boolean linkUp() {
        return device.isUp();
    }

    @Override
    public PortStatistics statistics() {
        return queue.statistics();
    }

    @Override
    public synchronized void close() {
        queue.close();
        device.close();
    }
}
