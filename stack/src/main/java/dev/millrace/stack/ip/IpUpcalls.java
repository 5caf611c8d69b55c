package dev.millrace.stack.ip;

import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.TcpSegment;

/** What the IP layer hands up. Called on the core's thread, inside {@link Ip#onFrame} or {@link Ip#onTimers}. */
public interface IpUpcalls {
    /** A segment for an own address, checksum verified. The flyweight and the payload are valid during the call only. */
    void onTcp(TcpSegment segment, long nowNs);

    /**
     * A datagram for an own address, length and checksum verified. Valid during the call only.
     *
     * @param udp address of its header
     * @param length as its header says
     * @return false when nobody has the port
     */
    default boolean onUdp(
            long udp,
            int length,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int trafficClass) {
        return false;
    }

    /** As {@link #onIcmpError}, about a datagram. */
    default void onUdpError(
            IcmpError kind,
            long localHigh,
            long localLow,
            int localPort,
            long remoteHigh,
            long remoteLow,
            int remotePort,
            int mtu,
            long nowNs) {}

    /**
     * A router, the peer, or (HOST_UNREACHABLE) this layer itself reports about a segment that was sent from {@code local} to
     * {@code remote}. Anybody may have forged it (RFC 5927).
     *
     * @param quotedSequence sequence number of the segment in question
     * @param mtu next-hop MTU with PACKET_TOO_BIG, else 0
     */
    void onIcmpError(
            IcmpError kind,
            long localHigh,
            long localLow,
            int localPort,
            long remoteHigh,
            long remoteLow,
            int remotePort,
            int quotedSequence,
            int mtu,
            long nowNs);
}
