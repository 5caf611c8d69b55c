package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.SendBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;

/**
 * The sending half of a connection: SND.UNA, SND.NXT, what ACKs and timeouts do to them, and the parts that know the rest: {@link Transmitter} sends, {@link
 * LossRecovery} says what is lost and how much may be in the network, {@link SegmentSize} how large segments are. Everything is in stream positions: the SYN
 * takes −1, the first byte 0, a FIN the position behind the last byte. Core thread only.
 */
final class Sender {
    static final long NO_FIN = -1;

    /** Initial send sequence number: our SYN's. */
    int iss;
    /** SND.UNA */
    long una = -1;
    /** SND.NXT */
    long nxt = -1;
    /** Where our FIN stands once the application has closed its side. */
    long finPosition = NO_FIN;

    final SendBuffer buffer;
    final SendWindow window = new SendWindow();
    final RttEstimator rtt;
    final SillyWindowAvoidance sillyWindow;
    final Transmitter transmitter;

    private final TcpConnection connection;
    private final ConnectionTimers timers;
    private final SegmentSize size;
    private final Tcp tcp;
    private int maxBufferBytes;

    // set when the peer's SYN has come
    @SuppressWarnings("NullAway.Init")
    private LossRecovery recovery;

    @SuppressWarnings("NullAway.Init")
    private LossTimers lossTimers;

    Sender(TcpConnection connection, SendBuffer buffer, Tcp tcp, TcpOptions options) {
        this.connection = connection;
        this.buffer = buffer;
        this.tcp = tcp;
        this.timers = connection.timers;
        this.rtt = new RttEstimator(tcp.config.minRtoNs());
        this.size = new SegmentSize(connection, tcp.config.mtuProbing());
        this.sillyWindow = new SillyWindowAvoidance(connection, this);
        this.transmitter = new Transmitter(connection, this, size, tcp, options);
        apply(options);
    }

    void apply(TcpOptions options) {
        sillyWindow.apply(options);
        if (options.sendBufferBytes > 0) {
            buffer.capacity(options.sendBufferBytes);
            maxBufferBytes = 0;
        } else {
            maxBufferBytes = tcp.config.maxSendBufferBytes();
        }
    }

    /** The handshake is complete: our SYN is acknowledged and the peer's options are known. */
    void onEstablished(int mss, boolean synLost, long nowNs) {
        una = 0;
        if (nxt > 0) { // a Fast Open server has answered already
            timers.set(ConnectionTimers.RETRANSMIT, nowNs + rtt.rtoNs());
            return;
        }
        nxt = 0;
        open(mss, synLost, nowNs);
        timers.clear(ConnectionTimers.RETRANSMIT);
    }

    /** What the peer's SYN has told says how to send. */
    private void open(int mss, boolean synLost, long nowNs) {
        size.start(mss, nowNs);
        recovery = tcp.newRecovery(
                tcp.congestionControl(connection.options()),
                connection.receiver.sackPermitted,
                segmentBytes(),
                synLost,
                rtt);
        lossTimers = new LossTimers(timers, rtt, recovery);
        transmitter.open(recovery, lossTimers, nowNs);
    }

    /** Data with the SYN has opened the connection, which may answer before its own SYN is acknowledged (RFC 7413 §4.2.2). */
    void onFastOpened(int mss, long nowNs) {
        open(mss, false, nowNs);
    }

    /**
     * The SYN+ACK was not answered in time, so what followed it may be lost as well: as on Linux nothing of it is sent again before the
     * handshake is complete, and then with the window that a timeout leaves.
     */
    void onSynAckTimeout(long nowNs) {
        if (nxt > 0 && connection.retries.timeouts() == 1) {
            recovery.onTimeout(nowNs);
        }
    }

    /** The SYN+ACK has acknowledged {@code taken} of the bytes that went with the SYN. */
    void onSynAck(int taken, int sent, int windowField, long nowNs) {
        sillyWindow.synTextEnd = sent;
        if (taken > 0) {
            onSynDataAcked(taken, windowField, nowNs);
        }
    }

    /**
     * The SYN+ACK has acknowledged bytes that went with the SYN (RFC 7413 §4.2.1): as if they had left just after the SYN.
     *
     * @param windowField the SYN+ACK's, which is not scaled
     */
    private void onSynDataAcked(int bytes, int windowField, long nowNs) {
        recovery.onSent(0, bytes, connection.synSentNs);
        una = bytes;
        nxt = bytes;
        buffer.releaseTo(bytes);
        window.open(0, bytes, windowField);
        Acknowledgment arrived = tcp.acknowledgment;
        arrived.begin(bytes, bytes, nowNs);
        recovery.onAck(arrived);
    }

    // ---- sequence numbers ----

    /** The number that goes on the wire for a position. */
    int sequenceOf(long position) {
        return iss + 1 + (int) position;
    }

    /** The position a sequence number near SND.UNA stands for. */
    long positionOf(int sequence) {
        return una + (sequence - sequenceOf(una));
    }

