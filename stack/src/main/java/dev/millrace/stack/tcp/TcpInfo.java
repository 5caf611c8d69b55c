package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;

/**
 * One row of the connection table, for tools.
 *
 * @param unreadBytes received, in order, and not read by the application
 * @param unacknowledgedBytes written by the application, and not acknowledged by the peer
 * @param metrics nothing but the state while the connection is half open or in TIME-WAIT
 */
public record TcpInfo(
        IpAddress localAddress,
        int localPort,
        IpAddress remoteAddress,
        int remotePort,
        int shard,
        TcpState state,
        int unreadBytes,
        int unacknowledgedBytes,
        TcpMetrics metrics) {

    static TcpInfo of(TcpConnection connection, long nowNs) {
        return new TcpInfo(
                connection.path.local,
                connection.localPort,
                connection.path.remote,
                connection.remotePort,
                connection.tcp.config.shard(),
                connection.state(),
                connection.receiver.buffer.readableBytes(),
                connection.sender.buffer.unreleasedBytes(),
                TcpMetrics.of(connection, nowNs));
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
                TcpMetrics.of(state));
    }
}
