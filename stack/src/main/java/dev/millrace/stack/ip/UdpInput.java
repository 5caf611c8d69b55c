package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.UdpHeader;

/** Verifies a datagram's length and checksum and hands it up (RFC 768). Core thread only. */
final class UdpInput {
    private final IpUpcalls upcalls;
    private final Counters counters;

    UdpInput(IpUpcalls upcalls, Counters counters) {
        this.upcalls = upcalls;
        this.counters = counters;
    }

    /**
     * Bytes of the IP packet behind the datagram's length are no part of it (as Linux has it).
     *
     * @param verified the checksum need not be looked at: hardware has, or the datagram has never left this process
     * @return false when nobody has the port, so that its sender is to be told
     */
    boolean onDatagram(
            long udp,
            int available,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int trafficClass,
            boolean verified) {
        int length = UdpHeader.length(udp, available);
        if (length < 0 || !isIntact(udp, length, sourceHigh, sourceLow, destinationHigh, destinationLow, verified)) {
            counters.increment(Counter.DROP_UDP_MALFORMED);
            return true;
        }
        if (upcalls.onUdp(udp, length, sourceHigh, sourceLow, destinationHigh, destinationLow, trafficClass)) {
            return true;
        }
        counters.increment(Counter.DROP_UDP_NO_PORT);
        return false;
    }

    /** A sender may leave the checksum out with IPv4 (RFC 768); with IPv6 it is mandatory (RFC 8200 §8.1), for there are no tunnels here (RFC 6936). */
    private static boolean isIntact(
            long udp,
            int length,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            boolean verified) {
        if (!UdpHeader.hasChecksum(udp)) {
            return IpAddress.isV4(destinationHigh, destinationLow);
        }
        long pseudoHeader =
                Checksum.pseudoHeader(sourceHigh, sourceLow, destinationHigh, destinationLow, IpProtocol.UDP, length);
        return verified || Checksum.finish(Checksum.add(pseudoHeader, udp, length)) == 0;
    }
}
