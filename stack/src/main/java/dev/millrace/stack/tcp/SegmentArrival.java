package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;

/**
 * What a segment does to the connection it belongs to: SEGMENT ARRIVES of RFC 9293 §3.10.7.3 (SYN-SENT) and §3.10.7.4 (every other
 * state), check by check in the RFC's order, with RFC 5961 and 7323 where they change a check. Half-open passive connections are {@link
 * PassiveOpen}'s, TIME-WAIT is {@link TimeWait}'s. One per core; core thread only.
 */
final class SegmentArrival {
    private final Tcp tcp;

    SegmentArrival(Tcp tcp) {
        this.tcp = tcp;
    }

    void onSegment(TcpConnection connection, TcpSegment segment, long nowNs) {
        if (connection.state() == TcpState.SYN_SENT) {
            onSegmentInSynSent(connection, segment, nowNs);
        } else {
            synchronised(connection, segment, nowNs);
        }
    }

    // ---- §3.10.7.3 ----

    private void onSegmentInSynSent(TcpConnection connection, TcpSegment segment, long nowNs) {
        boolean hasAck = segment.has(TcpSegment.ACK);
        int taken = segment.acknowledgment - connection.sender.sequenceOf(0);
        if (hasAck && (taken < 0 || taken > connection.fastOpen.synDataBytes)) {
            drop(Counter.DROP_TCP_BAD_ACK);
            if (!segment.has(TcpSegment.RST)) {
                tcp.strays.resetForAck(segment, nowNs);
            }
            return;
        }
        if (segment.has(TcpSegment.RST)) {
            if (hasAck) {
                tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
                tcp.lifecycle.fail(connection, TcpError.CONNECTION_REFUSED);
            } else {
                drop(Counter.DROP_TCP_BAD_RESET);
            }
            return;
        }
        if (!segment.has(TcpSegment.SYN)) {
            drop(Counter.DROP_TCP_UNEXPECTED);
            return;
        }
        takeSyn(connection, segment, nowNs);
        if (quirks().synTextKept()) {
            connection.receiver.keepSynText(segment);
        }
        if (hasAck) {
            establish(connection, segment, nowNs);
            tcp.fastOpen.onSynAck(connection, segment, taken, nowNs);
            connection.receiver.acks.ackNow = true; // without what came with the SYN: that is sent again
            if (connection.sender.unsentBytes() > connection.fastOpen.synDataBytes - taken) {
                connection.receiver.acks.onFirstAckWithText();
            }
        } else {
            // simultaneous open (§3.5, figure 7)
            connection.moveTo(TcpState.SYN_RECEIVED);
            connection.sendSyn(nowNs);
        }
    }

    /** Learns from the peer's SYN: initial sequence number and options. */
    private static void takeSyn(TcpConnection connection, TcpSegment segment, long nowNs) {
        Receiver receiver = connection.receiver;
        receiver.open(
                segment.sequence,
                receiver.window.inSyn(),
                SegmentWriter.offeredMss(connection.path, connection.options()));
        receiver.sackPermitted = segment.sackPermitted;
        receiver.scalingOffered = segment.windowScale >= 0;
        if (segment.hasTimestamp) {
            receiver.timestamps.enable(segment.timestampValue, nowNs);
        }
        if (receiver.scalingOffered) {
            connection.sender.window.scale = segment.windowScale;
        } else {
            receiver.window.withoutScaling();
        }
        connection.peerMss = peerMss(segment, connection.path.local.isV4());
        receiver.window.holdWholeSegments(connection.peerMss);
        connection.ecn.onSyn(segment);
        connection.sender.window.open(0, 0, segment.window);
    }

    /** RFC 9293 §3.7.1: without the option, 536 or 1220; tiny values are pressed up, since each packet costs the same. */
    static int peerMss(TcpSegment syn, boolean v4) {
        int mss = syn.mss >= 0 ? syn.mss : v4 ? 536 : 1220;
        return Math.max(mss, 64);
    }

