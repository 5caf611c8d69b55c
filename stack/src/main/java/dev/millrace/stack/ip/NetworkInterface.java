package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import org.jspecify.annotations.Nullable;

/**
 * One shard's end of a port, and the frames of a turn that wait to leave through it: control segments first, then pure
 * acknowledgments, then data, so that what others wait for is not behind bulk (mTCP §4.3). Core thread only.
 *
 * <p>What the ring does not take stays here. {@link #allocate} refuses above {@value #BACKLOG_LIMIT} frames, which is the
 * back-pressure that TCP sees; a frame allocated before may still be queued.
 */
public final class NetworkInterface {
    private static final int BACKLOG_LIMIT = 1024;
    /** Frames allocated below the limit and queued at once, as answers within one burst are. */
    private static final int SLACK = 512;

    private final Port port;
    private final TxQueue tx;
    private final Counters counters;
    private final FrameList control = new FrameList();
    private final FrameList acknowledgments = new FrameList();
    private final FrameList data = new FrameList();
    private boolean refused;

    final long mac;
    final int mtu;
    final boolean loopback;
    /** The TCP checksum field is to hold the pseudo-header's sum only: hardware completes it, or nobody will look. */
    final boolean partialChecksum;
    /** Flags for packets with a partial checksum. */
    final int checksumFlags;
    /** Nothing that arrives needs its checksum verified. */
    final boolean trusted;

    /**
     * @param queue this shard's queue pair
     * @param mtu largest IP packet to send, at most the port's
     */
    public NetworkInterface(Port port, int queue, int mtu, Counters counters) {
        this.port = port;
        this.tx = port.tx(queue);
        this.counters = counters;
        this.mac = port.mac();
        this.mtu = Math.min(mtu, port.mtu());
        this.loopback = mac == 0;
        PortCapabilities capabilities = port.capabilities();
        this.trusted = capabilities.trusted();
        this.partialChecksum = trusted || capabilities.txChecksum();
        this.checksumFlags = capabilities.txChecksum() && !trusted ? Packet.CHECKSUM_REQUESTED : 0;
    }

    public Port port() {
        return port;
    }

    /** An empty packet with headroom, or null when ring or pool are short; {@link #flush} then tells when to try again. */
    @Nullable
    Packet allocate() {
        if (backlog() >= BACKLOG_LIMIT) {
            drain();
            if (backlog() >= BACKLOG_LIMIT) {
                refused = true;
                return null;
            }
        }
        Packet packet = tx.allocate();
        if (packet == null) {
            drain(); // a driver may give packets back only when it is called
            packet = tx.allocate();
        }
        if (packet == null) {
            refused = true;
            counters.increment(Counter.DROP_NO_PACKET);
        }
        return packet;
    }

    /** Gives back a packet that will not be sent. */
    void release(Packet packet) {
        tx.release(packet);
    }

    /** Takes a complete frame; it leaves with the next flush. */
    void enqueue(Packet frame, Kind kind) {
        FrameList list = switch (kind) {
            case CONTROL -> control;
            case ACK -> acknowledgments;
            case DATA -> data;
        };
        if (list.count == list.frames.length) {
            drain();
            if (list.count == list.frames.length) {
                counters.increment(Counter.DROP_OUTPUT_OVERFLOW);
                tx.release(frame);
                return;
            }
        }
        list.frames[list.count++] = frame;
    }

    /** True when an allocation was refused and none has been possible since. */
    boolean refused() {
        return refused;
    }

    int backlog() {
        return control.count + acknowledgments.count + data.count;
    }

    /**
     * Transmits what waits, as far as the ring takes it.
     *
     * @return true when an allocation had been refused and is worth trying again
     */
    boolean flush() {
        if (backlog() > 0) {
            drain();
        }
        if (refused && backlog() < BACKLOG_LIMIT) {
            refused = false;
            return true;
        }
        return false;
    }

    private void drain() {
        if (drain(control) && drain(acknowledgments)) {
            drain(data);
        }
    }

    /** True when all of the list was taken. */
    private boolean drain(FrameList list) {
        int count = list.count;
        if (count == 0) {
            return true;
        }
        Packet[] frames = list.frames;
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += frames[i].length; // the port owns a frame, and may change it, once it has taken it
        }
        int sent = tx.transmit(frames, count);
        for (int i = sent; i < count; i++) {
            bytes -= frames[i].length;
            frames[i - sent] = frames[i];
        }
        list.count = count - sent;
        counters.add(Counter.TX_FRAMES, sent);
        counters.add(Counter.TX_BYTES, bytes);
        if (sent == count) {
            return true;
        }
        counters.add(Counter.TX_RING_FULL, count - sent);
        return false;
    }

    /** Gives everything back to the port unsent. */
    void close() {
        control.release(tx);
        acknowledgments.release(tx);
        data.release(tx);
    }

    /** Frames of one kind, in order. */
    private static final class FrameList {
        final Packet[] frames = new Packet[BACKLOG_LIMIT + SLACK];
        int count;

        void release(TxQueue tx) {
            for (int i = 0; i < count; i++) {
                tx.release(frames[i]);
            }
            count = 0;
        }
    }
}
