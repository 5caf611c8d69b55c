package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a connection: RCV.NXT, text in and out of order, and what is reported of it. How much is offered to the peer is {@link ReceiveWindow}'s, when to
 * acknowledge {@link AckSchedule}'s. Everything is in stream positions; a FIN takes the position behind the last byte. Core thread only.
 */
final class Receiver {
    static final long NO_FIN = -1;

    /** How long emptied memory is kept for what comes next. */
    static final long TRIM_AFTER_NS = 100_000_000L;

    /** Sequence number of the peer's SYN. */
    int irs;
    /** RCV.NXT */
    long nxt;
    /** Position of the peer's FIN once it has been seen, in order or not. */
    long finPosition = NO_FIN;

    boolean scalingOffered;
    boolean sackPermitted;

    final ReceiveBuffer buffer;
    final ReceiveWindow window;
    final AckSchedule acks;
    final Timestamps timestamps = new Timestamps();

    private final ConnectionTimers timers;
    private final Counters counters;
    private final TcpConfig config;
    private @Nullable ReassemblyQueue reassembly;
    private boolean discarding;
    private boolean memoryShort;
    private long outOfOrderSegments;

    Receiver(
            ReceiveBuffer buffer,
            ConnectionTimers timers,
            RttEstimator rtt,
            Counters counters,
            TcpConfig config,
            TcpOptions options) {
        this.buffer = buffer;
        this.timers = timers;
        this.counters = counters;
        this.config = config;
        this.window = new ReceiveWindow(buffer, config, options);
        this.acks = new AckSchedule(timers, rtt, config, options);
    }

    /** The peer's SYN has been taken; {@code offered} is the window field our own SYN carried. */
    void open(int peerSequence, int offered, int mssOffered) {
        irs = peerSequence;
        nxt = 0;
        window.open(offered, mssOffered);
    }

    // ---- sequence numbers ----

    /** RCV.NXT as it goes on the wire. */
    int sequence() {
        return irs + 1 + (int) nxt;
    }

    /** The position a sequence number near RCV.NXT stands for. */
    long positionOf(int sequence) {
        return nxt + (sequence - sequence());
    }

    // ---- window ----

    /** The window field to send now; what is discarded takes no room. */
    int windowToAdvertise() {
        return window.advertise(nxt, discarding ? nxt : buffer.headAcquire());
    }

    /**
     * {@link Quirks#windowIsBuffer}: whether a segment that begins here begins where there is room; while there is none RCV.NXT itself is. A FIN takes a
     * position, and no room.
     */
    boolean hasRoomAt(long position) {
        long head = discarding ? nxt : buffer.headAcquire();
        long end = head + window.capacity() + (finReceived() ? 1 : 0);
        return position == nxt || position > nxt && position < end;
    }

    /** The application has read, or asked for something: memory and window follow. */
    void onConsumed(long roundTripNs, long nowNs) {
        if (discarding) {
            return;
        }
        long head = buffer.headAcquire();
        window.tune(head, roundTripNs, nowNs);
        if (finPosition == NO_FIN && window.updateDue(nxt, head)) {
            acks.ackNow = true;
        }
        if (acks.awaitsReader() && buffer.readableBytes() == 0) {
            acks.ackNow = true;
        }
    }

    // ---- text ----

    /**
     * RFC 9293 §3.10.7.4, seventh and eighth: takes in the part of {@code [from, from + length)} that lies in the window and is new, and
     * notes a FIN behind it.
     *
     * @return whether RCV.NXT moved
     */
    boolean onText(long from, TcpSegment segment, boolean fin, long nowNs) {
        long to = from + segment.payloadLength;
        if (fin && finPosition == NO_FIN && to >= nxt && to <= window.edge) {
            finPosition = to;
        }
        long end = Math.min(to, finPosition == NO_FIN ? window.edge : Math.min(window.edge, finPosition));
        long before = nxt;
        if (from < nxt && end > nxt) {
            onOldText(from, nxt); // as Linux reports what of a segment was there before (RFC 2883 §4.1)
        }
        if (from <= nxt && gapless()) {
            inOrder(from, end, segment, nowNs);
        } else {
            reassemble(from, end, segment.payloadAddress);
        }
        if (nxt == finPosition) {
            nxt++;
            window.edge++; // it takes no room, and the window is told as before, as Linux and FreeBSD do
            acks.ackNow |= config.features().quickAck() == QuickAck.NONE;
            onTaken(0, nowNs);
        }
        return nxt != before;
    }

