package dev.millrace.compat.packetdrill;

import dev.millrace.stack.wire.TcpSegment;
import java.util.List;

/**
 * A TCP segment that the stack has sent, with the numbers of the wire.
 *
 * @param sentNs when, on the virtual clock
 */
record Segment(
        long sentNs,
        int ecn,
        int localPort,
        int remotePort,
        int sequence,
        int acknowledgment,
        int flags,
        int window,
        int urgentPointer,
        List<TcpOption> options,
        int length) {

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    boolean isSyn() {
        return has(TcpSegment.SYN) && !has(TcpSegment.ACK);
    }
}
