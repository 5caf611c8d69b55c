package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;

/** Verifies a TCP segment's checksum and form, completes the flyweight with what IP knows, and hands it up. Core thread only. */
final class TcpInput {
    private final IpUpcalls upcalls;
    private final Counters counters;
    private final TcpSegment segment = new TcpSegment();

    TcpInput(IpUpcalls upcalls, Counters counters) {
        this.upcalls = upcalls;
        this.counters = counters;
    }

    /** @param verified the checksum need not be looked at: hardware has, or the segment has never left this process */
    void onSegment(
            long tcp,
            int length,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int trafficClass,
            boolean verified,
            long nowNs) {
        TcpSegment into = segment;
        TcpHeader.Fault fault = TcpHeader.parse(tcp, length, into);
        if (fault != TcpHeader.Fault.NONE) {
            counters.increment(
                    switch (fault) {
                        case NO_MEANING, CONTRADICTION -> Counter.DROP_TCP_FLAGS;
                        default -> Counter.DROP_TCP_MALFORMED;
                    });
            return;
        }
        if (!verified) {
            long sum = Checksum.pseudoHeader(
                    sourceHigh, sourceLow, destinationHigh, destinationLow, IpProtocol.TCP, length);
            if (Checksum.finish(Checksum.add(sum, tcp, length)) != 0) {
                counters.increment(Counter.DROP_TCP_CHECKSUM);
                return;
            }
        }
        into.sourceHigh = sourceHigh;
        into.sourceLow = sourceLow;
        into.destinationHigh = destinationHigh;
        into.destinationLow = destinationLow;
        into.ecn = trafficClass & 3;
        upcalls.onTcp(into, nowNs);
    }
}
