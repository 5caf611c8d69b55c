package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * The receiving half of a connection: RCV.NXT, the window offered, text in and out of order, and when to acknowledge. Everything is in
 * stream positions; a FIN takes the position behind the last byte. Core thread only.
 *
 * <pre>
 *      head              RCV.NXT                       edge       head + capacity
 *   ─────┬── readable ──────┬── offered, may be placed ──┬── free, not yet offered ──┬──
 * </pre>
 */
final class Receiver {
    static final long NO_FIN = -1;

    /** Segments acknowledged at once at the start, while the peer's window is small (Linux' TCP_MAX_QUICKACKS). */
    private static final int QUICK_ACKS = 16;

    /** A "full-sized" segment is at least this large, until a larger one is seen (RFC 9293 §3.8.6.3). */
    private static final int MIN_FULL_SEGMENT = 536;

    /** Sequence number of the peer's SYN. */
    int irs;
    /** RCV.NXT */
    long nxt;
    /** Right edge of the window offered last: never moves back (RFC 9293 §3.8.6, MUST-33 read strictly). */
    long edge;
    /** Position of the peer's FIN once it has been seen, in order or not. */
    long finPosition = NO_FIN;
    /** Rcv.Wind.Shift: applied to the windows we offer. */
    int scale;

    boolean scalingOffered;
    boolean sackPermitted;
    /** An ACK is due at the end of this burst. */
    boolean ackNow;

    final ReceiveBuffer buffer;
    final Timestamps timestamps = new Timestamps();

    private final ConnectionTimers timers;
    private final Counters counters;
    private final TcpConfig config;
    private final boolean windowIsBuffer;
    private final ReceiveTuning tuning;
    private @Nullable ReassemblyQueue reassembly;
    private int capacity;
    private int mss = MIN_FULL_SEGMENT;
    private int quickAcks = QUICK_ACKS;
    private int fullSegment = MIN_FULL_SEGMENT;
    private long ackedTo;
    /** How far the application had read when the window was told last. */
    private long headTold;

    private boolean discarding;
    private boolean memoryShort;
    private boolean quickAckAlways;
    /** When text came last; 0 before any. */
    private long lastTextNs;
    /**
     * The application answers what it receives, so answers can carry the acknowledgments (Linux' ping-pong mode): from the first answer that did so
     * until a delay passes without one.
     */
    private boolean interactive;

    private long outOfOrderSegments;

    // written by the core, read by the application
    /** A small segment's acknowledgment is delayed only until the application has read everything. */
    private volatile boolean ackAwaitsReader;

    Receiver(ReceiveBuffer buffer, ConnectionTimers timers, Counters counters, TcpConfig config, TcpOptions options) {
        this.buffer = buffer;
        this.timers = timers;
        this.counters = counters;
        this.config = config;
        this.windowIsBuffer = config.features().quirks().windowIsBuffer();
        this.capacity = buffer.capacity();
        this.scale = scaleFor(Math.max(config.maxReceiveBufferBytes(), capacity));
        this.tuning = new ReceiveTuning(config.maxReceiveBufferBytes(), options.receiveBufferBytes == 0);
        this.quickAckAlways = options.quickAck;
        capacity(capacity);
    }

    /** The smallest shift with which a window field can express the largest buffer. */
    static int scaleFor(int maxBufferBytes) {
        int shift = 0;
        while (shift < TcpHeader.MAX_WINDOW_SCALE && 0xffff << shift < maxBufferBytes) {
            shift++;
        }
        return shift;
    }

    /** The ACK of the peer's SYN rides on text: as on Linux what comes back is an answer, which need not be acknowledged at once. */
    void onFirstAckWithText() {
        interactive = true;
    }

    void quickAckAlways(boolean on) {
        quickAckAlways = on;
    }

    /** The peer's SYN has been taken; {@code offered} is the window field our own SYN carried. */
    void open(int peerSequence, int offered, int mssOffered) {
        irs = peerSequence;
        nxt = 0;
        ackedTo = 0;
        edge = offered;
        mss = mssOffered;
    }

    /** Window scaling was not agreed on. */
    void withoutScaling() {
        scale = 0;
        capacity(windowIsBuffer ? capacity : Math.min(capacity, 0xffff));
    }

