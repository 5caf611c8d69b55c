package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;

/** The end of a passive open: the final ACK makes a connection of a half-open entry, or of a cookie. One per core; core thread only. */
final class Acceptance {
    private final Tcp tcp;

    Acceptance(Tcp tcp) {
        this.tcp = tcp;
    }

    /**
     * A connection takes the entry's place, and the segment goes on to it. With a full accept queue the ACK is dropped: the SYN+ACK, or the
     * peer's first text, will be repeated.
     */
    void accept(HalfOpen entry, TcpSegment segment, long nowNs) {
        TcpListener listener = entry.listener;
        if (listener.isFull()) {
            drop(Counter.DROP_TCP_LISTEN_OVERFLOW);
            return;
        }
        Path path = tcp.output.path(
                new IpAddress(entry.localHigh, entry.localLow), new IpAddress(entry.remoteHigh, entry.remoteLow));
        if (path == null) {
            drop(Counter.DROP_TCP_NO_ROUTE);
            return;
        }
        TcpConnection connection = connectionFrom(entry, path, segment, nowNs);
        if (!takePlace(entry, connection)) {
            drop(Counter.DROP_TCP_HALF_OPEN_FULL);
            return;
        }
        tcp.counters.increment(Counter.TCP_PASSIVE_OPENS);
        connection.tally.onReceived(0); // its SYN
        connection.tally.onReceived(segment.payloadLength);
        tcp.arrival.synchronised(connection, segment, nowNs);
        tcp.touch(connection);
        listener.offer(connection.socket);
    }

    private boolean takePlace(HalfOpen entry, TcpConnection connection) {
        if (entry.isFromCookie()) {
            boolean inserted = tcp.flows.insert(connection);
            if (inserted) {
                tcp.liveConnections++;
            } else {
                connection.timers.clearAll();
            }
            return inserted;
        }
        tcp.passive.forget(entry);
        tcp.flows.replace(entry, connection);
        return true;
    }

    private TcpConnection connectionFrom(HalfOpen entry, Path path, TcpSegment segment, long nowNs) {
        TcpConnection connection = new TcpConnection(
                tcp,
                path,
                entry.localPort,
                entry.remotePort,
                entry.listener.options().copy(),
                TcpObserver.NONE,
                null);
        Receiver receiver = connection.receiver;
        receiver.open(entry.irs, entry.windowOffered(), SegmentWriter.offeredMss(path, connection.options()));
        receiver.sackPermitted = entry.sackPermitted();
        connection.ecn.agree(entry.ecn());
        receiver.scalingOffered = entry.windowScale >= 0;
        receiver.timestamps.offset =
                tcp.isns.timestampOffset(entry.localHigh, entry.localLow, entry.remoteHigh, entry.remoteLow);
        if (entry.hasTimestamps()) {
            receiver.timestamps.enable(entry.timestampRecent, nowNs);
        }
        Sender sender = connection.sender;
        sender.iss = entry.iss;
        if (receiver.scalingOffered) {
            sender.window.scale = Math.min(entry.windowScale, TcpHeader.MAX_WINDOW_SCALE);
        } else {
            receiver.window.withoutScaling();
        }
        sender.window.open(0, 0, entry.windowField());
        connection.peerMss = entry.peerMss();
        receiver.window.holdWholeSegments(connection.peerMss);
        boolean repeated = entry.retransmissions > 0;
        if (!entry.isFromCookie()) {
            measureHandshake(connection, entry, repeated, segment, nowNs);
        }
        connection.onEstablished(nowNs);
        sender.onEstablished(entry.peerMss(), repeated, nowNs);
        return connection;
    }

    private static void measureHandshake(
            TcpConnection connection, HalfOpen entry, boolean repeated, TcpSegment segment, long nowNs) {
        RttEstimator rtt = connection.sender.rtt;
        Timestamps timestamps = connection.receiver.timestamps;
        if (!repeated) {
            rtt.onSample(nowNs - entry.firstSentNs, nowNs);
        } else if (segment.hasTimestamp && timestamps.roundTripNs(segment.timestampEcho, nowNs) >= 0) {
            rtt.onSample(timestamps.roundTripNs(segment.timestampEcho, nowNs), nowNs);
        } else {
            rtt.onSynTimedOut();
        }
    }

    private void drop(Counter reason) {
        tcp.counters.increment(reason);
    }
}
