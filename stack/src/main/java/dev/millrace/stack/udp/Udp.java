package dev.millrace.stack.udp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.memory.DatagramQueue;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.Path;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.UdpHeader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One shard's UDP: gives datagrams to sockets, tells them of ICMP errors, and sends for those whose home it is. Core thread only. */
public final class Udp {
    /** Datagrams of one socket at a time, so that the turn gets on. */
    private static final int SENDS_PER_TURN = 256;

    private final int shard;
    private final UdpTable table;
    private final ChunkPool chunks;
    private final Counters counters;
    private final UdpOutput output;
    private final DatagramSender sender;
    private final DatagramHeader arriving = new DatagramHeader();
    private final DatagramHeader leaving = new DatagramHeader();
    private final List<UdpSocket> blocked = new ArrayList<>();

    /** @param table shared by all shards of the stack */
    public Udp(int shard, UdpTable table, UdpOutput output, ChunkPool chunks, Counters counters) {
        this.shard = shard;
        this.table = table;
        this.output = output;
        this.chunks = chunks;
        this.counters = counters;
        this.sender = new DatagramSender(output, counters);
    }

    // ---- from the network ----

    /**
     * A datagram for an own address; length and checksum have been verified.
     *
     * @param udp address of its header
     * @param length of the datagram with header, as the header says
     * @return false when nobody has the port, or whoever has it is connected to somebody else
     */
    public boolean onDatagram(
            long udp,
            int length,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int trafficClass) {
        int localPort = UdpHeader.destinationPort(udp);
        int remotePort = UdpHeader.sourcePort(udp);
        UdpSocket socket = table.find(destinationHigh, destinationLow, localPort, sourceHigh, sourceLow, remotePort);
        if (socket == null) {
            return false;
        }
        if (!socket.takesMore()) {
            counters.increment(Counter.DROP_UDP_RECEIVE_BUFFER_FULL);
            return true;
        }
        DatagramHeader header = arriving;
        header.localHigh = destinationHigh;
        header.localLow = destinationLow;
        header.localPort = localPort;
        header.remoteHigh = sourceHigh;
        header.remoteLow = sourceLow;
        header.remotePort = remotePort;
        header.trafficClass = trafficClass;
        int payloadBytes = length - UdpHeader.BYTES;
        if (!socket.receivedBy(shard, chunks).offer(header, udp + UdpHeader.BYTES, payloadBytes)) {
            counters.increment(Counter.DROP_UDP_NO_MEMORY);
            return true;
        }
        counters.increment(Counter.UDP_IN_DATAGRAMS);
        socket.onReadable();
        return true;
    }

    /**
     * An ICMP error that quotes a datagram of ours. As on Linux only a connected socket hears of it, and only of what is final: nobody has
     * the port or speaks the protocol, or the datagram was too big (RFC 1122 §4.1.3.3). Smaller packets follow either way.
     *
     * @param mtu of PACKET_TOO_BIG, otherwise 0
     */
    public void onIcmpError(
            IcmpError kind,
            long localHigh,
            long localLow,
            int localPort,
            long remoteHigh,
            long remoteLow,
            int remotePort,
            int mtu,
            long nowNs) {
        UdpSocket socket = table.find(localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort);
        if (socket == null) {
            return;
        }
        if (kind == IcmpError.PACKET_TOO_BIG) {
            onPacketTooBig(socket, localHigh, localLow, remoteHigh, remoteLow, mtu, nowNs);
        }
        TcpError error = errorOf(kind);
        if (socket.peer() != null && error != TcpError.NONE) {
            socket.onError(error);
        }
    }

    private static TcpError errorOf(IcmpError kind) {
        return switch (kind) {
            case PORT_UNREACHABLE, PROTOCOL_UNREACHABLE -> TcpError.CONNECTION_REFUSED;
            case PACKET_TOO_BIG -> TcpError.MESSAGE_TOO_LONG;
            default -> TcpError.NONE;
        };
    }

    private void onPacketTooBig(
            UdpSocket socket, long localHigh, long localLow, long remoteHigh, long remoteLow, int mtu, long nowNs) {
        if (socket.home() == shard) {
            lower(output.path(localHigh, localLow, remoteHigh, remoteLow), mtu, nowNs);
        } else {
            IpAddress local = new IpAddress(localHigh, localLow);
            socket.reportPath(new PathReport(local, new IpAddress(remoteHigh, remoteLow), mtu));
        }
    }

    private static void lower(@Nullable Path path, int mtu, long nowNs) {
        if (path != null) {
            path.onPacketTooBig(mtu, nowNs);
        }
    }

    // ---- from the application ----

    /** The application has sent or closed, or another core has heard of a smaller MTU. */
    public void attend(UdpSocket socket, long nowNs) {
        if (socket.home() == shard) {
            socket.clearPending();
            PathReport report = socket.takeReport();
            if (report != null) {
                IpAddress local = report.local();
                IpAddress remote = report.remote();
                lower(output.path(local.high(), local.low(), remote.high(), remote.low()), report.mtu(), nowNs);
            }
            sendQueued(socket, nowNs);
        }
        if (socket.isClosed()) {
            socket.disposeReceivedBy(shard);
        }
    }

    private void sendQueued(UdpSocket socket, long nowNs) {
        DatagramQueue queue = socket.sending;
        int left = SENDS_PER_TURN;
        while (left > 0 && queue.peek(leaving)) {
            if (!sender.send(socket, leaving, nowNs)) {
                block(socket);
                break;
            }
            queue.release();
            left--;
        }
        if (left == 0) {
            socket.attendAgain();
        }
        socket.announceSpace();
        if (socket.isClosed() && queue.isEmpty()) {
            queue.dispose();
        }
    }

    private void block(UdpSocket socket) {
        counters.increment(Counter.UDP_OUTPUT_BLOCKED);
        if (!socket.blocked) {
            socket.blocked = true;
            blocked.add(socket);
        }
    }

    /** Packets are to be had again: sockets that went without try again. */
    public void onOutputAvailable(long nowNs) {
        int waiting = blocked.size();
        for (int i = 0; i < waiting; i++) {
            UdpSocket socket = blocked.get(i);
            socket.blocked = false;
            sendQueued(socket, nowNs);
        }
        blocked.subList(0, waiting).clear();
    }

    /** Whether sockets wait for {@link #onOutputAvailable}. */
    public boolean hasBlocked() {
        return !blocked.isEmpty();
    }

    static void copy(DatagramQueue queue, int offset, long to, int length) {
        for (int done = 0; done < length; ) {
            int count = queue.runBytes(offset + done, length - done);
            Memory.copy(queue.payloadAddress(offset + done), to + done, count);
            done += count;
        }
    }
}