    /** Our SYN has been acknowledged. */
    private void establish(TcpConnection connection, TcpSegment segment, long nowNs) {
        int synTimeouts = connection.retries.timeouts();
        measureHandshake(connection, segment, synTimeouts > 0, nowNs);
        connection.retries.onProgress();
        connection.onEstablished(nowNs);
        connection.sender.onEstablished(connection.peerMss, synTimeouts > 1, nowNs);
        connection.fastOpen.end();
        if (quirks().synTextKept() && connection.receiver.takeSynText(nowNs)) {
            connection.onReadable();
        }
        if (connection.closedByApplication()) {
            tcp.lifecycle.close(connection, nowNs);
        } else if (connection.outputShutDown()) {
            tcp.lifecycle.shutdownOutput(connection);
        }
        connection.path.confirm(nowNs);
    }

    private static void measureHandshake(
            TcpConnection connection, TcpSegment segment, boolean synRetransmitted, long nowNs) {
        RttEstimator rtt = connection.sender.rtt;
        long rttNs = synRetransmitted ? RttEstimator.NO_SAMPLE : nowNs - connection.synSentNs;
        if (synRetransmitted && segment.hasTimestamp) {
            rttNs = connection.receiver.timestamps.roundTripNs(segment.timestampEcho, nowNs);
        }
        if (rttNs >= 0) {
            rtt.onSample(rttNs, nowNs);
        } else {
            rtt.onSynTimedOut();
        }
    }

    // ---- §3.10.7.4 ----

    /** Also called with the segment that completes a passive open. */
    void synchronised(TcpConnection connection, TcpSegment segment, long nowNs) {
        Receiver receiver = connection.receiver;
        int flags = segment.flags;
        long from = receiver.positionOf(segment.sequence);
        if (connection.state() == TcpState.SYN_RECEIVED) {
            if (isRepeatedSyn(connection, segment, from)) {
                drop(Counter.DROP_TCP_REPEATED_SYN);
                connection.fastOpen.repeatSynAck(nowNs);
                return;
            }
            if (isSecondHalfOfSimultaneousOpen(segment, from)) {
                flags &= ~TcpSegment.SYN;
                from = 0;
            }
        }
        boolean fin = (flags & TcpSegment.FIN) != 0;
        long to = from + segment.payloadLength + (fin ? 1 : 0) + ((flags & TcpSegment.SYN) != 0 ? 1 : 0);
        if (!isTimely(connection, segment, flags, nowNs)) {
            return;
        }
        // first: the sequence number
        boolean control = (flags & (TcpSegment.RST | TcpSegment.SYN)) != 0;
        boolean acceptable =
                control && quirks().windowIsBuffer() ? receiver.hasRoomAt(from) : isAcceptable(receiver, from, to);
        if (!acceptable) {
            onUnacceptable(connection, segment, flags, from, to, nowNs);
            return;
        }
        connection.retries.onHeard(nowNs);
        // second to fourth: RST, SYN
        if (control) {
            onResetOrSyn(connection, flags, from, nowNs);
            return;
        }
        // fifth: ACK
        if ((flags & TcpSegment.ACK) == 0) {
            drop(Counter.DROP_TCP_UNEXPECTED);
            return;
        }
        if (!onAck(connection, segment, from, to, nowNs)) {
            return;
        }
        // only now, when RFC 5961 has found nothing forged about it: TS.Recent from a forged segment would lock the
        // peer out
        if (receiver.timestamps.enabled && segment.hasTimestamp) {
            receiver.timestamps.onSegment(segment, from, receiver.acks.ackedTo(), nowNs);
        }
        // sixth: URG
        if ((flags & TcpSegment.URG) != 0 && connection.state().acceptsText()) {
            connection.urgent.onPointer(segment.urgentPointer, from, receiver);
        }
        // seventh, eighth: text and FIN
        if (to > from && connection.state().acceptsText()) {
            onText(connection, segment, from, fin, nowNs);
        } else if (to > from && connection.state() != TcpState.CLOSED) {
            drop(Counter.DROP_TCP_AFTER_FIN);
            connection.challenge(nowNs);
        }
    }

    /** The SYN whose data has opened this connection comes again, perhaps without its data (RFC 7413 §4.2.1). */
    private static boolean isRepeatedSyn(TcpConnection connection, TcpSegment segment, long from) {
        int kind = segment.flags & (TcpSegment.SYN | TcpSegment.ACK | TcpSegment.RST | TcpSegment.FIN);
        return kind == TcpSegment.SYN && from == -1 && connection.fastOpen.isPending();
    }

