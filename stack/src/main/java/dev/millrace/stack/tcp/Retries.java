package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;

/**
 * How often one connection tries again before it gives up: retransmission timeouts, window probes, keepalive probes, and the user
 * timeout over all of them (RFC 9293 §3.8.3, §3.8.4, §3.8.6.1, RFC 5482). Core thread only.
 */
final class Retries {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;
    private static final int MAX_SHIFT = 16;

    /** Linux' TCP_RTO_MIN, whatever the minimum configured. */
    private static final long LEAST_TIMEOUT_NS = 200 * MS;

    private final TcpConnection connection;
    private final Tcp tcp;

    /** Retransmission timeouts since the last acknowledgment of something new. */
    private int timeouts;
    /** When the data that times out was sent; meaningful while {@code timeouts > 0}. */
    private long stuckSinceNs;
    /** When it timed out first. */
    private long firstTimeoutNs;
    /** Window probes without any answer. */
    private int windowProbes;

    private int windowBackOff;
    private long probingSinceNs;
    private int keepAliveProbes;
    private long heardNs;
    /** Retransmission timeouts in all, those of the handshake included. */
    private long totalTimeouts;

    Retries(TcpConnection connection, Tcp tcp) {
        this.connection = connection;
        this.tcp = tcp;
    }

    int timeouts() {
        return timeouts;
    }

    /** Something acceptable came from the peer, so it lives. */
    void onHeard(long nowNs) {
        heardNs = nowNs;
        keepAliveProbes = 0;
    }

    /** An acceptable ACK came. A peer that keeps its window closed may do so for ever (RFC 9293 §3.8.6.1, MUST-37). */
    void onAnswer() {
        windowProbes = 0;
        if (connection.sender.window.edge > connection.sender.nxt) {
            windowBackOff = 0;
            tcp.memory.onReleased(connection);
        }
    }

    /** Something new was acknowledged. */
    void onProgress() {
        timeouts = 0;
    }

    // ---- figures ----

    long totalTimeouts() {
        return totalTimeouts;
    }

    /** Window or keepalive probes that nothing has answered. */
    int unansweredProbes() {
        return Math.max(windowProbes, keepAliveProbes);
    }

    int windowBackOff() {
        return windowBackOff;
    }

    /** When the peer was heard last. */
    long heardNs() {
        return heardNs;
    }

    // ---- retransmission ----

    void onRetransmissionTimeout(long nowNs) {
        if (connection.fastOpen.synDeferred) {
            connection.fastOpen.sendDeferredSyn(nowNs);
            return;
        }
        TcpState state = connection.state();
        boolean handshake = state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED;
        if (!handshake && !connection.sender.inFlight()) {
            return;
        }
        tcp.counters.increment(Counter.TCP_TIMEOUTS);
        if (timeouts == 0) {
            stuckSinceNs = nowNs - connection.sender.rtt.rtoNs();
            firstTimeoutNs = nowNs;
        }
        timeouts++;
        totalTimeouts++;
        if (timeouts == FastOpenClient.TIMEOUTS_OF_A_BLACK_HOLE) {
            tcp.fastOpen.onRepeatedTimeouts(connection, nowNs);
        }
        if (handshake) {
            onSynTimeout(nowNs);
        } else if (tcp.lifecycle.isTooDear(connection)) {
            tcp.lifecycle.sacrifice(connection, nowNs);
        } else if (isHopeless(nowNs)) {
            tcp.lifecycle.giveUp(connection);
        } else {
            connection.sender.onRetransmissionTimeout(nowNs);
            boundByUserTimeout(ConnectionTimers.RETRANSMIT, stuckSinceNs);
        }
    }

    private void onSynTimeout(long nowNs) {
        if (timeouts > handshakeRetries() || userTimeoutPassed(stuckSinceNs, nowNs)) {
            tcp.lifecycle.giveUp(connection);
            return;
        }
        connection.sender.rtt.backOff();
        connection.sender.onSynAckTimeout(nowNs);
        connection.ecn.onSynTimeout(timeouts);
        tcp.fastOpen.onSynTimeout(connection);
        connection.sendSyn(nowNs);
        long slopNs = tcp.config.features().quirks().synSlopNs();
        if (slopNs > 0) {
            connection.timers.set(ConnectionTimers.RETRANSMIT, nowNs + connection.sender.rtt.rtoNs() + slopNs);
        }
        boundByUserTimeout(ConnectionTimers.RETRANSMIT, stuckSinceNs);
    }

    /** As Linux, a server that data has opened tries once more than others do: an application holds what a half-open entry would not. */
    private int handshakeRetries() {
        int own = connection.options().synRetries;
        if (own > 0) {
            return own;
        }
        return connection.fastOpen.isPending() ? tcp.config.synAckRetries() + 1 : tcp.config.synRetries();
    }

    private boolean isHopeless(long nowNs) {
        if (connection.options().userTimeoutMs > 0) {
            return userTimeoutPassed(stuckSinceNs, nowNs);
        }
        if (connection.sender.window.bytes() == 0 && !connection.closedByApplication()) {
            // the peer shrank its window to nothing: retransmissions are probes, and silence is what counts
            return nowNs - heardNs > RttEstimator.MAX_RTO_NS;
        }
        return haveLasted(limit(), nowNs);
    }

    /** Nothing has come through for as long as so many retransmissions take. */
    boolean haveLasted(int retransmissions, long nowNs) {
        return timeouts > 1 && nowNs - firstTimeoutNs >= spanNs(retransmissions);
    }

