package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * What leaves a connection with text or a FIN, and when: what is lost first, then what is new, as far as the peer's window, the congestion window, pacing and
 * {@link SillyWindowAvoidance} let it; and the probes that go out for want of an answer. Moves SND.NXT. Core thread only.
 */
final class Transmitter {
    private final TcpConnection connection;
    private final Sender sender;
    private final SegmentSize size;
    private final SillyWindowAvoidance sillyWindow;
    private final Tcp tcp;
    private final SegmentWriter writer;
    private final ConnectionTimers timers;
    private final CwndUsage usage = new CwndUsage();
    private final @Nullable Pacer pacer;

    // set when the peer's SYN has come
    @SuppressWarnings("NullAway.Init")
    private LossRecovery recovery;

    @SuppressWarnings("NullAway.Init")
    private LossTimers lossTimers;

    private long lastSentNs;
    private boolean idlenessJudged;

    // of the current transmission
    /** It has sent something for the first time. */
    private boolean sentNew;
    /** It found no packet. */
    private boolean outOfPackets;
    /** It was stopped by pacing. */
    private boolean heldBack;

    Transmitter(TcpConnection connection, Sender sender, SegmentSize size, Tcp tcp, TcpOptions options) {
        this.connection = connection;
        this.sender = sender;
        this.size = size;
        this.sillyWindow = sender.sillyWindow;
        this.tcp = tcp;
        this.writer = tcp.writer;
        this.timers = connection.timers;
        boolean paced = tcp.config.pacing() || tcp.congestionControl(options).needsPacing();
        this.pacer = paced ? new Pacer() : null;
    }

    /** The peer's SYN has come. */
    void open(LossRecovery with, LossTimers and, long nowNs) {
        recovery = with;
        lossTimers = and;
        lastSentNs = nowNs;
    }

    /** When a segment with text or a FIN left last, or else the handshake was complete. */
    long lastSentNs() {
        return lastSentNs;
    }

    /**
     * Sends what windows, Nagle and loss recovery allow now, and sets the timers that follow from it.
     *
     * @param synchronised our SYN is acknowledged
     */
    void transmit(boolean synchronised, long nowNs) {
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
        if (!stopped && sender.dataEnd() - sender.nxt < size.payloadBytes() && recovery.allowanceBytes() > 0) {
            recovery.onApplicationLimited();
        }
        usage.onTransmitted(stopped && !outOfPackets && !heldBack, recovery.inFlightBytes(), sender.una, sender.nxt);
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
        if (usage.isUnused(limited, recovery.inFlightBytes(), nowNs, sender.rtt.rtoNs())
                && tcp.config.features().slowStartAfterIdle()) {
            recovery.onUnused(usage.takeUsedBytes(nowNs));
        }
    }

    /** The congestion window limits what is in flight (RFC 7661 §4.1). */
    boolean isWindowLimited() {
        return usage.isLimited(recovery.cwndBytes(), recovery.ssthreshBytes());
    }

    // The two that follow answer false when the congestion window is full or no packet was to be had.

    private boolean retransmitLost(long nowNs) {
        long from = recovery.retransmitFrom();
        // like Linux nothing goes beyond an edge that has moved back, except what the peer says is next
        while (from != LossRecovery.NOTHING && (from < sender.window.edge || from == sender.una)) {
            long to = recovery.retransmitTo();
            boolean allowed = recovery.allowanceBytes() >= Math.min(to - from, size.payloadBytes()) && mayLeave(nowNs);
            if (!allowed || !retransmit(from, to, nowNs)) {
                return false;
            }
            from = recovery.retransmitFrom();
        }
        return true;
    }