    /** Their SYN+ACK crosses ours (§3.5 figure 7): its SYN has been counted, its ACK is what matters. */
    private static boolean isSecondHalfOfSimultaneousOpen(TcpSegment segment, long from) {
        int kind = segment.flags & (TcpSegment.SYN | TcpSegment.ACK | TcpSegment.RST | TcpSegment.FIN);
        return kind == (TcpSegment.SYN | TcpSegment.ACK) && from == -1 && segment.payloadLength == 0;
    }

    /** RFC 7323 §3.2 and §5.3: a segment without the timestamp agreed on, or with an old one, is dropped; RSTs are exempt. */
    private boolean isTimely(TcpConnection connection, TcpSegment segment, int flags, long nowNs) {
        Timestamps timestamps = connection.receiver.timestamps;
        if (!timestamps.enabled || (flags & TcpSegment.RST) != 0) {
            return true;
        }
        if (!segment.hasTimestamp) {
            drop(Counter.DROP_TCP_NO_TIMESTAMP);
            return false;
        }
        if (timestamps.isAcceptable(segment, nowNs)) {
            return true;
        }
        drop(Counter.DROP_TCP_OLD_TIMESTAMP);
        connection.challenge(nowNs);
        return false;
    }

    /**
     * §3.10.7.4, first, table 6, over {@code [from, to)} and the window {@code [RCV.NXT, edge)}. A segment that begins at RCV.NXT passes
     * even if the window is closed, for the sake of its ACK; its text is cut off later. So does one without text just behind the window,
     * as on Linux: a peer that has filled the window sends its ACKs there, and they must count while a gap is being repaired.
     */
    private static boolean isAcceptable(Receiver receiver, long from, long to) {
        if (from == receiver.nxt) {
            return true;
        }
        boolean beginsInside = from > receiver.nxt && from < receiver.window.edge;
        return to == from
                ? beginsInside || from == receiver.window.edge
                : beginsInside || from < receiver.nxt && to > receiver.nxt;
    }

    private void onUnacceptable(
            TcpConnection connection, TcpSegment segment, int flags, long from, long to, long nowNs) {
        drop(Counter.DROP_TCP_OUT_OF_WINDOW);
        if ((flags & TcpSegment.RST) != 0) {
            return;
        }
        Receiver receiver = connection.receiver;
        if (segment.payloadLength > 0 && (flags & TcpSegment.SYN) == 0 && to <= receiver.nxt) {
            receiver.onOldText(from, to);
            connection.sendAck(nowNs); // at any rate: data cannot be part of an ACK loop
        } else if ((flags & TcpSegment.FIN) != 0 && to <= receiver.nxt) {
            receiver.acks.ackNow = true;
        } else {
            connection.challenge(nowNs);
        }
    }

    /** RFC 5961 §3.2: an RST must be exactly at RCV.NXT, and §4.2: a SYN never does more than ask for an ACK. */
    private void onResetOrSyn(TcpConnection connection, int flags, long from, long nowNs) {
        if ((flags & TcpSegment.RST) == 0) {
            drop(Counter.DROP_TCP_UNEXPECTED_SYN);
            if (quirks().synInWindow()) {
                tcp.lifecycle.abort(connection, TcpError.CONNECTION_RESET, nowNs);
            } else {
                connection.challenge(nowNs);
            }
            return;
        }
        if (from != connection.receiver.nxt && !quirks().resetInWindow()) {
            drop(Counter.DROP_TCP_BAD_RESET);
            connection.challenge(nowNs);
            return;
        }
        tcp.counters.increment(Counter.TCP_RESETS_RECEIVED);
        switch (connection.state()) {
            case SYN_RECEIVED ->
                tcp.lifecycle.fail(
                        connection,
                        connection.fastOpen.isPending() ? TcpError.CONNECTION_RESET : TcpError.CONNECTION_REFUSED);
            // as Linux also where the RFC ends the connection without a word: something sent was not acknowledged, and
            // whoever
            // waits for that must hear that it never will be
            default -> tcp.lifecycle.fail(connection, TcpError.CONNECTION_RESET);
        }
    }

