package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.wire.TcpHeader;

/**
 * What we are willing to take: RCV.WND (RFC 9293 §3.3.1), how far it is offered to the peer, and how large the buffer behind it is, in stream positions. Core thread
 * only, but for what is said of the application.
 *
 * <pre>
 *      head              RCV.NXT                       edge       head + capacity
 *   ─────┬── readable ──────┬── offered, may be placed ──┬── free, not yet offered ──┬──
 * </pre>
 */
final class ReceiveWindow {
    /** Until the peer is told what it may send. */
    private static final int DEFAULT_MSS = 536;

    /** Right edge of the window offered last: never moves back (RFC 9293 §3.8.6, MUST-33 read strictly). */
    long edge;
    /** Rcv.Wind.Shift: applied to the windows we offer. */
    int scale;

    private final ReceiveBuffer buffer;
    private final ReceiveTuning tuning;
    /** {@link Quirks#windowIsBuffer} */
    private final boolean isBuffer;

    private int capacity;
    private int mss = DEFAULT_MSS;
    /** How far the application had read when the window was told last. */
    private long headTold;

    ReceiveWindow(ReceiveBuffer buffer, TcpConfig config, TcpOptions options) {
        this.buffer = buffer;
        this.isBuffer = config.features().quirks().windowIsBuffer();
        this.capacity = buffer.capacity();
        this.scale = scaleFor(Math.max(config.maxReceiveBufferBytes(), capacity));
        this.tuning = new ReceiveTuning(config.maxReceiveBufferBytes(), options.receiveBufferBytes == 0);
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

    // ---- handshake ----

    int inSyn() {
        return Math.min(capacity, 0xffff);
    }

    /** The peer's SYN has been taken; {@code offered} is the window field our own SYN carried. */
    void open(int offered, int mssOffered) {
        edge = offered;
        mss = mssOffered;
    }

    /** Window scaling was not agreed on. */
    void withoutScaling() {
        scale = 0;
        capacity(isBuffer ? capacity : Math.min(capacity, 0xffff));
    }

    /** {@link Quirks#windowIsBuffer}: what there is room for, whether a window field can tell it or not. */
    void holdWholeSegments(int peerMss) {
        int segment = Math.min(mss, peerMss);
        if (isBuffer && capacity > segment) {
            capacity(Math.ceilDiv(capacity, segment) * segment);
        }
    }

    /** Payload of the segments that the peer may send. */
    int mss() {
        return mss;
    }

    // ---- offering ----

    /** Smallest step by which the edge moves, against silly windows (RFC 9293 §3.8.6.2.2). */
    private int step() {
        return Math.min(capacity / 2, mss);
    }

    /**
     * The window field to send now. Moves the edge as far as space allows. It is rounded up to the scale's unit, so that the peer does not see
     * it move back, within the unit of slack that the buffer has; beyond that it is rounded down, though text up to the edge told before
     * is still taken (RFC 7323 §2.4). Rounding up always would move the edge with every tiny segment, past any buffer.
     *
     * @param head how far the application has read, or RCV.NXT when nobody reads any more
     */
    int advertise(long nxt, long head) {
        long limit = head + capacity;
        long target = isBuffer || limit - edge >= step() ? limit : edge;
        long window = Math.max(0, Math.max(target, edge) - nxt);
        long unit = 1L << scale;
        long room = Math.max(0, limit + unit - nxt);
        int field = (int) Math.min(Math.min(window + unit - 1 >> scale, room >> scale), 0xffff);
        edge = Math.max(edge, nxt + ((long) field << scale));
        headTold = head;
        return field;
    }

    /**
     * Whether the application has read enough for a segment of its own to tell the peer: what can be offered is at least twice what still
     * is, as on Linux (tcp_cleanup_rbuf), and worth a segment (RFC 9293 §3.8.6.2.2). A buffer that was larger than the window from the start is no
     * news; the next acknowledgments open it.
     */
    boolean updateDue(long nxt, long head) {
        long offered = Math.max(0, edge - nxt);
        long room = head + capacity - nxt;
        return head > headTold && room >= step() && room >= 2 * offered;
    }

    /** Whether the application has freed enough for the core to look at window and buffer size. Any thread may ask, for an estimate. */
    boolean attentionDue(long head) {
        return head + capacity - edge >= Math.min(capacity / 2, 2 * mss);
    }

    // ---- buffer size ----

    /** The application has read up to {@code head}: a buffer that it empties within a round trip is too small. */
    void tune(long head, long roundTripNs, long nowNs) {
        int wanted = tuning.onConsumed(head, capacity, mss, roundTripNs, nowNs);
        if (wanted > capacity && scalingAllows(wanted)) {
            capacity(wanted);
        }
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

    /** {@link ReceiveTuning#readPerRoundTripBytes}. */
    long readPerRoundTripBytes() {
        return tuning.readPerRoundTripBytes();
    }
}
