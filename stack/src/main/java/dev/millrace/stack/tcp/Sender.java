package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.SendBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * The sending half of a connection: SND.UNA, SND.NXT, what may be sent now, and what ACKs do to it. Everything is in stream positions:
 * the SYN takes −1, the first byte 0, a FIN the position behind the last byte. Core thread only.
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

    private final TcpConnection connection;
    private final ConnectionTimers timers;
    private final SegmentWriter writer;
    private final SegmentSize size;
    private final Tcp tcp;

    // set when the handshake is complete
    @SuppressWarnings("NullAway.Init")
    private LossRecovery recovery;

    @SuppressWarnings("NullAway.Init")
    private LossTimers lossTimers;

    /** Nagle, Minshall's variant: end of the last segment sent that was not full. */
    private long smallSegmentEnd = -1;

    /** End of what went with our SYN; what of it goes again does so as one segment that is not small, as on Linux. */
    private long synTextEnd;

    private final CwndUsage usage = new CwndUsage();
    private final @Nullable Pacer pacer;
    private long lastSentNs;
    private boolean idlenessJudged;
    private boolean noDelay;
    private boolean corked;
    /** What was written before TCP_NODELAY was set last goes, corked or not (as Linux). */
    private long pushedEnd;
    /** What does not fill a segment is not sent now: the application has said that more follows. */
    boolean moreFollows;
    /** The current transmission has sent something for the first time. */
    private boolean sentNew;
    /** The current transmission found no packet. */
    private boolean outOfPackets;
    /** The current transmission was stopped by pacing. */
    private boolean heldBack;

    private int maxBufferBytes;

    Sender(TcpConnection connection, SendBuffer buffer, Tcp tcp, TcpOptions options) {
        this.connection = connection;
        this.buffer = buffer;
        this.tcp = tcp;
        this.timers = connection.timers;
        this.writer = tcp.writer;
        this.rtt = new RttEstimator(tcp.config.minRtoNs());
        boolean paced = tcp.config.pacing() || tcp.congestionControl(options).needsPacing();
        this.pacer = paced ? new Pacer() : null;
        this.size = new SegmentSize(connection, tcp.config.mtuProbing());
        apply(options);
    }

    void apply(TcpOptions options) {
        noDelay = options.noDelay;
        corked = options.cork;
        if (noDelay) {
            pushedEnd = buffer.tailAcquire();
        }
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
        lastSentNs = nowNs;
        recovery = tcp.newRecovery(
                tcp.congestionControl(connection.options()),
                connection.receiver.sackPermitted,
                segmentBytes(),
                synLost,
                rtt);
        lossTimers = new LossTimers(timers, rtt, recovery);
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
        synTextEnd = sent;
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
        arrived.una = bytes;
        arrived.acknowledged = bytes;
        arrived.duplicate = false;
        arrived.sackBlocks = 0;
        arrived.echoNs = Acknowledgment.NONE;
        arrived.windowLimited = false;
        arrived.ecnEcho = false;
        arrived.newDataWaits = false;
        arrived.nowNs = nowNs;
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
    private long dataEnd() {
        return finPosition != NO_FIN ? finPosition : buffer.tailAcquire();
    }

    /** The application closes its side: a FIN follows what it has written so far. */
    void finish() {
        if (finPosition == NO_FIN) {
            finPosition = buffer.tailAcquire();
        }
    }

    // ---- sending ----

    /** Sends what windows, Nagle and loss recovery allow now, and sets the timers that follow from it. */
    void transmit(long nowNs) {
        boolean synchronised = connection.state().sendsText();
        if (!synchronised && !connection.mayAnswerEarly()) {
            return;
        }
        if (size.pathHasChanged()) {
            onPathChanged();
        }
        outOfPackets = false;
        heldBack = false;
        sentNew = false;
        boolean stopped = !((!synchronised || retransmitLost(nowNs)) && transmitNew(nowNs));
        if (recovery.releasesRetransmissions()) {
            stopped |= !retransmitLost(nowNs);
        }
        if (sentNew && synchronised) { // before, the SYN+ACK's timer watches
            lossTimers.onTransmitted(nowNs);
        }
        if (!stopped && dataEnd() - nxt < segmentBytes() && recovery.allowanceBytes() > 0) {
            recovery.onApplicationLimited();
        }
        usage.onTransmitted(stopped && !outOfPackets && !heldBack, recovery.inFlightBytes(), una, nxt);
        if (sentNew) {
            validateWindow(nowNs);
        }
        if (outOfPackets) {
            tcp.onBlocked(connection);
        } else {
            setPersistTimer(nowNs);
        }
    }

    /** A window that the application does not use says less and less of the path (RFC 2861 §3; as on Linux with its tcp_slow_start_after_idle). */
    private void validateWindow(long nowNs) {
        boolean limited = isWindowLimited();
        if (usage.isUnused(limited, recovery.inFlightBytes(), nowNs, rtt.rtoNs())
                && tcp.config.features().slowStartAfterIdle()) {
            recovery.onUnused(usage.takeUsedBytes(nowNs));
        }
    }

    private boolean isWindowLimited() {
        return usage.isLimited(recovery.cwndBytes(), recovery.ssthreshBytes());
    }

    // The two that follow answer false when the congestion window is full or no packet was to be had.

    private boolean retransmitLost(long nowNs) {
        long from = recovery.retransmitFrom();
        // like Linux nothing goes beyond an edge that has moved back, except what the peer says is next
        while (from != LossRecovery.NOTHING && (from < window.edge || from == una)) {
            long to = recovery.retransmitTo();
            boolean allowed = recovery.allowanceBytes() >= Math.min(to - from, segmentBytes()) && mayLeave(nowNs);
            if (!allowed || !retransmit(from, to, nowNs)) {
                return false;
            }
            from = recovery.retransmitFrom();
        }
        return true;
    }

    /** Sends {@code [from, to)} again: one segment, or several when segments have become smaller meanwhile. */
    private boolean retransmit(long from, long to, long nowNs) {
        long edge = from < window.edge ? Math.min(to, window.edge) : to;
        for (long at = from; at < edge; at = sendAgain(at, edge, nowNs)) {
            if (outOfPackets) {
                return false;
            }
        }
        boolean head = from == una;
        recovery.onRetransmitted(from, to, nowNs); // beyond the edge as well: whatever does not arrive is lost again
        lastSentNs = nowNs;
        if (head) {
            lossTimers.restart(nowNs);
        }
        return true;
    }

    /** False when the segment has to wait for its departure time; a timer goes on then. */
    private boolean mayLeave(long nowNs) {
        Pacer departures = pacer;
        if (departures == null || departures.permits(nowNs)) {
            return true;
        }
        heldBack = true;
        timers.set(ConnectionTimers.PACING, departures.permittedNs());
        return false;
    }

    private void pace(int length, long nowNs) {
        Pacer departures = pacer;
        if (departures != null) {
            departures.onSent(length, recovery.pacingRate(rtt.smoothedRttNs()), nowNs);
        }
    }

    /** Answers where to go on; {@code at} itself, and {@link #outOfPackets} is set, when no packet was to be had. */
    private long sendAgain(long at, long to, long nowNs) {
        long end = dataEnd();
        int length = (int) Math.min(Math.min(to, end) - at, size.payloadLimit());
        boolean fin = finPosition != NO_FIN && at + length == end && to > end;
        boolean last = length > 0 && (at + length == end || at + length == synTextEnd);
        int flags = TcpSegment.ACK | (last ? TcpSegment.PSH : 0) | (fin ? TcpSegment.FIN : 0);
        if (!writer.segment(connection, at, length, flags, SegmentOutput.Kind.DATA, nowNs)) {
            outOfPackets = true;
            return at;
        }
        pace(length, nowNs);
        tcp.counters.increment(Counter.TCP_RETRANSMITTED_SEGMENTS);
        return at + length + (fin ? 1 : 0);
    }

    private boolean transmitNew(long nowNs) {
        long end = dataEnd();
        if (nxt >= end + (finPosition == NO_FIN ? 0 : 1)) {
            return true;
        }
        restartAfterIdleness(nowNs);
        int probe = mtuProbePayload(nowNs);
        if (probe > 0 && !probeMtu(probe, nowNs)) {
            return false;
        }
        boolean fin = finPosition != NO_FIN;
        while (nxt < end || fin && nxt == end) {
            long queued = end - nxt;
            long usable = Math.max(0, window.edge - nxt);
            int limit = size.payloadLimit();
            int length = (int) Math.min(Math.min(queued, usable), limit);
            if (nxt < synTextEnd) {
                length = (int) Math.min(length, synTextEnd - nxt);
            }
            boolean withFin = fin && length == queued && usable > queued;
            if (!withFin && !isWorthSending(length, queued, limit)) {
                return true;
            }
            if (length > recovery.allowanceBytes()
                    || !mayLeave(nowNs)
                    || !send(length, pushes(length, queued, withFin), withFin, limit, nowNs)) {
                return false;
            }
        }
        return true;
    }

    /** RFC 5681 §4.1. Judged once, when the first data comes after all was acknowledged: waiting for the peer's window is not idleness (as Linux). */
    private void restartAfterIdleness(long nowNs) {
        if (nxt != una || idlenessJudged) {
            return;
        }
        idlenessJudged = true;
        long idleNs = nowNs - lastSentNs;
        if (idleNs > rtt.rtoNs() && tcp.config.features().slowStartAfterIdle()) {
            recovery.onIdle(idleNs, rtt.rtoNs(), nowNs);
            usage.takeUsedBytes(nowNs);
        }
    }

    /** RFC 9293 §3.9.1, MUST-61; what goes again from the SYN as well, since Linux keeps its end. */
    private boolean pushes(int length, long queued, boolean withFin) {
        boolean last = length == queued && (withFin || !connection.moreFollows());
        return length > 0 && (last || nxt + length == synTextEnd);
    }

    /**
     * Sender's silly window avoidance and Nagle's algorithm (RFC 9293 §3.8.6.2.1), the latter with Minshall's modification: a small segment
     * waits only for another small one. Its fourth case, the override, is the persist timer's.
     */
    private boolean isWorthSending(int length, long queued, int limit) {
        if (length == 0) {
            return false;
        }
        if (length == limit || nxt < synTextEnd) {
            return true;
        }
        if (length == queued) {
            boolean more = (corked || moreFollows) && nxt + length > pushedEnd;
            boolean held = more || !noDelay && smallSegmentEnd > una;
            return !held || connection.urgent.isUnacknowledged(una);
        }
        return length >= window.maxBytes / 2;
    }

    private boolean send(int length, boolean push, boolean withFin, int limit, long nowNs) {
        int flags = TcpSegment.ACK | (push ? TcpSegment.PSH : 0) | (withFin ? TcpSegment.FIN : 0);
        if (!writer.segment(connection, nxt, length, flags, SegmentOutput.Kind.DATA, nowNs)) {
            outOfPackets = true;
            return false;
        }
        pace(length, nowNs);
        long to = nxt + length + (withFin ? 1 : 0);
        recovery.onSent(nxt, to, nowNs);
        sentNew = true;
        idlenessJudged = false;
        if (length < limit && to > synTextEnd) {
            smallSegmentEnd = to;
        }
        nxt = to;
        lastSentNs = nowNs;
        lossTimers.onSent(nowNs);
        return true;
    }

    /** RFC 9293 §3.8.6.1: nothing is in flight whose ACK could open the window, yet something waits for it. */
    private void setPersistTimer(long nowNs) {
        boolean waits = nxt == una && (nxt < dataEnd() || finPosition != NO_FIN && nxt == finPosition);
        if (!waits) {
            timers.clear(ConnectionTimers.PERSIST);
        } else if (!timers.isSet(ConnectionTimers.PERSIST)) {
            timers.set(ConnectionTimers.PERSIST, nowNs + connection.retries.persistIntervalNs());
        }
    }

    /** The persist timer fired: sends what the window takes though it is little, and pushes it, as Linux. False when it takes nothing at all. */
    boolean overrideSillyWindow(long nowNs) {
        long usable = window.edge - nxt;
        int length = (int) Math.min(Math.min(dataEnd() - nxt, usable), size.payloadLimit());
        return length > 0 && send(length, nxt + length == dataEnd(), false, size.payloadLimit(), nowNs);
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

    private int mtuProbePayload(long nowNs) {
        long available = Math.min(dataEnd(), window.edge) - nxt;
        return recovery.inRecovery() ? 0 : size.probePayload(available, recovery.cwndBytes(), nowNs);
    }

    /** False when it has to wait for the congestion window, which all that follows it waits for then, too. */
    private boolean probeMtu(int length, long nowNs) {
        long from = nxt;
        if (length > recovery.allowanceBytes() || !send(length, false, false, length, nowNs)) {
            return false;
        }
        size.onProbeSent(from, nxt);
        tcp.counters.increment(Counter.TCP_MTU_PROBES);
        return true;
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
        arrived.una = ack;
        arrived.acknowledged = ack;
        arrived.duplicate = ack == prior && !text && !windowChanged;
        arrived.windowLimited = isWindowLimited();
        arrived.newDataWaits = nxt < dataEnd() && nxt < window.edge;
        arrived.nowNs = nowNs;
        gatherSack(segment, arrived);
        gatherEcho(segment, arrived);
        boolean before = recovery.inRecovery();
        arrived.ecnEcho = connection.ecn.isEcho(segment);
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
        arrived.una = una;
        arrived.acknowledged = ack;
        arrived.duplicate = false;
        arrived.windowLimited = false;
        arrived.newDataWaits = nxt < dataEnd() && nxt < window.edge;
        arrived.nowNs = nowNs;
        arrived.echoNs = Acknowledgment.NONE;
        arrived.ecnEcho = false;
        gatherSack(segment, arrived);
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

    private void gatherSack(TcpSegment segment, Acknowledgment arrived) {
        arrived.sackBlocks = segment.sackBlocks;
        for (int i = 0; i < segment.sackBlocks; i++) {
            arrived.sackFrom[i] = positionOf(segment.sackLeft[i]);
            arrived.sackTo[i] = positionOf(segment.sackRight[i]);
        }
    }

    private void gatherEcho(TcpSegment segment, Acknowledgment arrived) {
        Timestamps timestamps = connection.receiver.timestamps;
        arrived.echoNs = timestamps.enabled && segment.hasTimestamp
                ? timestamps.echoedNs(segment.timestampEcho, arrived.nowNs)
                : Acknowledgment.NONE;
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

    /** RFC 8985 §7.3: new data if there is some, which neither cwnd nor Nagle hold back; otherwise the last segment again. */
    void onLossProbe(long nowNs) {
        if (!inFlight()) {
            return;
        }
        outOfPackets = false;
        boolean sent =
                recovery.probeTimeoutNs() != LossRecovery.NOTHING && (probeWithNew(nowNs) || probeWithLast(nowNs));
        lossTimers.onProbe(sent, nowNs);
    }

    private boolean probeWithNew(long nowNs) {
        long queued = dataEnd() - nxt;
        long usable = window.edge - nxt;
        int length = (int) Math.min(Math.min(queued, usable), size.payloadLimit());
        boolean fin = finPosition != NO_FIN && nxt <= finPosition && length == queued && usable > queued;
        if ((length <= 0 && !fin) || !send(length, length == queued, fin, size.payloadLimit(), nowNs)) {
            return false;
        }
        recovery.onProbeSent(false);
        return true;
    }

    private boolean probeWithLast(long nowNs) {
        long from = recovery.probeFrom();
        if (outOfPackets || from == LossRecovery.NOTHING || !retransmit(from, recovery.probeTo(), nowNs)) {
            return false;
        }
        recovery.onProbeSent(true);
        return true;
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
        if (size.onTimeout(connection.retries.timeouts(), nxt - una, nowNs)) {
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
        figures.synTextEnd = synTextEnd;
        recovery.describe(figures);
        if (connection.synDataBytes == 0 || !connection.tally.synDataTaken) {
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

    /** Written and not sent; a FIN counts as one. */
    long unsentBytes() {
        return Math.max(0, dataEnd() + (finPosition == NO_FIN ? 0 : 1) - Math.max(nxt, 0));
    }

    /** What of the SYN's text has not been taken goes again, though in SND.NXT's place. */
    boolean isSynText(long position) {
        return position < synTextEnd;
    }

    /** When a segment with text or a FIN left last, or else the handshake was complete. */
    long lastSentNs() {
        return lastSentNs;
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
                        || connection.isPending()
                : "something to send, nothing in flight, no timer";
        assert recovery.inFlightBytes() >= 0 : "negative pipe";
        assert nxt > una || recovery.inFlightBytes() == 0
                : "pipe " + recovery.inFlightBytes() + " with nothing in flight";
        assert recovery.cwndBytes() >= 0 : "cwnd " + recovery.cwndBytes();
        assert window.edge - una <= 1L << 30 : "window beyond what scaling allows";
    }

    private boolean hasUnsent() {
        return nxt < dataEnd() || finPosition != NO_FIN && nxt == finPosition;
    }
}
