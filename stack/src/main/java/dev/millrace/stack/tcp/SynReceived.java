package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.SequenceNumber;
import dev.millrace.stack.wire.TcpSegment;

/** Segments for half-open entries: RFC 9293 §3.10.7.4 for SYN-RECEIVED, in its order. One per core; core thread only. */
final class SynReceived {
    private final Tcp tcp;
    private final PassiveOpen passive;
    private final Acceptance acceptance;

    SynReceived(Tcp tcp, PassiveOpen passive, Acceptance acceptance) {
        this.tcp = tcp;
        this.passive = passive;
        this.acceptance = acceptance;
    }

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
        boolean inWindow = offset >= 0 && offset < entry.windowOffered();
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
        return entry.hasTimestamps()
                && (!segment.hasTimestamp || SequenceNumber.lt(segment.timestampValue, entry.timestampRecent));
    }

    private void onReset(HalfOpen entry, int offset, long nowNs) {
        if (offset != 0 && !tcp.config.features().quirks().resetInWindow()) {
            drop(Counter.DROP_TCP_BAD_RESET);
            answer(entry, false, nowNs);
            return;
        }
        tcp.counters.increment(Counter.TCP_RESETS_RECEIVED);
        tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
        passive.remove(entry);
    }

    private void onFinalAck(HalfOpen entry, TcpSegment segment, long nowNs) {
        if (entry.listener.isClosed()) {
            passive.remove(entry);
            tcp.strays.onClosed(segment, nowNs);
        } else {
            acceptance.accept(entry, segment, nowNs);
        }
    }

    /** Says again where we are: SYN+ACK to a repeated SYN, else an ACK; at a bounded rate. */
    private void answer(HalfOpen entry, boolean withSyn, long nowNs) {
        int nowMs = IsnGenerator.timestampClock(nowNs);
        if (nowMs - entry.lastAnswerMs < ChallengeAcks.CONNECTION_INTERVAL_MS || !tcp.challenges.permits(nowNs)) {
            tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS_WITHHELD);
            return;
        }
        entry.lastAnswerMs = nowMs;
        if (withSyn) {
            passive.sendSynAck(entry, nowNs);
            return;
        }
        tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS);
        boolean sent = tcp.writer.bare(
                tcp.output.replyPath(entry.localHigh, entry.localLow, entry.remoteHigh, entry.remoteLow),
                entry.localPort,
                entry.remotePort,
                entry.iss + 1,
                entry.irs + 1,
                TcpSegment.ACK,
                entry.windowOffered(),
                entry.hasTimestamps(),
                tcp.isns.timestamp(entry, nowNs),
                entry.timestampRecent,
                SegmentOutput.Kind.ACK,
                nowNs);
        if (!sent) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the peer asks again
        }
    }

    private void drop(Counter reason) {
        tcp.counters.increment(reason);
    }
}