    /** Sends {@code [from, to)} again: one segment, or several when segments have become smaller meanwhile. */
    private boolean retransmit(long from, long to, long nowNs) {
        long edge = from < sender.window.edge ? Math.min(to, sender.window.edge) : to;
        for (long at = from; at < edge; at = sendAgain(at, edge, nowNs)) {
            if (outOfPackets) {
                return false;
            }
        }
        boolean head = from == sender.una;
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
            departures.onSent(length, recovery.pacingRate(sender.rtt.smoothedRttNs()), nowNs);
        }
    }

    /** Answers where to go on; {@code at} itself, and {@link #outOfPackets} is set, when no packet was to be had. */
    private long sendAgain(long at, long to, long nowNs) {
        long end = sender.dataEnd();
        int length = (int) Math.min(Math.min(to, end) - at, size.payloadLimit());
        boolean fin = sender.finPosition != Sender.NO_FIN && at + length == end && to > end;
        boolean last = length > 0 && (at + length == end || at + length == sillyWindow.synTextEnd);
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
        long end = sender.dataEnd();
        if (sender.nxt >= end + (sender.finPosition == Sender.NO_FIN ? 0 : 1)) {
            return true;
        }
        restartAfterIdleness(nowNs);
        int probe = mtuProbePayload(nowNs);
        if (probe > 0 && !probeMtu(probe, nowNs)) {
            return false;
        }
        boolean fin = sender.finPosition != Sender.NO_FIN;
        while (sender.nxt < end || fin && sender.nxt == end) {
            long queued = end - sender.nxt;
            long usable = Math.max(0, sender.window.edge - sender.nxt);
            int limit = size.payloadLimit();
            int length = (int) Math.min(Math.min(queued, usable), limit);
            if (sender.nxt < sillyWindow.synTextEnd) {
                length = (int) Math.min(length, sillyWindow.synTextEnd - sender.nxt);
            }
            boolean withFin = fin && length == queued && usable > queued;
            if (!withFin && !sillyWindow.isWorthSending(length, queued, limit)) {
                return true;
            }
            if (length > recovery.allowanceBytes()
                    || !mayLeave(nowNs)
                    || !send(length, sillyWindow.pushes(length, queued, withFin), withFin, limit, nowNs)) {
                return false;
            }
        }
        return true;
    }

    /** RFC 5681 §4.1. Judged once, when the first data comes after all was acknowledged: waiting for the peer's window is not idleness (as Linux). */
    private void restartAfterIdleness(long nowNs) {
        if (sender.nxt != sender.una || idlenessJudged) {
            return;
        }
        idlenessJudged = true;
        long idleNs = nowNs - lastSentNs;
        if (idleNs > sender.rtt.rtoNs() && tcp.config.features().slowStartAfterIdle()) {
            recovery.onIdle(idleNs, sender.rtt.rtoNs(), nowNs);
            usage.takeUsedBytes(nowNs);
        }
    }

    private boolean send(int length, boolean push, boolean withFin, int limit, long nowNs) {
        int flags = TcpSegment.ACK | (push ? TcpSegment.PSH : 0) | (withFin ? TcpSegment.FIN : 0);
        if (!writer.segment(connection, sender.nxt, length, flags, SegmentOutput.Kind.DATA, nowNs)) {
            outOfPackets = true;
            return false;
        }
        pace(length, nowNs);
        long to = sender.nxt + length + (withFin ? 1 : 0);
        recovery.onSent(sender.nxt, to, nowNs);
        sentNew = true;
        idlenessJudged = false;
        sillyWindow.onSent(length, limit, to);
        sender.nxt = to;
        lastSentNs = nowNs;
        lossTimers.onSent(nowNs);
        return true;
    }

    /** RFC 9293 §3.8.6.1: nothing is in flight whose ACK could open the window, yet something waits for it. */
    private void setPersistTimer(long nowNs) {
        boolean waits = !sender.inFlight() && sender.hasUnsent();
        if (!waits) {
            timers.clear(ConnectionTimers.PERSIST);
        } else if (!timers.isSet(ConnectionTimers.PERSIST)) {
            timers.set(ConnectionTimers.PERSIST, nowNs + connection.retries.persistIntervalNs());
        }
    }

    /** The persist timer fired: sends what the window takes though it is little, and pushes it, as Linux. False when it takes nothing at all. */
    boolean overrideSillyWindow(long nowNs) {
        long usable = sender.window.edge - sender.nxt;
        int length = (int) Math.min(Math.min(sender.dataEnd() - sender.nxt, usable), size.payloadLimit());
        return length > 0 && send(length, sender.nxt + length == sender.dataEnd(), false, size.payloadLimit(), nowNs);
    }

    // ---- probes of the path's MTU ----

    private int mtuProbePayload(long nowNs) {
        long available = Math.min(sender.dataEnd(), sender.window.edge) - sender.nxt;
        return recovery.inRecovery() ? 0 : size.probePayload(available, recovery.cwndBytes(), nowNs);
    }

    /** False when it has to wait for the congestion window, which all that follows it waits for then, too. */
    private boolean probeMtu(int length, long nowNs) {
        long from = sender.nxt;
        if (length > recovery.allowanceBytes() || !send(length, false, false, length, nowNs)) {
            return false;
        }
        size.onProbeSent(from, sender.nxt);
        tcp.counters.increment(Counter.TCP_MTU_PROBES);
        return true;
    }

    // ---- tail loss probes ----

    /** RFC 8985 §7.3: new data if there is some, which neither cwnd nor Nagle hold back; otherwise the last segment again. */
    void onLossProbe(long nowNs) {
        if (!sender.inFlight()) {
            return;
        }
        outOfPackets = false;
        boolean sent =
                recovery.probeTimeoutNs() != LossRecovery.NOTHING && (probeWithNew(nowNs) || probeWithLast(nowNs));
        lossTimers.onProbe(sent, nowNs);
    }

    private boolean probeWithNew(long nowNs) {
        long queued = sender.dataEnd() - sender.nxt;
        long usable = sender.window.edge - sender.nxt;
        int length = (int) Math.min(Math.min(queued, usable), size.payloadLimit());
        boolean fin = sender.finPosition != Sender.NO_FIN
                && sender.nxt <= sender.finPosition
                && length == queued
                && usable > queued;
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
}
