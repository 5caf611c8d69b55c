package dev.millrace.stack.udp;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.tcp.Path;
import org.jspecify.annotations.Nullable;

/** What UDP needs from the layers below; the core wires it to IP. Core thread only. */
public interface UdpOutput {
    /** The path between two addresses, IPv4 in mapped form; null when the local one is not ours or there is no route. */
    @Nullable
    Path path(long localHigh, long localLow, long remoteHigh, long remoteLow);

    /** The path to an address from the own one that routing chooses (RFC 6724 §5), or null without a route. */
    @Nullable
    Path routedPath(long remoteHigh, long remoteLow);

    /** An empty packet, its window where the payload of an IP packet belongs, or null when packets or ring space are short. */
    @Nullable
    Packet allocate(Path path);

    /** Sends what stands in the packet's window, a whole datagram with its checksum, and may not be fragmented on its way. Takes the packet. */
    void send(Packet packet, Path path, int trafficClass, long nowNs);

    /** Bytes of a datagram that fit each fragment but the last; a multiple of 8. */
    int fragmentBytes(Path path);

    /** The number that the fragments of the next datagram on this path shall share. */
    int nextIdentification(Path path);

    /**
     * Sends what stands in the packet's window as one fragment (RFC 791 §3.2, 8200 §4.5). Takes the packet.
     *
     * @param offset bytes of the datagram before it
     * @param last no fragment follows it
     */
    void sendFragment(
            Packet packet, Path path, int trafficClass, int identification, int offset, boolean last, long nowNs);
}
