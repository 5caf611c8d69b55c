package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;

/** One row of the connection table, for tools; a snapshot in the manner of Linux' {@code tcp_info}. Units end the names. */
public record TcpInfo(
        IpAddress localAddress,
        int localPort,
        IpAddress remoteAddress,
        int remotePort,
        int shard,
        TcpState state,
        int unreadBytes,
        int unacknowledgedBytes,
        int segmentBytes,
        long roundTripNs,
        long roundTripVariationNs,
        long rtoNs,
        int timeouts,
        long cwndBytes,
        long ssthreshBytes,
        long sendWindowBytes,
        int receiveBufferBytes,
        int sendBufferBytes,
        long sentBytes,
        long acknowledgedBytes,
        long receivedBytes) {

    static TcpInfo of(TcpConnection connection) {
        Sender sender = connection.sender;
        Receiver receiver = connection.receiver;
        return new TcpInfo(
                connection.localAddress(),
                connection.localPort,
                connection.remoteAddress(),
                connection.remotePort,
                connection.shard(),
                connection.state(),
                receiver.buffer.readableBytes(),
                sender.buffer.unreleasedBytes(),
                sender.segmentBytes(),
                sender.rtt.smoothedRttNs(),
                sender.rtt.rttVariationNs(),
                sender.rtt.rtoNs(),
                connection.retries.timeouts(),
                sender.cwndBytes(),
                sender.ssthreshBytes(),
                sender.window.bytes(),
                receiver.capacity(),
                sender.buffer.capacity(),
                Math.max(0, sender.nxt),
                Math.max(0, sender.una),
                receiver.nxt);
    }

    static TcpInfo of(TimeWait entry, int shard) {
        return bare(entry, shard, TcpState.TIME_WAIT);
    }

    static TcpInfo of(HalfOpen entry, int shard) {
        return bare(entry, shard, TcpState.SYN_RECEIVED);
    }

    private static TcpInfo bare(Flow flow, int shard, TcpState state) {
        return new TcpInfo(
                new IpAddress(flow.localHigh, flow.localLow),
                flow.localPort,
                new IpAddress(flow.remoteHigh, flow.remoteLow),
                flow.remotePort,
                shard,
                state,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0);
    }
}
