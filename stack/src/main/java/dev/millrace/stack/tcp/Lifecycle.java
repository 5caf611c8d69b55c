package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;

/** How connections end: FIN, RST, giving up, TIME-WAIT; the CLOSE and ABORT calls of RFC 9293 §3.10.4 and §3.10.5. Core thread only. */
final class Lifecycle {
    /** Linux' tcp_max_orphans on a machine of a few GiB, for each core. */
    private static final int MAX_ORPHANS = 65_536;

    private final Tcp tcp;

    /** Connections that the application has closed and whose peers have yet to acknowledge, or close, at most. */
    int maxOrphans = MAX_ORPHANS;

    private int orphans;

    Lifecycle(Tcp tcp) {
        this.tcp = tcp;
    }

    /** The application closes its side of the stream; what it has written goes out first. */
    void shutdownOutput(TcpConnection connection) {
        switch (connection.state()) {
            case ESTABLISHED -> {
                connection.sender.finish();
                connection.moveTo(TcpState.FIN_WAIT_1);
            }
            case CLOSE_WAIT -> {
                connection.sender.finish();
                connection.moveTo(TcpState.LAST_ACK);
            }
            default -> {
                // already closed on this side; or not yet connected, then it is done once the handshake is complete
            }
        }
    }

    /** The application has given the connection up. */
    void close(TcpConnection connection, long nowNs) {
        switch (connection.state()) {
            case CLOSED, TIME_WAIT -> connection.receiver.discard();
            case SYN_SENT -> remove(connection);
            case SYN_RECEIVED -> closeInHandshake(connection, nowNs);
            default -> closeSynchronised(connection, nowNs);
        }
    }

    /**
     * RFC 9293 §3.10.4, SYN-RECEIVED: what has been written goes out when the handshake is complete, and the FIN after it. That the FIN could go at once
     * when there is nothing to send is not taken up: the final ACK, which is on its way, tells the peer's window for it.
     */
    private void closeInHandshake(TcpConnection connection, long nowNs) {
        if (connection.receiver.buffer.readableBytes() > 0) {
            closeSynchronised(connection, nowNs); // opened by data that nobody has read
        } else if (!connection.fastOpen.isPending() && !adopt(connection)) {
            refuseOrphan(connection, nowNs); // SYNs have crossed
        }
    }

    private void closeSynchronised(TcpConnection connection, long nowNs) {
        Receiver receiver = connection.receiver;
        if (!receiver.discarding() && receiver.buffer.readableBytes() > 0) {
            tcp.counters.increment(Counter.TCP_ABORT_ON_CLOSE);
            abort(connection, TcpError.ABORTED, nowNs); // RFC 1122 §4.2.2.13, RFC 2525 §2.17
            return;
        }
        if (!adopt(connection)) {
            refuseOrphan(connection, nowNs);
            return;
        }
        receiver.discard();
        shutdownOutput(connection);
        if (connection.state() == TcpState.FIN_WAIT_2) {
            boundFinWait2(connection, nowNs);
        }
    }

    /**
     * From now on nobody but this core knows the connection. False when there are too many such: peers that never acknowledge would otherwise
     * have as much memory kept for them as they like, beyond the reach of the application's own limits; as on Linux, who closes last pays.
     */
    private boolean adopt(TcpConnection connection) {
        if (connection.orphan) {
            return true;
        }
        if (orphans >= maxOrphans) {
            return false;
        }
        connection.orphan = true;
        orphans++;
        return true;
    }

    private void refuseOrphan(TcpConnection connection, long nowNs) {
        tcp.counters.increment(Counter.TCP_ABORT_ON_MEMORY);
        abort(connection, TcpError.ABORTED, nowNs);
    }

    int orphans() {
        return orphans;
    }

    /**
     * An orphan's retransmission timer has fired. While buffer memory is used up, what it holds is more than it is worth, as to Linux
     * (tcp_out_of_resources).
     */
    boolean isTooDear(TcpConnection connection) {
        return connection.orphan && tcp.chunks.freeChunks() == 0;
    }

    /** Ends an orphan whose memory others need. */
    void sacrifice(TcpConnection connection, long nowNs) {
        tcp.counters.increment(Counter.TCP_ABORT_ON_MEMORY);
        abort(connection, TcpError.TIMED_OUT, nowNs);
    }

    /** Nobody reads any more, so the peer's FIN is not waited for without end. */
    void boundFinWait2(TcpConnection connection, long nowNs) {
        if (!connection.timers.isSet(ConnectionTimers.LIFETIME)) {
            connection.timers.set(ConnectionTimers.LIFETIME, nowNs + tcp.config.finWait2Ns());
        }
    }

    /** FIN-WAIT-2 has lasted long enough. */
    void expire(TcpConnection connection) {
        remove(connection);
    }

    /** Ends the connection at once; the peer learns it by RST (RFC 9293 §3.10.5). */
    void abort(TcpConnection connection, TcpError why, long nowNs) {
        TcpState state = connection.state();
        if (state == TcpState.CLOSED) {
            connection.receiver.discard();
            return;
        }
        if (state != TcpState.SYN_SENT) {
            tcp.writer.reset(connection, nowNs);
        }
        fail(connection, why);
    }

    /** Retransmissions or window probes are exhausted; as Linux, without a RST: nobody has answered for long. */
    void giveUp(TcpConnection connection) {
        tcp.counters.increment(Counter.TCP_ABORT_ON_TIMEOUT);
        fail(connection, timeoutError(connection));
    }

    /** Keepalive probes are exhausted; as Linux, with a RST, in case that the peer lives and only its ACKs are lost. */
    void giveUpWithReset(TcpConnection connection, long nowNs) {
        tcp.counters.increment(Counter.TCP_ABORT_ON_TIMEOUT);
        abort(connection, timeoutError(connection), nowNs);
    }

    private static TcpError timeoutError(TcpConnection connection) {
        return connection.softError == TcpError.NONE ? TcpError.TIMED_OUT : connection.softError;
    }

    /** The connection is over with an error; nothing is sent. */
    void fail(TcpConnection connection, TcpError why) {
        connection.onFailed(why);
        remove(connection);
    }

    /** Both sides have closed and we closed first: a compact entry waits out old segments (RFC 9293 §3.4.3). */
    void enterTimeWait(TcpConnection connection, long nowNs) {
        connection.moveTo(TcpState.TIME_WAIT);
        TimeWait entry = new TimeWait(connection, nowNs);
        connection.receiver.acks.ackNow = false;
        entry.acknowledge(nowNs);
        release(connection);
        tcp.flows.replace(connection, entry);
        tcp.timeWaits.add(entry, nowNs);
    }

    /** The core forgets the connection; bytes not yet read stay readable until the application closes. */
    void remove(TcpConnection connection) {
        boolean removed = tcp.flows.remove(connection);
        assert removed : "not in the flow table";
        release(connection);
    }

    private void release(TcpConnection connection) {
        tcp.liveConnections--;
        if (connection.orphan) {
            connection.orphan = false;
            orphans--;
        }
        tcp.memory.onReleased(connection);
        connection.fastOpen.end();
        tcp.fastOpen.onEnd(connection);
        connection.timers.clearAll();
        connection.moveTo(TcpState.CLOSED);
        connection.receiver.acks.ackNow = false;
        connection.sender.buffer.dispose();
        if (connection.closedByApplication()) {
            connection.receiver.discard();
        }
        LocalBinding binding = connection.binding;
        if (binding != null) {
            connection.binding = null;
            tcp.ports.release(binding);
        }
        connection.onGone();
        tcp.touch(connection); // so that its observer hears of it
    }
}
