package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.SequenceNumber;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;

/**
 * The listening side of the handshake: RFC 9293 §3.10.7.2 (LISTEN) and §3.10.7.4 for SYN-RECEIVED. Half-open entries are bounded per listener
 * and shard; established connections by the listener's backlog. One per core; core thread only.
 */
final class PassiveOpen {
    private final Tcp tcp;

    PassiveOpen(Tcp tcp) {
        this.tcp = tcp;
    }

    // ---- LISTEN ----

    /** A segment to an endpoint that listens and has no connection with the sender. */
    void onSegment(TcpListener listener, TcpSegment segment, long nowNs) {
        if (segment.has(TcpSegment.RST)) {
            drop(Counter.DROP_TCP_BAD_RESET);
        } else if (segment.has(TcpSegment.ACK)) {
            tcp.strays.onClosed(segment, nowNs);
        } else if (segment.has(TcpSegment.SYN)) {
            int iss = tcp.initialSequence(segment, nowNs);
            onSyn(listener, segment, iss, nowNs);
        } else {
            drop(Counter.DROP_TCP_UNEXPECTED);
        }
    }

    /** Opens half; text that came with the SYN is left to be sent again (it is never delivered before the handshake is complete). */
    void onSyn(TcpListener listener, TcpSegment syn, int iss, long nowNs) {
        int shard = tcp.config.shard();
        if (listener.isFull()) {
            drop(Counter.DROP_TCP_LISTEN_OVERFLOW);
            return;
        }
        if (listener.halfOpen(shard) >= tcp.config.maxHalfOpenPerListener()
                || tcp.liveConnections >= tcp.config.maxConnections()) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
            return;
        }
        Path path = tcp.output.path(
                new IpAddress(syn.destinationHigh, syn.destinationLow), new IpAddress(syn.sourceHigh, syn.sourceLow));
        if (path == null) {
            drop(Counter.DROP_TCP_NO_ROUTE);
            return;
        }
        int offset = tcp.isns.timestampOffset(syn.destinationHigh, syn.destinationLow, syn.sourceHigh, syn.sourceLow);
        HalfOpen entry = new HalfOpen(this, listener, path, syn, iss, offset, windowOffered(listener.options()), nowNs);
        if (!tcp.flows.insert(entry)) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
            return;
        }
        listener.halfOpenChanged(shard, 1);
        tcp.liveConnections++;
        sendSynAck(entry, nowNs);
        entry.timerId = tcp.wheel.schedule(entry, nowNs + RttEstimator.INITIAL_RTO_NS);
    }

    private int windowOffered(TcpOptions options) {
        int buffer = options.receiveBufferBytes > 0 ? options.receiveBufferBytes : tcp.config.initialBufferBytes();
        return Math.min(buffer, 0xffff);
    }

    private void sendSynAck(HalfOpen entry, long nowNs) {
        int scale = entry.windowScale >= 0 ? receiveScale(entry.listener.options()) : -1;
        boolean sent = tcp.writer.syn(
                entry.path,
                entry.trafficClass,
                entry,
                entry.iss,
                TcpSegment.SYN | TcpSegment.ACK,
                entry.irs + 1,
                entry.windowOffered,
                entry.sackPermitted,
                entry.hasTimestamps,
                IsnGenerator.timestampClock(nowNs) + entry.timestampOffset,
                entry.timestampRecent,
                scale,
                nowNs);
        if (!sent) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the timer repeats it
        }
    }

    private int receiveScale(TcpOptions options) {
        return Receiver.scaleFor(Math.max(tcp.config.maxReceiveBufferBytes(), options.receiveBufferBytes));
    }

    void onTimeout(HalfOpen entry, long nowNs) {
        if (entry.retransmissions >= tcp.config.synAckRetries() || entry.listener.isClosed()) {
            tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
            remove(entry);
            return;
        }
        entry.retransmissions++;
        tcp.counters.increment(Counter.TCP_RETRANSMITTED_SEGMENTS);
        sendSynAck(entry, nowNs);
        entry.timerId = tcp.wheel.schedule(entry, nowNs + (RttEstimator.INITIAL_RTO_NS << entry.retransmissions));
    }

    void remove(HalfOpen entry) {
        forget(entry);
        tcp.flows.remove(entry);
        tcp.liveConnections--;
    }

    private void forget(HalfOpen entry) {
        if (entry.timerId != TimerWheel.NONE) {
            tcp.wheel.cancel(entry.timerId);
            entry.timerId = TimerWheel.NONE;
        }
        entry.listener.halfOpenChanged(tcp.config.shard(), -1);
    }

    // ---- SYN-RECEIVED ----

    /** A segment for a half-open entry, in the order of §3.10.7.4. */
    void onSegment(HalfOpen entry, TcpSegment segment, long nowNs) {
        if (isRepeatedSyn(entry, segment)) {
            drop(Counter.DROP_TCP_REPEATED_SYN);
            answer(entry, true, nowNs);
            return;
        }
        boolean reset = segment.has(TcpSegment.RST);
        if (!reset && isOld(entry, segment)) {
            drop(Counter.DROP_TCP_OLD_TIMESTAMP);
            answer(entry, false, nowNs);
            return;
        }
        int offset = segment.sequence - (entry.irs + 1);
        boolean inWindow = offset >= 0 && offset < entry.windowOffered;
        if (!inWindow) {
            drop(Counter.DROP_TCP_OUT_OF_WINDOW);
            if (!reset) {
                answer(entry, false, nowNs);
            }
        } else if (reset) {
            onReset(entry, offset, nowNs);
        } else if (segment.has(TcpSegment.SYN)) {
            drop(Counter.DROP_TCP_UNEXPECTED_SYN);
            answer(entry, false, nowNs);
        } else if (!segment.has(TcpSegment.ACK)) {
            drop(Counter.DROP_TCP_UNEXPECTED);
        } else if (segment.acknowledgment != entry.iss + 1) {
            drop(Counter.DROP_TCP_BAD_ACK);
            tcp.strays.resetForAck(segment, nowNs);
        } else {
            onFinalAck(entry, segment, nowNs);
        }
    }

    private static boolean isRepeatedSyn(HalfOpen entry, TcpSegment segment) {
        int kind = segment.flags & (TcpSegment.SYN | TcpSegment.ACK | TcpSegment.RST | TcpSegment.FIN);
        return kind == TcpSegment.SYN && segment.sequence == entry.irs;
    }

    private static boolean isOld(HalfOpen entry, TcpSegment segment) {
        return entry.hasTimestamps
                && (!segment.hasTimestamp || SequenceNumber.lt(segment.timestampValue, entry.timestampRecent));
    }

    private void onReset(HalfOpen entry, int offset, long nowNs) {
        if (offset != 0) {
            drop(Counter.DROP_TCP_BAD_RESET);
            answer(entry, false, nowNs);
            return;
        }
        tcp.counters.increment(Counter.TCP_RESETS_RECEIVED);
        tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
        remove(entry);
    }

    /** Says again where we are: SYN+ACK to a repeated SYN, else an ACK; at a bounded rate. */
    private void answer(HalfOpen entry, boolean withSyn, long nowNs) {
        if (nowNs - entry.lastAnswerNs < ChallengeAcks.CONNECTION_INTERVAL_NS || !tcp.challenges.permits(nowNs)) {
            tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS_WITHHELD);
            return;
        }
        entry.lastAnswerNs = nowNs;
        if (withSyn) {
            sendSynAck(entry, nowNs);
            return;
        }
        tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS);
        boolean sent = tcp.writer.bare(
                entry.path,
                entry.localPort,
                entry.remotePort,
                entry.iss + 1,
                entry.irs + 1,
                TcpSegment.ACK,
                entry.windowOffered,
                entry.hasTimestamps,
                IsnGenerator.timestampClock(nowNs) + entry.timestampOffset,
                entry.timestampRecent,
                SegmentOutput.Kind.ACK,
                nowNs);
        if (!sent) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the peer asks again
        }
    }

    /** The handshake is complete: a connection takes the entry's place and the segment goes on to it. */
    private void onFinalAck(HalfOpen entry, TcpSegment segment, long nowNs) {
        TcpListener listener = entry.listener;
        if (listener.isClosed()) {
            remove(entry);
            tcp.strays.onClosed(segment, nowNs);
            return;
        }
        if (listener.isFull()) {
            drop(Counter.DROP_TCP_LISTEN_OVERFLOW); // the SYN+ACK will be repeated, and answered again
            return;
        }
        forget(entry);
        TcpConnection connection = connectionFrom(entry, segment, nowNs);
        tcp.flows.replace(entry, connection);
        tcp.counters.increment(Counter.TCP_PASSIVE_OPENS);
        tcp.arrival.synchronised(connection, segment, nowNs);
        tcp.touch(connection);
        listener.offer(connection);
    }

    private TcpConnection connectionFrom(HalfOpen entry, TcpSegment segment, long nowNs) {
        TcpConnection connection = new TcpConnection(
                tcp,
                entry.path,
                entry.localPort,
                entry.remotePort,
                entry.listener.options().copy(),
                TcpObserver.NONE,
                null);
        Receiver receiver = connection.receiver;
        receiver.open(entry.irs, entry.windowOffered, SegmentWriter.offeredMss(entry.path));
        receiver.sackPermitted = entry.sackPermitted;
        receiver.scalingOffered = entry.windowScale >= 0;
        receiver.timestamps.offset = entry.timestampOffset;
        if (entry.hasTimestamps) {
            receiver.timestamps.enable(entry.timestampRecent, nowNs);
        }
        Sender sender = connection.sender;
        sender.iss = entry.iss;
        if (receiver.scalingOffered) {
            sender.window.scale = Math.min(entry.windowScale, TcpHeader.MAX_WINDOW_SCALE);
        } else {
            receiver.withoutScaling();
        }
        sender.window.open(0, 0, entry.windowField);
        connection.peerMss = entry.peerMss;
        boolean repeated = entry.retransmissions > 0;
        if (!repeated) {
            sender.rtt.onSample(nowNs - entry.firstSentNs);
        } else if (segment.hasTimestamp && receiver.timestamps.roundTripNs(segment.timestampEcho, nowNs) >= 0) {
            sender.rtt.onSample(receiver.timestamps.roundTripNs(segment.timestampEcho, nowNs));
        } else {
            sender.rtt.onSynTimedOut();
        }
        connection.onEstablished(nowNs);
        sender.onEstablished(entry.peerMss, repeated, nowNs);
        return connection;
    }

    private void drop(Counter reason) {
        tcp.counters.increment(reason);
    }
}