    boolean inFlight() {
        return nxt > una;
    }

    boolean finAcknowledged() {
        return finPosition != NO_FIN && una > finPosition;
    }

    /** Position behind the last byte that will ever be, or can now be, sent. */
    long dataEnd() {
        return finPosition != NO_FIN ? finPosition : buffer.tailAcquire();
    }

    /** The application closes its side: a FIN follows what it has written so far. */
    void finish() {
        if (finPosition == NO_FIN) {
            finPosition = buffer.tailAcquire();
        }
    }

    /** Something written, or a FIN, has never been sent. */
    boolean hasUnsent() {
        return nxt < dataEnd() || finPosition != NO_FIN && nxt == finPosition;
    }

    // ---- sending ----

    /** Sends what may go now, also before the handshake is complete when data with the peer's SYN has opened the connection. */
    void transmit(long nowNs) {
        boolean synchronised = connection.state().sendsText();
        if (!synchronised && !connection.fastOpen.mayAnswerEarly()) {
            return;
        }
        if (size.pathHasChanged()) {
            onPathChanged();
        }
        transmitter.transmit(synchronised, nowNs);
    }

    // ---- segment size ----

    private void onPathChanged() {
        size.onPathChanged();
        resize();
    }

    private void resize() {
        recovery.segmentBytes(segmentBytes());
    }

    /** Payload of a full segment without SACK blocks. */
    int segmentBytes() {
        return size.payloadBytes();
    }

    // ---- acknowledgments ----

    /**
     * An ACK in [SND.UNA, SND.NXT] (RFC 9293 §3.10.7.4, fifth).
     *
     * @param from position of the segment's first byte in the peer's stream
     * @param text the segment takes up sequence space, or acknowledges our SYN, so it is no duplicate ACK
     */
    void onAck(long ack, TcpSegment segment, long from, boolean text, long nowNs) {
        long prior = una;
        boolean windowChanged = window.update(from, ack, segment.window);
        connection.retries.onAnswer();
        if (nxt == prior && segment.sackBlocks == 0 && !recovery.isProbeOut()) {
            return;
        }
        if (ack > prior) {
            advance(ack, nowNs);
        }
        Acknowledgment arrived = tcp.acknowledgment;
        arrived.begin(ack, ack, nowNs);
        arrived.duplicate = ack == prior && !text && !windowChanged;
        arrived.windowLimited = transmitter.isWindowLimited();
        arrived.newDataWaits = nxt < dataEnd() && nxt < window.edge;
        arrived.ecnEcho = connection.ecn.isEcho(segment);
        arrived.takeSack(segment, this);
        arrived.takeEcho(segment, connection.receiver.timestamps);
        boolean before = recovery.inRecovery();
        recovery.onAck(arrived);
        lossTimers.onNews(inFlight(), ack > prior, nowNs);
        if (arrived.ecnEcho && !recovery.inRecovery() && connection.ecn.asksForReduction(una)) {
            tcp.counters.increment(Counter.TCP_ECN_REDUCTIONS);
            recovery.onEcnEcho(nowNs);
            connection.ecn.onReduced(nxt);
        } else if (!before && recovery.inRecovery()) {
            connection.ecn.onReduced(nxt);
        }
        if (size.onAcknowledged(una)) {
            tcp.counters.increment(Counter.TCP_MTU_PROBES_DELIVERED);
            resize();
        } else if (!before && recovery.inRecovery()) {
            forgiveProbe(nowNs);
        }
    }

    /** A newer one has overtaken it, but what it SACKs has arrived all the same (as Linux). */
    void onOvertakenAck(long ack, TcpSegment segment, long nowNs) {
        Acknowledgment arrived = tcp.acknowledgment;
        arrived.begin(una, ack, nowNs);
        arrived.newDataWaits = nxt < dataEnd() && nxt < window.edge;
        arrived.takeSack(segment, this);
        boolean before = recovery.inRecovery();
        recovery.onAck(arrived);
        lossTimers.onNews(inFlight(), false, nowNs);
        if (!before && recovery.inRecovery()) {
            connection.ecn.onReduced(nxt);
            forgiveProbe(nowNs);
        }
    }

    /** Recovery has begun: if because of a probe of the path's MTU, its size was the reason, not congestion (RFC 4821 §7.6.2). */
    private void forgiveProbe(long nowNs) {
        if (size.onLoss(una)) {
            recovery.onLostForItsSize(nowNs);
        }
    }

    private void advance(long ack, long nowNs) {
        una = ack;
        buffer.releaseTo(Math.min(ack, dataEnd()));
        connection.retries.onProgress();
        connection.path.confirm(nowNs);
    }

    /** Segments sent before one that has arrived are overdue (RFC 8985 §6.2). */
    void onReorderTimer(long nowNs) {
        if (!inFlight()) {
            return;
        }
        boolean before = recovery.inRecovery();
        recovery.onReorderTimer(nowNs);
        if (!before && recovery.inRecovery()) {
            connection.ecn.onReduced(nxt);
            forgiveProbe(nowNs);
        }
        lossTimers.onNews(inFlight(), false, nowNs);
    }

