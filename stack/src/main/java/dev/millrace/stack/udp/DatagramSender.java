package dev.millrace.stack.udp;

import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.memory.DatagramQueue;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.Path;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.UdpHeader;
import org.jspecify.annotations.Nullable;

/**
 * Makes packets of a socket's datagrams: whole and not to be fragmented where the path takes them (Linux' IP_PMTUDISC_WANT), otherwise as
 * fragments, unless the application has forbidden those. One per core; core thread only.
 */
final class DatagramSender {
    /** Routes of sockets without a local address, by a hash of the remote one, so that answering many costs no memory each time. */
    private static final int ROUTES = 1024;

    private final UdpOutput output;
    private final Counters counters;
    private final @Nullable Path[] routes = new @Nullable Path[ROUTES];

    DatagramSender(UdpOutput output, Counters counters) {
        this.output = output;
        this.counters = counters;
    }

    /** Sends the socket's first datagram, whose header that is, or drops it for a reason. False when packets are short: it stays. */
    boolean send(UdpSocket socket, DatagramHeader header, long nowNs) {
        Path path = path(header);
        if (path == null) {
            counters.increment(Counter.UDP_SEND_NO_ROUTE);
            socket.onError(TcpError.NETWORK_UNREACHABLE);
            return true;
        }
        int packetPayload = path.segmentBytes() - UdpHeader.BYTES;
        if (socket.peer() != null) {
            socket.packetPayloadBytes(packetPayload);
        }
        if (header.length <= packetPayload) {
            return sendWhole(socket, header, path, nowNs);
        }
        if (socket.options().dontFragment) {
            counters.increment(Counter.UDP_SEND_TOO_BIG);
            socket.onError(TcpError.MESSAGE_TOO_LONG);
            return true;
        }
        return sendInFragments(socket, header, path, nowNs);
    }

    private @Nullable Path path(DatagramHeader header) {
        boolean any = header.localLow == IpAddress.ANY6.low() || header.localLow == IpAddress.ANY4.low();
        if (!any || header.localHigh != 0) {
            return output.path(header.localHigh, header.localLow, header.remoteHigh, header.remoteLow);
        }
        long mixed = (header.remoteLow ^ Long.rotateLeft(header.remoteHigh, 17)) * 0x9e37_79b9_7f4a_7c15L;
        int slot = (int) (mixed >>> 54);
        Path known = routes[slot];
        if (known != null && known.remote.low() == header.remoteLow && known.remote.high() == header.remoteHigh) {
            return known;
        }
        Path found = output.routedPath(header.remoteHigh, header.remoteLow);
        if (found != null) {
            routes[slot] = found;
        }
        return found;
    }

    private boolean sendWhole(UdpSocket socket, DatagramHeader header, Path path, long nowNs) {
        Packet packet = output.allocate(path);
        if (packet == null) {
            return false;
        }
        long at = packet.address;
        int length = UdpHeader.BYTES + header.length;
        UdpHeader.write(at, header.localPort, header.remotePort, length);
        Udp.copy(socket.sending, 0, at + UdpHeader.BYTES, header.length);
        UdpHeader.writeChecksum(at, Checksum.add(pseudoHeader(path, length), at, length));
        packet.length = length;
        output.send(packet, path, header.trafficClass, nowNs);
        counters.increment(Counter.UDP_OUT_DATAGRAMS);
        return true;
    }

    private static long pseudoHeader(Path path, int length) {
        return Checksum.pseudoHeader(path.local, path.remote, IpProtocol.UDP, length);
    }

    /** When packets run out midway the datagram is lost, as on the network: half of it is on its way. */
    private boolean sendInFragments(UdpSocket socket, DatagramHeader header, Path path, long nowNs) {
        int total = UdpHeader.BYTES + header.length;
        int each = output.fragmentBytes(path);
        int identification = 0;
        for (int offset = 0; offset < total; offset += each) {
            Packet packet = output.allocate(path);
            if (packet == null) {
                return offset > 0;
            }
            int length = Math.min(each, total - offset);
            long at = packet.address;
            if (offset == 0) {
                identification = output.nextIdentification(path);
                UdpHeader.write(at, header.localPort, header.remotePort, total);
                UdpHeader.writeChecksum(at, checksum(socket.sending, header.length, at, pseudoHeader(path, total)));
                Udp.copy(socket.sending, 0, at + UdpHeader.BYTES, length - UdpHeader.BYTES);
            } else {
                Udp.copy(socket.sending, offset - UdpHeader.BYTES, at, length);
            }
            packet.length = length;
            boolean last = offset + length == total;
            output.sendFragment(packet, path, header.trafficClass, identification, offset, last, nowNs);
        }
        counters.increment(Counter.UDP_OUT_DATAGRAMS);
        counters.increment(Counter.UDP_OUT_FRAGMENTED);
        return true;
    }

    /** Over the whole datagram: records begin at multiples of eight, so no piece but the last has an odd length. */
    private static long checksum(DatagramQueue queue, int length, long udp, long pseudoHeader) {
        long sum = Checksum.add(pseudoHeader, udp, UdpHeader.BYTES);
        for (int done = 0; done < length; ) {
            int count = queue.runBytes(done, length - done);
            sum = Checksum.add(sum, queue.payloadAddress(done), count);
            done += count;
        }
        return sum;
    }
}
