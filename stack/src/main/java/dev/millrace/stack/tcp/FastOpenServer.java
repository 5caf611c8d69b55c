package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;

/**
 * Passive opens by a SYN with data and a valid cookie, or with none where none is required (RFC 7413 §4.2.2): the connection exists at once, in SYN-RECEIVED, the
 * application may accept and read, and what it writes follows the SYN+ACK without waiting for the final ACK, within the initial window. A FIN waits
 * for that (RFC 9293 §3.10.4). Everything else goes the way of other SYNs. One per core; core thread only.
 */
final class FastOpenServer {
    private final Tcp tcp;
    private FastOpenKeys keys;
    private FastOpenTuning tuning;

    FastOpenServer(Tcp tcp) {
        this.tcp = tcp;
        this.tuning = tcp.config.handshake().fastOpenTuning();
        this.keys = keysOf(tuning);
    }

    private FastOpenKeys keysOf(FastOpenTuning from) {
        return from.hasKey() ? new FastOpenKeys(from.key0(), from.key1()) : tcp.ports.fastOpenKeys;
    }

    /** Another key makes cookies given out before worthless. */
    void reconfigure() {
        FastOpenTuning changed = tcp.config.handshake().fastOpenTuning();
        if (!changed.equals(tuning)) {
            tuning = changed;
            keys = keysOf(changed);
        }
    }

    /** Whether the SYN+ACK is to bring a cookie: the SYN asks for one, or brought none that is good. */
    boolean offersCookie(TcpListener listener, TcpSegment syn) {
        return syn.fastOpenBytes >= 0 && serves(listener);
    }

    private boolean serves(TcpListener listener) {
        return tcp.config.handshake().fastOpen().server() && listener.fastOpenLimit() > 0;
    }

    /** Opens a connection if the cookie is good and there is room; false when nothing has happened. */
    boolean open(TcpListener listener, TcpSegment syn, int windowOffered, long nowNs) {
        boolean trusted = listener.options().fastOpenNoCookie && syn.payloadLength > 0;
        if (!serves(listener) || syn.fastOpenBytes <= 0 && !trusted) {
            return false;
        }
        boolean current = trusted || isGood(syn, true, nowNs);
        if (!current && !isGood(syn, false, nowNs)) {
            tcp.counters.increment(Counter.TCP_FAST_OPEN_PASSIVE_FAIL);
            return false;
        }
        if (listener.fastOpenPending() >= listener.fastOpenLimit()) {
            tcp.counters.increment(Counter.TCP_FAST_OPEN_LISTEN_OVERFLOW); // §5.1: an ordinary handshake instead
            return false;
        }
        Path path = tcp.output.path(
                new IpAddress(syn.destinationHigh, syn.destinationLow), new IpAddress(syn.sourceHigh, syn.sourceLow));
        if (path == null) {
            return false;
        }
        TcpConnection connection = connectionFrom(listener, path, syn, windowOffered, nowNs);
        if (!tcp.flows.insert(connection)) {
            return false;
        }
        connection.fastOpen.cookieDue = !current;
        connection.fastOpen.experimental = syn.fastOpenExperimental;
        admit(listener, connection, syn, nowNs);
        return true;
    }

    private boolean isGood(TcpSegment syn, boolean current, long nowNs) {
        long cookie = syn.fastOpenHigh;
        if (syn.fastOpenBytes != FastOpenKeys.COOKIE_BYTES) {
            return false;
        }
        return current
                ? keys.isCurrent(cookie, syn.destinationHigh, syn.destinationLow, syn.sourceHigh, syn.sourceLow, nowNs)
                : keys.isPrevious(
                        cookie, syn.destinationHigh, syn.destinationLow, syn.sourceHigh, syn.sourceLow, nowNs);
    }

    /** Puts a cookie for the flow's peer into a SYN+ACK. */
    void addCookie(Flow flow, Syn into, long nowNs) {
        into.fastOpenBytes = FastOpenKeys.COOKIE_BYTES;
        into.fastOpenHigh = keys.cookie(flow.localHigh, flow.localLow, flow.remoteHigh, flow.remoteLow, nowNs);
    }

    private TcpConnection connectionFrom(
            TcpListener listener, Path path, TcpSegment syn, int windowOffered, long nowNs) {
        TcpConnection connection = new TcpConnection(
                tcp,
                path,
                syn.destinationPort,
                syn.sourcePort,
                listener.options().copy(),
                TcpObserver.NONE,
                null);
        Receiver receiver = connection.receiver;
        receiver.open(syn.sequence, windowOffered, SegmentWriter.offeredMss(path, listener.options()));
        receiver.sackPermitted = syn.sackPermitted;
        receiver.scalingOffered = syn.windowScale >= 0;
        receiver.timestamps.offset =
                tcp.isns.timestampOffset(syn.destinationHigh, syn.destinationLow, syn.sourceHigh, syn.sourceLow);
        if (syn.hasTimestamp) {
            receiver.timestamps.enable(syn.timestampValue, nowNs);
        }
        Sender sender = connection.sender;
        sender.iss = tcp.initialSequence(syn, nowNs);
        sender.nxt = 0;
        if (receiver.scalingOffered) {
            sender.window.scale = Math.min(syn.windowScale, TcpHeader.MAX_WINDOW_SCALE);
        } else {
            receiver.window.withoutScaling();
        }
        sender.window.open(0, 0, syn.window);
        connection.peerMss = SegmentArrival.peerMss(syn, path.local.isV4());
        receiver.window.holdWholeSegments(connection.peerMss);
        connection.ecn.agree(Ecn.accepts(syn, tcp.config));
        connection.synSentNs = nowNs;
        return connection;
    }

    private void admit(TcpListener listener, TcpConnection connection, TcpSegment syn, long nowNs) {
        tcp.liveConnections++;
        connection.fastOpen.begin(listener);
        connection.tally.onReceived(syn.payloadLength);
        connection.onFastOpened(nowNs);
        if (syn.payloadLength > 0) {
            connection.tally.synDataTaken = true;
            connection.receiver.onText(0, syn, false, nowNs);
            connection.onReadable();
        }
        connection.sendSyn(nowNs);
        connection.receiver.onAckSent(false, nowNs);
        tcp.counters.increment(Counter.TCP_PASSIVE_OPENS);
        tcp.counters.increment(Counter.TCP_FAST_OPEN_PASSIVE);
        tcp.touch(connection);
        listener.offer(connection.socket);
    }
}