    /** The path has become narrower and what is in flight has not got through: it is lost, though not by congestion. */
    void onPacketTooBig(long nowNs) {
        onPathChanged();
        if (inFlight()) {
            recovery.onPathNarrowed(nowNs);
            lossTimers.onNews(inFlight(), false, nowNs);
        }
    }

    /** The application found too little space: a buffer of two windows keeps the sender busy for a round trip while it refills. */
    void growBuffer() {
        if (una < 0) {
            return; // what is written before the handshake is complete waits for it (RFC 9293 §3.10.2)
        }
        long wanted = Math.min(2L * recovery.cwndBytes() + 2L * segmentBytes(), maxBufferBytes);
        if (wanted > buffer.capacity()) {
            buffer.capacity((int) wanted);
        }
    }

    /** RFC 6298 (5.4) to (5.6): the earliest segment not acknowledged goes out again, and the next timeout is twice as long. */
    void onRetransmissionTimeout(long nowNs) {
        rtt.backOff();
        if (size.onTimeout(connection.retries.haveLasted(PathMtuSearch.BLACK_HOLE_RETRIES, nowNs), nxt - una, nowNs)) {
            tcp.counters.increment(Counter.TCP_MTU_BLACK_HOLES);
            resize();
        }
        recovery.onTimeout(nowNs);
        connection.ecn.onReduced(nxt);
        lossTimers.onTimeout(nowNs);
        transmit(nowNs);
    }

    // ---- figures ----

    RecoveryFigures recoveryFigures() {
        RecoveryFigures figures = new RecoveryFigures();
        if (una < 0) {
            figures.inFlightSegments = nxt > una ? 1 : 0; // our SYN
            return figures;
        }
        figures.synTextEnd = sillyWindow.synTextEnd;
        recovery.describe(figures);
        if (connection.fastOpen.synDataBytes == 0 || !connection.tally.synDataTaken) {
            figures.deliveredSegments++; // our SYN, with no more than which its data was delivered
        }
        return figures;
    }

    /** What keeps the application's bytes from being acknowledged. */
    ConnectionTally.Activity activity(boolean spaceWanted) {
        long unsent = unsentBytes();
        if (unsent == 0) {
            return spaceWanted
                    ? ConnectionTally.Activity.BUFFER_LIMITED
                    : inFlight() ? ConnectionTally.Activity.BUSY : ConnectionTally.Activity.IDLE;
        }
        return window.edge - nxt < Math.min(unsent, segmentBytes())
                ? ConnectionTally.Activity.WINDOW_LIMITED
                : ConnectionTally.Activity.BUSY;
    }

    /** What of the SYN's text has not been taken goes again, though in SND.NXT's place. */
    boolean isSynText(long position) {
        return position < sillyWindow.synTextEnd;
    }

    /** Written and not sent; a FIN counts as one. */
    long unsentBytes() {
        return Math.max(0, dataEnd() + (finPosition == NO_FIN ? 0 : 1) - Math.max(nxt, 0));
    }

    /** Bytes per second at which segments leave when they are paced; 0 before the handshake is complete. */
    long pacingRate() {
        return una < 0 ? 0 : recovery.pacingRate(rtt.smoothedRttNs());
    }

    /** 0 before the handshake is complete. */
    long cwndBytes() {
        return una < 0 ? 0 : recovery.cwndBytes();
    }

    /** 0 before the handshake is complete. */
    long ssthreshBytes() {
        return una < 0 ? 0 : recovery.ssthreshBytes();
    }

    void checkInvariants() {
        assert una <= nxt : "SND.UNA beyond SND.NXT";
        assert una < 0 || buffer.head() == Math.min(una, dataEnd()) : "released to another place than SND.UNA";
        assert nxt <= dataEnd() + (finPosition == NO_FIN ? 0 : 1) : "sent what was not written";
        assert nxt == una
                        || una < 0
                        || timers.isSet(ConnectionTimers.RETRANSMIT)
                        || timers.isSet(ConnectionTimers.LOSS_PROBE)
                : "in flight without a timer";
        assert nxt > una
                        || timers.isSet(ConnectionTimers.PERSIST)
                        || timers.isSet(ConnectionTimers.PACING)
                        || connection.blocked
                        || !connection.state().sendsText()
                        || !hasUnsent()
                        || connection.socket.isPending()
                : "something to send, nothing in flight, no timer";
        assert recovery.inFlightBytes() >= 0 : "negative pipe";
        assert nxt > una || recovery.inFlightBytes() == 0
                : "pipe " + recovery.inFlightBytes() + " with nothing in flight";
        assert recovery.cwndBytes() >= 0 : "cwnd " + recovery.cwndBytes();
        assert window.edge - una <= 1L << 30 : "window beyond what scaling allows";
    }
}
