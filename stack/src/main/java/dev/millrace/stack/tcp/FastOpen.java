package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import org.jspecify.annotations.Nullable;

/**
 * What Fast Open (RFC 7413) adds to one connection: bytes that go with its SYN, a SYN that waits for them, and the time between a SYN that has opened it
 * and the end of its handshake. Cookies are {@link FastOpenClient}'s and {@link FastOpenServer}'s. Core thread only.
 */
final class FastOpen {
    private final TcpConnection connection;
    private final Tcp tcp;

    // we open
    /** The connect call came with data, and the path has not shown to drop such SYNs. */
    boolean wanted;
    /** A SYN of ours has carried the option. */
    boolean tried;
    /** Bytes that went with the SYN. */
    int synDataBytes;
    /** Our SYN waits for bytes to go with it. */
    boolean synDeferred;

    // the peer opens
    /** Among whose pending connections this one counts, until its handshake is complete. */
    private @Nullable TcpListener listener;

    /** The SYN+ACK is to bring the peer a new cookie. */
    boolean cookieDue;

    // either
    /** The option has the form it had before RFC 7413. */
    boolean experimental;

    FastOpen(TcpConnection connection, Tcp tcp) {
        this.connection = connection;
        this.tcp = tcp;
    }

    /** What Fast Open adds to our SYN or SYN+ACK. */
    void addTo(Syn syn, boolean withAck, long nowNs) {
        if (!withAck) {
            tcp.fastOpen.addTo(connection, syn, nowNs);
        } else if (cookieDue) {
            tcp.passive.fastOpen.addCookie(connection, syn, nowNs);
            syn.fastOpenExperimental = experimental;
        }
    }

    // ---- our SYN ----

    /**
     * As TCP_FASTOPEN_CONNECT on Linux: the application may go on as if it were connected, and what it writes first goes with the SYN. Other than
     * there, the SYN does not wait for ever: the server may be the one to speak first.
     */
    void deferSyn(long nowNs) {
        synDeferred = true;
        connection.socket.synTextLimit = tcp.fastOpen.synTextLimit(connection);
        connection.publish(TcpSocket.CONNECTED);
        if (!connection.options().fastOpenConnect) {
            connection.timers.set(ConnectionTimers.RETRANSMIT, nowNs + FastOpenClient.DEFERRAL_NS);
        }
    }

    /** The application has written, or asked for what the SYN must not wait any longer for. */
    void attend(int wishes, long nowNs) {
        if (synDeferred
                && (connection.sender.buffer.unreleasedBytes() > 0
                        || (wishes & (ConnectionSocket.SHUTDOWN_OUTPUT | ConnectionSocket.OPEN)) != 0)) {
            sendDeferredSyn(nowNs);
        }
    }

    /** There are bytes to go with the SYN, or it must not wait any longer. */
    void sendDeferredSyn(long nowNs) {
        synDeferred = false;
        connection.synSentNs = nowNs;
        connection.sendSyn(nowNs);
    }

    /** What was too large for the path was the data with the SYN: the SYN goes again without, and with the MSS of the smaller path. */
    void sendBareSyn(long nowNs) {
        wanted = false;
        tcp.counters.increment(Counter.TCP_RETRANSMITTED_SEGMENTS);
        connection.sendSyn(nowNs);
    }

    // ---- the peer's SYN ----

    /** Data with the peer's SYN has opened this connection. */
    void begin(TcpListener from) {
        listener = from;
        from.fastOpenPendingChanged(1);
    }

    /** Opened by data, its handshake not complete yet. */
    boolean isPending() {
        return listener != null;
    }

    /** Opened by data with its SYN, its handshake under way, and not accepted yet. */
    @SuppressWarnings("ReferenceEquality") // the constant is meant
    boolean awaitsAcceptance() {
        return isPending()
                && connection.state() == TcpState.SYN_RECEIVED
                && connection.socket.observer() == TcpObserver.NONE;
    }

    /** Opened by data, so what the application writes need not wait for the final ACK; unless our SYN+ACK seems to be lost. */
    boolean mayAnswerEarly() {
        return isPending() && connection.state() == TcpState.SYN_RECEIVED && connection.retries.timeouts() == 0;
    }

    /** The peer repeats the SYN that has opened this connection: so does what answers it. */
    void repeatSynAck(long nowNs) {
        if (connection.mayAnswerOddity(nowNs) && !tcp.writer.syn(connection, true, nowNs)) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the timer, or the peer, repeats it
        }
    }

    /** The handshake of a connection opened by data is complete, or the connection is over. */
    void end() {
        TcpListener from = listener;
        if (from != null) {
            listener = null;
            from.fastOpenPendingChanged(-1);
        }
    }
}