    /** Whether received bytes have found no memory since this was asked last. */
    boolean takeMemoryShort() {
        boolean was = memoryShort;
        memoryShort = false;
        return was;
    }

    boolean finReceived() {
        return finPosition != NO_FIN && nxt > finPosition;
    }

    // ---- text with a SYN ----

    /** Keeps what came with the peer's SYN, without acknowledging it, until the handshake is complete (RFC 9293 §3.10.7.3). */
    void keepSynText(TcpSegment syn) {
        if (syn.payloadLength > 0) {
            ReassemblyQueue queue = reassemblyQueue();
            long kept = placeMissing(queue, 0, Math.min(syn.payloadLength, window.edge), syn.payloadAddress);
            if (kept > 0) {
                queue.add(0, kept);
            }
        }
    }

    /** The handshake is complete. Answers whether there was any. */
    boolean takeSynText(long nowNs) {
        ReassemblyQueue queue = reassembly;
        if (queue == null || nxt > 0 || queue.firstMissing(0, 1) == 0) {
            return false;
        }
        nxt = queue.contiguousFrom(0);
        queue.advanceTo(nxt);
        publish();
        onTaken((int) nxt, nowNs);
        return true;
    }

    private boolean gapless() {
        return reassembly == null || reassembly.isEmpty();
    }

    private void inOrder(long from, long end, TcpSegment segment, long nowNs) {
        int wanted = (int) (end - nxt);
        if (wanted <= 0) {
            acks.ackNow |= segment.payloadLength > 0; // nothing new in it, or no room: the peer must learn where we are
            return;
        }
        int placed = place(nxt, segment.payloadAddress + (nxt - from), wanted);
        nxt += placed;
        publish();
        if (placed < wanted || end < from + segment.payloadLength) {
            acks.ackNow = true;
        }
        onTaken(placed, nowNs);
    }

    private void onTaken(int length, long nowNs) {
        acks.onText(length, nxt, window.mss(), nowNs);
        if (!timers.isSet(ConnectionTimers.TRIM)) {
            timers.set(ConnectionTimers.TRIM, nowNs + TRIM_AFTER_NS);
        }
    }

    private int place(long position, long address, int length) {
        if (discarding) {
            return length;
        }
        int placed = buffer.place(position, address, length);
        if (placed < length) {
            buffer.reclaim(); // what has been read meanwhile may be all that is missing
            placed += buffer.place(position + placed, address + placed, length - placed);
        }
        if (placed < length) {
            counters.increment(Counter.TCP_RECEIVE_MEMORY_SHORT);
            memoryShort = true;
        }
        return placed;
    }

    private void publish() {
        if (!discarding) {
            buffer.publish(nxt);
        }
    }

    /** Text beyond a gap, or with a gap beyond it. */
    private void reassemble(long from, long end, long address) {
        if (from > nxt) {
            acks.onGap(sackPermitted);
        } else {
            acks.onGapFilled();
        }
        ReassemblyQueue queue = reassemblyQueue();
        long start = Math.max(from, nxt);
        if (start >= end || !queue.canAdd(start, end)) {
            return;
        }
        if (start > nxt && buffer.isMemoryShort()) {
            counters.increment(Counter.TCP_OUT_OF_ORDER_REFUSED);
            return; // else bytes beyond gaps could take all that is needed to fill the gaps
        }
        counters.increment(Counter.TCP_OUT_OF_ORDER);
        outOfOrderSegments++;
        long reached = placeMissing(queue, start, end, address - from);
        if (reached > start) {
            queue.add(start, reached);
        }
        nxt = queue.contiguousFrom(nxt);
        if (finPosition != NO_FIN) {
            nxt = Math.min(nxt, finPosition);
        }
        queue.advanceTo(nxt);
        publish();
    }

