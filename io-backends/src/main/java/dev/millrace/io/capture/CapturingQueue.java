package dev.millrace.io.capture;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One queue pair of a {@link CapturingPort}; copies each frame into its ring on the core's thread. */
final class CapturingQueue implements RxQueue, TxQueue {
    private static final int MAX_BURST = 256;

    private final RxQueue rx;
    private final TxQueue tx;
    private final RecordRing ring;
    private final CaptureFile file;
    private final LongSupplier clock;
    private final long[] ends = new long[MAX_BURST];

    CapturingQueue(RxQueue rx, TxQueue tx, RecordRing ring, CaptureFile file, LongSupplier clock) {
        this.rx = rx;
        this.tx = tx;
        this.ring = ring;
        this.file = file;
        this.clock = clock;
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        int count = rx.receive(into, max);
        if (count > 0) {
            long now = clock.getAsLong();
            for (int i = 0; i < count; i++) {
                record(now, Pcapng.INBOUND, into[i]);
            }
            ring.commit(ring.position());
        }
        return count;
    }

    private void record(long now, int direction, Packet packet) {
        if (file.hasFailed() || !ring.hasRoom(Pcapng.packetBytes(packet.length))) {
            file.onLost();
            return;
        }
        Pcapng.packet(ring, now, direction, packet.address, packet.length);
    }

    @Override
    public void release(Packet[] packets, int count) {
        rx.release(packets, count);
    }

    @Override
    public void await(long timeoutNs) {
        rx.await(timeoutNs);
    }

    @Override
    public void wake() {
        rx.wake();
    }

    // ---- transmit ----

    @Override
    public @Nullable Packet allocate() {
        return tx.allocate();
    }

    /** Frames are recorded before they are handed over, because they are not ours afterwards; those not accepted are taken back. */
    @Override
    public int transmit(Packet[] packets, int count) {
        int burst = Math.min(count, MAX_BURST);
        if (burst == 0) {
            return 0;
        }
        long start = ring.position();
        long now = clock.getAsLong();
        for (int i = 0; i < burst; i++) {
            record(now, Pcapng.OUTBOUND, packets[i]);
            ends[i] = ring.position();
        }
        int sent = tx.transmit(packets, burst);
        ring.commit(sent == 0 ? start : ends[sent - 1]);
        return sent;
    }

    @Override
    public void release(Packet packet) {
        tx.release(packet);
    }
}