    /**
     * How long so many retransmissions take that begin with the least timeout there is (RFC 9293 §3.8.3's R2): as on Linux a number of retries
     * stands for a time, 924.6 s for its 15, so that a long round trip does not make hours of it.
     */
    private static long spanNs(int retransmissions) {
        long spanNs = 0;
        long timeoutNs = LEAST_TIMEOUT_NS;
        for (int i = 0; i <= retransmissions; i++) {
            spanNs += timeoutNs;
            timeoutNs = Math.min(timeoutNs * 2, RttEstimator.MAX_RTO_NS);
        }
        return spanNs;
    }

    private int limit() {
        return connection.closedByApplication() ? tcp.config.orphanRetries() : tcp.config.retries();
    }

    private boolean userTimeoutPassed(long sinceNs, long nowNs) {
        long timeoutNs = connection.options().userTimeoutMs * MS;
        return timeoutNs > 0 && nowNs - sinceNs >= timeoutNs;
    }

    private void boundByUserTimeout(int timer, long sinceNs) {
        long timeoutNs = connection.options().userTimeoutMs * MS;
        if (timeoutNs > 0 && connection.timers.deadlineNs(timer) > sinceNs + timeoutNs) {
            connection.timers.set(timer, sinceNs + timeoutNs);
        }
    }

    // ---- persist ----

    /** Time to the next window probe: the RTO, doubled each time (SHLD-29, SHLD-30). */
    long persistIntervalNs() {
        return Math.min(connection.sender.rtt.rtoNs() << Math.min(windowBackOff, MAX_SHIFT), RttEstimator.MAX_RTO_NS);
    }

    /**
     * The window has been closed, or silly, for an RTO. What little it takes is sent; if that is nothing, a segment without data before
     * SND.UNA asks for an ACK: like Linux' probes, it leaves nothing in flight that the peer must refuse.
     */
    void onPersist(long nowNs) {
        Sender sender = connection.sender;
        if (!connection.state().sendsText() || sender.inFlight()) {
            return;
        }
        if (windowProbes == 0 && windowBackOff == 0) {
            probingSinceNs = nowNs;
        }
        if (windowProbes >= limit() || isAbandoned() || userTimeoutPassed(probingSinceNs, nowNs)) {
            tcp.lifecycle.giveUp(connection);
            return;
        }
        windowBackOff++;
        if (sender.transmitter.overrideSillyWindow(nowNs)) {
            return;
        }
        windowProbes++;
        if (windowBackOff >= MemoryPressure.PROBES_OF_A_HOLDER && sender.buffer.unreleasedBytes() > 0) {
            tcp.memory.onHolder(connection);
        }
        tcp.counters.increment(Counter.TCP_WINDOW_PROBES);
        probe(nowNs);
        connection.timers.set(ConnectionTimers.PERSIST, nowNs + persistIntervalNs());
    }

    /**
     * The application has closed, and the peer, though it answers, has kept its window closed until the probes' interval grew to its limit:
     * as Linux, which does not keep orphans for ever.
     */
    private boolean isAbandoned() {
        return connection.closedByApplication()
                && windowBackOff >= limit()
                && persistIntervalNs() >= RttEstimator.MAX_RTO_NS;
    }

    private void probe(long nowNs) {
        Sender sender = connection.sender;
        boolean sent = tcp.writer.segment(connection, sender.una - 1, 0, TcpSegment.ACK, SegmentOutput.Kind.ACK, nowNs);
        if (!sent) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the next probe follows anyway
        }
    }

    // ---- keepalive ----

    /** The options say whether and when to probe; called when they change and when the handshake completes. */
    void startKeepAlive(long nowNs) {
        TcpOptions options = connection.options();
        if (options.keepAlive && isSynchronised()) {
            connection.timers.set(ConnectionTimers.KEEPALIVE, nowNs + options.keepIdleSeconds * SECOND);
        } else {
            connection.timers.clear(ConnectionTimers.KEEPALIVE);
        }
        keepAliveProbes = 0;
    }

    private boolean isSynchronised() {
        return switch (connection.state()) {
            case LISTEN, SYN_SENT, SYN_RECEIVED, TIME_WAIT, CLOSED -> false;
            default -> true;
        };
    }

    void onKeepAlive(long nowNs) {
        TcpOptions options = connection.options();
        if (!options.keepAlive || !isSynchronised()) {
            return;
        }
        long idleNs = options.keepIdleSeconds * SECOND;
        long intervalNs = options.keepIntervalSeconds * SECOND;
        if (connection.sender.inFlight() || connection.timers.isSet(ConnectionTimers.PERSIST)) {
            connection.timers.set(ConnectionTimers.KEEPALIVE, nowNs + idleNs); // another timer watches
            return;
        }
        if (keepAliveProbes == 0 && nowNs - heardNs < idleNs) {
            connection.timers.set(ConnectionTimers.KEEPALIVE, heardNs + idleNs);
            return;
        }
        boolean hopeless = options.userTimeoutMs > 0
                ? keepAliveProbes > 0 && userTimeoutPassed(heardNs, nowNs)
                : keepAliveProbes >= options.keepCount;
        if (hopeless) {
            tcp.lifecycle.giveUpWithReset(connection, nowNs);
            return;
        }
        keepAliveProbes++;
        tcp.counters.increment(Counter.TCP_KEEPALIVE_PROBES);
        probe(nowNs);
        connection.timers.set(ConnectionTimers.KEEPALIVE, nowNs + intervalNs);
    }
}