    /** Places what is not held yet; the first bytes received win. Returns the position up to which everything is held now. */
    private long placeMissing(ReassemblyQueue queue, long start, long end, long addressOfZero) {
        long missing = 0;
        long at = queue.firstMissing(start, end);
        while (at < end) {
            long gapEnd = queue.endOfGap(at, end);
            int placed = place(at, addressOfZero + at, (int) (gapEnd - at));
            missing += placed;
            if (placed < gapEnd - at) {
                return at + placed;
            }
            at = queue.firstMissing(gapEnd, end);
        }
        if (missing == 0) {
            queue.onDuplicate(start, end);
        }
        return end;
    }

    /** A segment that lies wholly before RCV.NXT came again (RFC 2883 §4.1). */
    void onOldText(long from, long to) {
        acks.onOldText();
        if (sackPermitted && from < to && from >= 0) {
            reassemblyQueue().onDuplicate(from, Math.min(to, nxt));
        }
    }

    private ReassemblyQueue reassemblyQueue() {
        ReassemblyQueue queue = reassembly;
        if (queue == null) {
            queue = new ReassemblyQueue();
            reassembly = queue;
        }
        return queue;
    }

    // ---- acknowledgment ----

    /** Every segment acknowledges; what was due is done. */
    void onAckSent(boolean withText, long nowNs) {
        acks.onSent(withText, nxt, nowNs);
    }

    // ---- SACK ----

    boolean hasGaps() {
        return reassembly != null && (!reassembly.isEmpty() || reassembly.hasDuplicate());
    }

    /** Bytes that SACK blocks would take in the next segment's header. */
    int sackOptionBytes() {
        if (!sackPermitted || !hasGaps()) {
            return 0;
        }
        int most = timestamps.enabled ? 3 : TcpSegment.MAX_SACK_BLOCKS;
        return TcpHeader.optionBytes(timestamps.enabled, most) - TcpHeader.optionBytes(timestamps.enabled, 0);
    }

    /** Fills in the blocks to report (RFC 2018 §4). */
    int sackBlocks(int[] left, int[] right) {
        ReassemblyQueue queue = reassembly;
        if (queue == null || !sackPermitted || !hasGaps()) {
            return 0;
        }
        int most = timestamps.enabled ? 3 : TcpSegment.MAX_SACK_BLOCKS;
        return queue.sackBlocks(left, right, most, sequence(), nxt);
    }

    // ---- figures ----

    long outOfOrderSegments() {
        return outOfOrderSegments;
    }

    // ---- end ----

    /** The application will not read any more: what has arrived is forgotten, what arrives is acknowledged and discarded. */
    void discard() {
        if (!discarding) {
            discarding = true;
            buffer.dispose();
        }
    }

    boolean discarding() {
        return discarding;
    }

    /** Gives memory back that has been read; answers whether some is still held. */
    boolean trim() {
        if (discarding) {
            return false;
        }
        buffer.reclaim();
        return buffer.readableBytes() > 0 || !gapless();
    }

    void checkInvariants() {
        int fin = finReceived() ? 1 : 0;
        assert window.edge >= nxt : "RCV.NXT beyond the window offered";
        assert discarding || buffer.tail() == nxt - fin : "published to another place than RCV.NXT";
        assert discarding || window.edge <= buffer.limit() + fin : "offered more than there is";
        assert finPosition == NO_FIN || nxt <= finPosition + 1 : "RCV.NXT beyond the FIN";
        acks.checkInvariants(nxt);
    }
}
