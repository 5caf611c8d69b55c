package dev.millrace.io.impair;

import dev.millrace.io.PortDecorator;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/**
 * A port whose line is as bad as wished, in both directions. All chance comes from the seed and all time from the clock, so a run with a clock of its own
 * repeats exactly.
 *
 * <p>It claims neither trust nor checksum offload, because what it damages must be found.
 */
public final class ImpairedPort extends PortDecorator {
    private static final int PACKETS_PER_LINE = 4096;
    private static final int ETHERNET_AND_VLAN_BYTES = 18;

    private final PortCapabilities capabilities;
    private final ImpairedQueue[] queues;

    /** @param clock monotonic nanoseconds, called on the cores' threads */
    public ImpairedPort(Port inner, Impairment impairment, LongSupplier clock) {
        super(inner);
        PortCapabilities beneath = inner.capabilities();
        this.capabilities = new PortCapabilities(false, false, beneath.rss(), false, beneath.awaitable());
        this.queues = new ImpairedQueue[inner.queues()];
        SplittableRandom seeds = new SplittableRandom(impairment.seed());
        for (int i = 0; i < queues.length; i++) {
            ImpairedLine inbound = line(impairment, true, seeds.split());
            ImpairedLine outbound = line(impairment, false, seeds.split());
            queues[i] = new ImpairedQueue(inner.rx(i), inner.tx(i), inbound, outbound, clock);
        }
    }

    private ImpairedLine line(Impairment impairment, boolean inbound, SplittableRandom random) {
        return new ImpairedLine(impairment, inbound, random, PACKETS_PER_LINE, inner.mtu() + ETHERNET_AND_VLAN_BYTES);
    }

    /**
     * Wraps a port as the setting {@code impair} says, on the system's clock.
     *
     * @param spec see {@link Impairment#parse}
     */
    public static ImpairedPort wrap(Port inner, String spec) throws LinkException {
        return new ImpairedPort(inner, Impairment.parse(spec), System::nanoTime);
    }

    @Override
    public PortCapabilities capabilities() {
        return capabilities;
    }

    @Override
    public RxQueue rx(int queue) {
        return queues[queue];
    }

    @Override
    public TxQueue tx(int queue) {
        return queues[queue];
    }

    /** Frames that vanished on the lines, which are not among the port's losses in {@link #statistics}. Any thread; may lag. */
    public long lostFrames() {
        long lost = 0;
        for (ImpairedQueue queue : queues) {
            lost += queue.lost();
        }
        return lost;
    }

    @Override
    protected void closeOwn() {
        for (ImpairedQueue queue : queues) {
            queue.close();
        }
    }
}
