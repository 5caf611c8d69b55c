package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;

/** Answers to segments that belong to no connection: RFC 9293 §3.10.7.1 and §3.5.2. Core thread only. */
final class StrayReply {
    private final Tcp tcp;

    StrayReply(Tcp tcp) {
        this.tcp = tcp;
    }

    /** No connection, no listener: RST, unless the segment is one itself. */
    void onClosed(TcpSegment segment, long nowNs) {
        tcp.counters.increment(Counter.DROP_TCP_NO_CONNECTION);
        if (!segment.has(TcpSegment.RST)) {
            reset(segment, nowNs);
        }
    }

    /** RST for a segment, shaped so that its sender accepts it. */
    void reset(TcpSegment segment, long nowNs) {
        if (segment.has(TcpSegment.ACK)) {
            resetForAck(segment, nowNs);
        } else {
            send(segment, 0, segment.sequence + segment.sequenceLength(), TcpSegment.RST | TcpSegment.ACK, nowNs);
        }
    }

    /** {@code <SEQ=SEG.ACK><CTL=RST>} */
    void resetForAck(TcpSegment segment, long nowNs) {
        send(segment, segment.acknowledgment, 0, TcpSegment.RST, nowNs);
    }

    private void send(TcpSegment segment, int sequence, int acknowledgment, int flags, long nowNs) {
        Path path = tcp.output.replyPath(
                segment.destinationHigh, segment.destinationLow, segment.sourceHigh, segment.sourceLow);
        boolean sent = tcp.writer.bare(
                path,
                segment.destinationPort,
                segment.sourcePort,
                sequence,
                acknowledgment,
                flags,
                0,
                false,
                0,
                0,
                SegmentOutput.Kind.CONTROL,
                nowNs);
        if (!sent) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the peer repeats what made us answer
        }
    }
}
