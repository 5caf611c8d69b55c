package dev.millrace.io.capture;

import dev.millrace.io.PortDecorator;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.nio.file.Path;
import java.time.Instant;
import java.util.function.LongSupplier;

/**
 * A port that also writes every frame that passes, in both directions, into a pcapng file for tshark and Wireshark.
 *
 * <p>It claims no checksum offload and no trust of the port beneath, so that the checksums in the file are those that count. Memory is bounded: frames that the
 * disk is too slow for are missing in the file, counted by {@link #lostFrames}.
 */
public final class CapturingPort extends PortDecorator {
    private static final int RING_BYTES = 4 << 20;

    private final PortCapabilities capabilities;
    private final RecordRing[] rings;
    private final CaptureFile file;
    private final CapturingQueue[] queues;

    /** @param clock nanoseconds since the epoch, called on the cores' threads */
    public CapturingPort(Port inner, Path path, LongSupplier clock) throws LinkException {
        super(inner);
        PortCapabilities beneath = inner.capabilities();
        this.capabilities =
                new PortCapabilities(beneath.rxChecksum(), false, beneath.rss(), false, beneath.awaitable());
        this.rings = new RecordRing[inner.queues()];
        for (int i = 0; i < rings.length; i++) {
            rings[i] = new RecordRing(RING_BYTES);
        }
        this.file = new CaptureFile(path, inner.name(), rings);
        this.queues = new CapturingQueue[rings.length];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = new CapturingQueue(inner.rx(i), inner.tx(i), rings[i], file, clock);
        }
    }

    /** Captures with the system's clock. */
    public static CapturingPort wrap(Port inner, Path path) throws LinkException {
        long epochNs = toNs(Instant.now()) - System.nanoTime();
        return new CapturingPort(inner, path, () -> epochNs + System.nanoTime());
    }

    private static long toNs(Instant now) {
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    /** Frames that passed and are not in the file. Any thread. */
    public long lostFrames() {
        return file.lost();
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

    @Override
    protected void closeOwn() {
        file.close();
        for (RecordRing ring : rings) {
            ring.close();
        }
    }
}