    /** {@link Quirks#windowIsBuffer}: what there is room for, whether a window field can tell it or not. */
    void holdWholeSegments(int peerMss) {
        int segment = Math.min(mss, peerMss);
        if (windowIsBuffer && capacity > segment) {
            capacity(Math.ceilDiv(capacity, segment) * segment);
        }
    }

    /** Whether a segment that begins here begins in that window; while there is no room RCV.NXT itself is. */
    boolean hasRoomAt(long position) {
        long end = limit() + (finReceived() ? 1 : 0); // the FIN takes a position, and no room
        return position == nxt || position > nxt && position < end;
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

    int windowInSyn() {
        return Math.min(capacity, 0xffff);
    }

    private long limit() {
        return discarding ? nxt + capacity : buffer.headAcquire() + capacity;
    }

    /** Smallest step by which the edge moves, against silly windows (RFC 9293 §3.8.6.2.2). */
    private int step() {
        return Math.min(capacity / 2, mss);
    }

    /**
     * The window field to send now. Moves the edge as far as space allows. It is rounded up to the scale's unit, so that the peer does not see
     * it move back, within the unit of slack that the buffer has; beyond that it is rounded down, though text up to the edge told before
     * is still taken (RFC 7323 §2.4). Rounding up always would move the edge with every tiny segment, past any buffer.
     */
    int windowToAdvertise() {
        long limit = limit();
        long target = windowIsBuffer || limit - edge >= step() ? limit : edge;
        long window = Math.max(0, Math.max(target, edge) - nxt);
        long unit = 1L << scale;
        long room = Math.max(0, limit + unit - nxt);
        int field = (int) Math.min(Math.min(window + unit - 1 >> scale, room >> scale), 0xffff);
        edge = Math.max(edge, nxt + ((long) field << scale));
        headTold = buffer.headAcquire();
        return field;
    }

    /**
     * Whether the application has read enough for a segment of its own to tell the peer: what can be offered is at least twice what still
     * is, as on Linux (tcp_cleanup_rbuf), and worth a segment (RFC 9293 §3.8.6.2.2). A buffer that was larger than the window from the start is no
     * news; the next acknowledgments open it.
     */
    boolean windowUpdateDue(long head) {
        long offered = Math.max(0, edge - nxt);
        long room = head + capacity - nxt;
        return head > headTold && room >= step() && room >= 2 * offered;
    }

    /** Whether the application has freed enough for the core to look at window and buffer size. Any thread may ask, for an estimate. */
    boolean attentionDue(long head) {
        return head + capacity - edge >= Math.min(capacity / 2, 2 * mss);
    }

    /** The application has read, or asked for something: memory and window follow. */
    void onConsumed(long roundTripNs, long nowNs) {
        if (discarding) {
            return;
        }
        long head = buffer.headAcquire();
        int wanted = tuning.onConsumed(head, capacity, mss, roundTripNs, nowNs);
        if (wanted > capacity && scalingAllows(wanted)) {
            capacity(wanted);
        }
        if (finPosition == NO_FIN && windowUpdateDue(head)) {
            ackNow = true;
        }
        if (ackAwaitsReader && buffer.readableBytes() == 0) {
            ackNow = true;
        }
    }

    /**
     * Whether the application, which has read everything, ends the delay of an acknowledgment: the peer of an application that only reads
     * may be holding its next small segment back until this one is acknowledged (RFC 896), and would wait out the delay each time. Any
     * thread; a stale answer costs no more than the delay.
     */
    boolean ackAwaitsReader() {
        return ackAwaitsReader;
    }

    private boolean scalingAllows(int bytes) {
        return 0xffffL << scale >= bytes;
    }

    /** Sets the limit of bytes held; the window already offered stays valid. */
    void capacity(int bytes) {
        capacity = bytes;
        buffer.capacity(bytes + (1 << scale));
    }

    int capacity() {
        return capacity;
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
        if (fin && finPosition == NO_FIN && to >= nxt && to <= edge) {
            finPosition = to;
        }
        long end = Math.min(to, finPosition == NO_FIN ? edge : Math.min(edge, finPosition));
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
            edge++; // it takes no room, and the window is told as before, as Linux and FreeBSD do
            ackNow |= config.features().quickAck() == QuickAck.NONE;
            scheduleAck(0, nowNs);
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
            long kept = placeMissing(queue, 0, Math.min(syn.payloadLength, edge), syn.payloadAddress);
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
        scheduleAck((int) nxt, nowNs);
        return true;
    }

    private boolean gapless() {
        return reassembly == null || reassembly.isEmpty();
    }

    private void inOrder(long from, long end, TcpSegment segment, long nowNs) {
        int wanted = (int) (end - nxt);
        if (wanted <= 0) {
            ackNow |= segment.payloadLength > 0; // nothing new in it, or no room: the peer must learn where we are
            return;
        }
        int placed = place(nxt, segment.payloadAddress + (nxt - from), wanted);
        nxt += placed;
        publish();
        if (placed < wanted || end < from + segment.payloadLength) {
            ackNow = true;
        }
        scheduleAck(placed, nowNs);
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

    /** Text beyond a gap, or with a gap beyond it: at once acknowledged, so that the peer sees holes appear and close (RFC 5681 §4.2). */
    private void reassemble(long from, long end, long address) {
        ackNow = true;
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

    /**
     * RFC 9293 §3.8.6.3, RFC 5681 §4.2: at least every second full segment is acknowledged at once, others after a delay, so that the
     * application's answer can carry the acknowledgment.
     */
    private void scheduleAck(int length, long nowNs) {
        boolean full = length >= fullSegment;
        if (full) {
            fullSegment = Math.min(length, mss);
        }
        QuickAck first = config.features().quickAck();
        if (quickAcks > 0 && (full ? first != QuickAck.NONE : first == QuickAck.ALL && !interactive)) {
            quickAcks--;
            ackNow = true;
        }
        lastTextNs = nowNs;
        if (quickAckAlways || nxt - ackedTo >= 2L * fullSegment) {
            ackNow = true;
        } else if (!ackNow && !timers.isSet(ConnectionTimers.DELAYED_ACK)) {
            timers.set(ConnectionTimers.DELAYED_ACK, nowNs + config.delayedAckNs());
            if (!interactive && length < fullSegment && first != QuickAck.NONE) {
                ackAwaitsReader = true;
            }
        }
        if (!timers.isSet(ConnectionTimers.TRIM)) {
            timers.set(ConnectionTimers.TRIM, nowNs + TRIM_AFTER_NS);
        }
    }

    /** How long emptied memory is kept for what comes next. */
    static final long TRIM_AFTER_NS = 100_000_000L;

    /** No answer came in time to carry the acknowledgment. */
    void onDelayedAck() {
        interactive = false;
        ackNow = true;
    }

    /** Every segment acknowledges; what was due is done. */
    void onAckSent(boolean withText, long nowNs) {
        boolean answers = timers.isSet(ConnectionTimers.DELAYED_ACK)
                || config.features().quickAck() == QuickAck.ALL
                        && lastTextNs > 0
                        && nowNs - lastTextNs < config.delayedAckNs();
        if (withText && answers) {
            interactive = true;
        }
        if (ackAwaitsReader) {
            ackAwaitsReader = false;
        }
        ackNow = false;
        ackedTo = nxt;
        timers.clear(ConnectionTimers.DELAYED_ACK);
    }

    /** Last.ACK.sent (RFC 7323 §4.3). */
    long ackedTo() {
        return ackedTo;
    }

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

    int fullSegment() {
        return fullSegment;
    }

    /** When text came last; 0 before any. */
    long lastTextNs() {
        return lastTextNs;
    }

    long outOfOrderSegments() {
        return outOfOrderSegments;
    }

    /** {@link ReceiveTuning#readPerRoundTripBytes}. */
    long readPerRoundTripBytes() {
        return tuning.readPerRoundTripBytes();
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
        assert edge >= nxt : "RCV.NXT beyond the window offered";
        assert discarding || buffer.tail() == nxt - fin : "published to another place than RCV.NXT";
        assert discarding || edge <= buffer.limit() + fin : "offered more than there is";
        assert finPosition == NO_FIN || nxt <= finPosition + 1 : "RCV.NXT beyond the FIN";
        assert nxt == ackedTo || ackNow || timers.isSet(ConnectionTimers.DELAYED_ACK) : "received, and no ACK due";
        assert nxt >= ackedTo : "acknowledged what was not received";
    }
}