    /** §3.10.7.4, fifth. False when the segment is to be dropped, or the connection has ended. */
    private boolean onAck(TcpConnection connection, TcpSegment segment, long from, long to, long nowNs) {
        Sender sender = connection.sender;
        long ack = sender.positionOf(segment.acknowledgment);
        boolean completesHandshake = connection.state() == TcpState.SYN_RECEIVED;
        if (completesHandshake) {
            if (ack < 0 || ack > Math.max(sender.nxt, connection.fastOpen.synDataBytes)) {
                drop(Counter.DROP_TCP_BAD_ACK);
                tcp.strays.resetForAck(segment, nowNs);
                return false;
            }
            establish(connection, segment, nowNs);
            if (connection.fastOpen.synDataBytes > 0) { // SYNs have crossed, and ours had data
                tcp.fastOpen.onSynAck(connection, segment, (int) ack, nowNs);
            }
        }
        if (ack > sender.nxt || ack < sender.una - sender.window.maxBytes) {
            drop(Counter.DROP_TCP_BAD_ACK); // RFC 5961 §5.2
            connection.challenge(nowNs);
            return false;
        }
        if (ack >= sender.una) {
            boolean inFlight = sender.inFlight();
            sender.onAck(ack, segment, from, to > from || completesHandshake, nowNs);
            connection.announceSpace();
            if (inFlight && !sender.inFlight()) {
                connection.onDrained();
            }
        } else if (segment.sackBlocks > 0 && sender.inFlight()) {
            sender.onOvertakenAck(ack, segment, nowNs);
        }
        return !sender.finAcknowledged() || onFinAcknowledged(connection, nowNs);
    }

    private boolean onFinAcknowledged(TcpConnection connection, long nowNs) {
        switch (connection.state()) {
            case FIN_WAIT_1 -> {
                connection.moveTo(TcpState.FIN_WAIT_2);
                connection.onFinAcknowledged();
                if (connection.closedByApplication()) {
                    tcp.lifecycle.boundFinWait2(connection, nowNs);
                }
            }
            case CLOSING -> {
                connection.onFinAcknowledged();
                tcp.lifecycle.enterTimeWait(connection, nowNs);
                return false;
            }
            case LAST_ACK -> {
                connection.onFinAcknowledged();
                tcp.lifecycle.remove(connection);
                return false;
            }
            default -> {
                // known already
            }
        }
        return true;
    }

    private void onText(TcpConnection connection, TcpSegment segment, long from, boolean fin, long nowNs) {
        Receiver receiver = connection.receiver;
        if (connection.closedByApplication() && from + segment.payloadLength > receiver.nxt) {
            // nobody will ever read it (RFC 1122 §4.2.2.13); as Linux, in the form of an answer to a segment without a
            // connection
            tcp.counters.increment(Counter.TCP_ABORT_ON_DATA);
            tcp.strays.resetForAck(segment, nowNs);
            tcp.lifecycle.fail(connection, TcpError.ABORTED);
            return;
        }
        if (segment.payloadLength > 0) {
            connection.ecn.onText(connection, segment, nowNs);
        }
        if (receiver.onText(from, segment, fin, nowNs)) {
            connection.onReadable();
        }
        if (receiver.takeMemoryShort()) {
            tcp.memory.onReceiveShortage();
        }
        if (receiver.finReceived()) {
            onFin(connection, nowNs);
        }
        if (receiver.acks.goesAlone()) {
            connection.sendAck(nowNs);
        }
    }

    /** §3.10.7.4, eighth. */
    private void onFin(TcpConnection connection, long nowNs) {
        connection.onPeerClosed();
        switch (connection.state()) {
            case ESTABLISHED -> connection.moveTo(TcpState.CLOSE_WAIT);
            case FIN_WAIT_1 -> connection.moveTo(TcpState.CLOSING);
            case FIN_WAIT_2 -> tcp.lifecycle.enterTimeWait(connection, nowNs);
            default -> throw new AssertionError("FIN in " + connection.state());
        }
    }

    private Quirks quirks() {
        return tcp.config.features().quirks();
    }

    private void drop(Counter reason) {
        tcp.counters.increment(reason);
    }
}
