package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.TcpSegment;

/**
 * The listening side of the handshake up to the SYN+ACK: RFC 9293 §3.10.7.2 (LISTEN). SYNs become half-open entries, bounded per listener
 * and per shard; beyond, they are answered with cookies (RFC 4987 §3.6), which cost no memory. What answers the SYN+ACK is {@link
 * SynReceived}'s and {@link Acceptance}'s. One per core; core thread only.
 */
final class PassiveOpen {
    private final Tcp tcp;
    private final SynCookies cookies;
    private final Acceptance acceptance;
    final FastOpenServer fastOpen;
    private int halfOpen;

    PassiveOpen(Tcp tcp, Acceptance acceptance) {
        this.tcp = tcp;
        this.cookies = new SynCookies(tcp.random);
        this.acceptance = acceptance;
        this.fastOpen = new FastOpenServer(tcp);
    }

    // ---- LISTEN ----

    /** A segment to an endpoint that listens and has no connection with the sender. */
    void onSegment(TcpListener listener, TcpSegment segment, long nowNs) {
        if (segment.has(TcpSegment.RST)) {
            drop(Counter.DROP_TCP_BAD_RESET);
        } else if (segment.has(TcpSegment.ACK)) {
            onAck(listener, segment, nowNs);
        } else if (segment.has(TcpSegment.SYN)) {
            onSyn(listener, segment, nowNs);
        } else {
            drop(Counter.DROP_TCP_UNEXPECTED);
        }
    }

