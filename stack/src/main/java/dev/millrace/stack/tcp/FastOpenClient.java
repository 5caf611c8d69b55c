package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;

/**
 * Active opens whose SYN carries data (RFC 7413 §4.2.1): with the cookie that the server gave us before, or else with the request for one,
 * while the data waits for the handshake. Only the first SYN has the option; if that is not answered in time, something on the path may
 * drop such SYNs, and the next connections to that server do without for a while. One per core; core thread only.
 */
final class FastOpenClient {
    /** How long a SYN waits for bytes to go with it, so that protocols in which the server speaks first lose no more than that. */
    static final long DEFERRAL_NS = 10_000_000L;

    /** As Linux: so many timeouts in a row on a connection with the option speak against the path. */
    static final int TIMEOUTS_OF_A_BLACK_HOLE = 3;

    private final Tcp tcp;
    final FastOpenCache cache = new FastOpenCache();

    FastOpenClient(Tcp tcp) {
        this.tcp = tcp;
    }

    boolean defersConnects(TcpOptions options) {
        FastOpenMode mode = tcp.config.handshake().fastOpen();
        return mode.defersConnects() || mode.client() && options.fastOpenConnect;
    }

    /** The server has given us a cookie, and nothing speaks against using it now. */
    boolean mayCarryData(IpAddress server, long nowNs) {
        FastOpenCache.Server known = cache.find(server);
        return known != null && known.mayCarryData(nowNs) && !cache.isPaused(nowNs);
    }

    /** Adds what the first SYN of a connect with data carries. */
    void addTo(TcpConnection connection, Syn syn, long nowNs) {
        if (!connection.fastOpenWanted || cache.isPaused(nowNs)) {
            return;
        }
        FastOpenCache.Server known = cache.find(connection.path.remote);
        if (known != null && known.mayCarryData(nowNs)) {
            syn.fastOpenBytes = known.cookieBytes;
            syn.fastOpenHigh = known.cookieHigh;
            syn.fastOpenLow = known.cookieLow;
            syn.textBytes = connection.synDataBytes = textBytes(connection, known);
            syn.text = connection.sender.buffer;
        } else if (known == null || known.mayAsk(nowNs)) {
            syn.fastOpenBytes = 0;
        } else {
            return;
        }
        connection.fastOpenExperimental = syn.fastOpenExperimental = known != null && known.wantsExperimental();
        connection.fastOpenTried = true;
    }

    /** As much as one segment takes beside all options. */
    private static int textBytes(TcpConnection connection, FastOpenCache.Server known) {
        int options = TcpHeader.MAX_BYTES - TcpHeader.MIN_BYTES;
        int payload = Math.min(known.mss, SegmentWriter.offeredMss(connection.path)) - options;
        return Math.clamp(connection.sender.buffer.unreleasedBytes(), 0, Math.max(0, payload));
    }

    /** The SYN was not answered in time: from now on without. */
    void onSynTimeout(TcpConnection connection, long nowNs) {
        if (connection.fastOpenWanted) {
            connection.fastOpenWanted = false;
            if (connection.fastOpenTried) {
                cache.onLoss(connection.path.remote, nowNs);
            }
        }
    }

    /** Timeouts in a row, in the handshake or behind it: something on this host's way out may not bear the option at all (§7.1). */
    void onRepeatedTimeouts(TcpConnection connection, long nowNs) {
        if (connection.fastOpenTried) {
            cache.pause(nowNs);
            tcp.counters.increment(Counter.TCP_FAST_OPEN_BLACK_HOLES);
        }
    }

    /** The handshake is complete; {@code taken} of the SYN's bytes are acknowledged, the others are sent again as new ones. */
    void onSynAck(TcpConnection connection, TcpSegment synAck, int taken, long nowNs) {
        if (connection.fastOpenTried) {
            learn(connection, synAck);
        }
        if (taken > 0) {
            connection.tally.synDataTaken = true;
            connection.sender.onSynDataAcked(taken, synAck.window, nowNs);
            cache.onSuccess(connection.path.remote);
            tcp.counters.increment(Counter.TCP_FAST_OPEN_ACTIVE);
        } else if (connection.synDataBytes > 0) {
            tcp.counters.increment(Counter.TCP_FAST_OPEN_ACTIVE_FAIL);
        }
    }

    /** A cookie that nobody asked for is ignored, as on Linux. */
    private void learn(TcpConnection connection, TcpSegment synAck) {
        IpAddress server = connection.path.remote;
        if (synAck.fastOpenBytes > 0) {
            cache.onCookie(
                    server,
                    synAck.fastOpenBytes,
                    synAck.fastOpenHigh,
                    synAck.fastOpenLow,
                    synAck.fastOpenExperimental,
                    connection.peerMss);
        } else if (synAck.fastOpenBytes < 0 && connection.synDataBytes == 0 && connection.fastOpenWanted) {
            cache.onNoCookie(server, connection.fastOpenExperimental);
        }
    }

    /** The connection is over. One with data in its SYN that the server has answered shows that the path bears it. */
    void onEnd(TcpConnection connection) {
        if (connection.synDataBytes > 0 && connection.receiver.nxt > 1) {
            cache.onHealthy();
        }
    }
}