    private void onSyn(TcpListener listener, TcpSegment syn, long nowNs) {
        if (listener.isFull()) {
            drop(Counter.DROP_TCP_LISTEN_OVERFLOW);
            return;
        }
        HandshakeConfig limits = tcp.config.handshake();
        boolean full = halfOpen >= limits.maxHalfOpen()
                || listener.halfOpen(tcp.config.shard()) >= limits.maxHalfOpenPerListener();
        if (tcp.isFull() || full && limits.synCookies() == SynCookieMode.OFF) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
        } else if (full || limits.synCookies() == SynCookieMode.ALWAYS) {
            answerWithCookie(listener, syn, nowNs);
        } else if (!fastOpen.open(listener, syn, windowOffered(listener.options()), nowNs)) {
            openHalf(listener, syn, tcp.initialSequence(syn, nowNs), nowNs);
        }
    }

    /** A SYN that reopens a tuple from TIME-WAIT (RFC 6191): as on Linux never with a cookie, whose number could lie in the old stream. */
    void onReopeningSyn(TcpListener listener, TcpSegment syn, int iss, long nowNs) {
        if (listener.isFull()) {
            drop(Counter.DROP_TCP_LISTEN_OVERFLOW);
        } else if (tcp.isFull() || halfOpen >= tcp.config.handshake().maxHalfOpen()) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
        } else {
            openHalf(listener, syn, iss, nowNs);
        }
    }

    /** Text that came with the SYN is left to be sent again: it is never delivered before the handshake is complete. */
    private void openHalf(TcpListener listener, TcpSegment syn, int iss, long nowNs) {
        HalfOpen entry = new HalfOpen(
                this, listener, syn, iss, windowOffered(listener.options()), Ecn.accepts(syn, tcp.config), nowNs);
        entry.fastOpenCookieDue = fastOpen.offersCookie(listener, syn);
        entry.fastOpenExperimental = syn.fastOpenExperimental;
        if (!tcp.flows.insert(entry)) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
            return;
        }
        if (!sendSynAck(entry, nowNs)) {
            tcp.flows.remove(entry);
            drop(Counter.DROP_TCP_NO_ROUTE);
            return;
        }
        halfOpen++;
        listener.halfOpenChanged(tcp.config.shard(), 1);
        tcp.liveConnections++;
        entry.timerId = tcp.wheel.schedule(entry, nowNs + RttEstimator.INITIAL_RTO_NS);
    }

    private int windowOffered(TcpOptions options) {
        int buffer = options.receiveBufferBytes > 0 ? options.receiveBufferBytes : tcp.config.initialBufferBytes();
        return Math.min(buffer, 0xffff);
    }

    /** False when there is no route to the peer. */
    boolean sendSynAck(HalfOpen entry, long nowNs) {
        Path path = tcp.output.replyPath(entry.localHigh, entry.localLow, entry.remoteHigh, entry.remoteLow);
        if (path == null) {
            return false;
        }
        Syn syn = tcp.writer.syn;
        syn.withoutFastOpen();
        if (entry.fastOpenCookieDue) {
            fastOpen.addCookie(entry, syn, nowNs);
            syn.fastOpenExperimental = entry.fastOpenExperimental;
        }
        syn.localPort = entry.localPort;
        syn.remotePort = entry.remotePort;
        syn.sequence = entry.iss;
        syn.acknowledgment = entry.irs + 1;
        syn.window = entry.windowOffered();
        syn.mss = SegmentWriter.offeredMss(path, entry.listener.options());
        syn.sackPermitted = entry.sackPermitted();
        syn.hasTimestamps = entry.hasTimestamps();
        syn.timestampValue = tcp.isns.timestamp(entry, nowNs);
        syn.timestampEcho = entry.timestampRecent;
        syn.windowScale = entry.windowScale >= 0 ? receiveScale(entry.listener.options()) : -1;
        syn.trafficClass = entry.listener.options().trafficClass;
        sendSynAck(path, syn, entry.ecn(), nowNs);
        return true;
    }

    private void sendSynAck(Path path, Syn syn, boolean ecn, long nowNs) {
        syn.flags = TcpSegment.SYN | TcpSegment.ACK | Ecn.synAckFlags(ecn);
        if (!tcp.writer.send(path, syn, nowNs)) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // a timer, ours or the peer's, repeats it
        }
    }

    private int receiveScale(TcpOptions options) {
        return ReceiveWindow.scaleFor(Math.max(tcp.config.maxReceiveBufferBytes(), options.receiveBufferBytes));
    }

    void onTimeout(HalfOpen entry, long nowNs) {
        if (entry.retransmissions >= tcp.config.synAckRetries() || entry.listener.isClosed()) {
            tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
            remove(entry);
            return;
        }
        entry.retransmissions++;
        tcp.counters.increment(Counter.TCP_RETRANSMITTED_SEGMENTS);
        boolean routed = sendSynAck(entry, nowNs);
        if (!routed) {
            remove(entry);
            return;
        }
        long timeoutNs = (RttEstimator.INITIAL_RTO_NS << entry.retransmissions)
                + tcp.config.features().quirks().synSlopNs();
        entry.timerId = tcp.wheel.schedule(entry, nowNs + timeoutNs);
    }

    /** The entry's time is over. */
    void remove(HalfOpen entry) {
        forget(entry);
        tcp.flows.remove(entry);
        tcp.liveConnections--;
    }

    /** The entry is about to leave the flow table. */
    void forget(HalfOpen entry) {
        if (entry.timerId != TimerWheel.NONE) {
            tcp.wheel.cancel(entry.timerId);
            entry.timerId = TimerWheel.NONE;
        }
        halfOpen--;
        entry.listener.halfOpenChanged(tcp.config.shard(), -1);
    }

    // ---- cookies ----

    private void answerWithCookie(TcpListener listener, TcpSegment segment, long nowNs) {
        Path path = tcp.output.replyPath(
                segment.destinationHigh, segment.destinationLow, segment.sourceHigh, segment.sourceLow);
        if (path == null) {
            drop(Counter.DROP_TCP_NO_ROUTE);
            return;
        }
        int peerMss = SegmentArrival.peerMss(segment, path.local.isV4());
        Syn syn = tcp.writer.syn;
        syn.withoutFastOpen();
        syn.localPort = segment.destinationPort;
        syn.remotePort = segment.sourcePort;
        syn.sequence = cookies.initialSequence(segment, peerMss, nowNs);
        syn.acknowledgment = segment.sequence + 1;
        syn.window = windowOffered(listener.options());
        syn.mss = SegmentWriter.offeredMss(path, listener.options());
        syn.hasTimestamps = segment.hasTimestamp;
        syn.sackPermitted = segment.hasTimestamp && segment.sackPermitted;
        syn.windowScale = segment.hasTimestamp && segment.windowScale >= 0 ? receiveScale(listener.options()) : -1;
        boolean ecn = segment.hasTimestamp && Ecn.accepts(segment, tcp.config);
        if (segment.hasTimestamp) {
            int clock = IsnGenerator.timestampClock(nowNs)
                    + tcp.isns.timestampOffset(
                            segment.destinationHigh, segment.destinationLow, segment.sourceHigh, segment.sourceLow);
            syn.timestampValue = SynCookies.timestamp(clock, segment, ecn);
        }
        syn.timestampEcho = segment.timestampValue;
        syn.trafficClass = listener.options().trafficClass;
        tcp.counters.increment(Counter.TCP_SYN_COOKIES_SENT);
        sendSynAck(path, syn, ecn, nowNs);
    }

    /** An ACK for no entry: it answers a cookie, or nothing of ours (§3.10.7.2, second). */
    private void onAck(TcpListener listener, TcpSegment ack, long nowNs) {
        if (!cookies.mayHold(nowNs) || ack.has(TcpSegment.SYN)) {
            tcp.strays.onClosed(ack, nowNs);
            return;
        }
        int peerMss = cookies.check(ack, nowNs);
        if (peerMss == SynCookies.INVALID) {
            tcp.counters.increment(Counter.TCP_SYN_COOKIES_FAILED);
            tcp.strays.onClosed(ack, nowNs);
            return;
        }
        tcp.counters.increment(Counter.TCP_SYN_COOKIES_RECEIVED);
        if (tcp.isFull()) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
            return;
        }
        int window = windowOffered(listener.options());
        acceptance.accept(HalfOpen.fromCookie(this, listener, ack, peerMss, window, nowNs), ack, nowNs);
    }

    private void drop(Counter reason) {
        tcp.counters.increment(reason);
    }
}
