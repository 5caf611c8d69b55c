package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

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

    /** The server has given us a cookie, or none is needed, and nothing speaks against data in a SYN now. */
    boolean mayCarryData(IpAddress server, TcpOptions options, long nowNs) {
        return mayCarryData(cache.find(server), options, nowNs) && !cache.isPaused(nowNs);
    }

    private static boolean mayCarryData(FastOpenCache.@Nullable Server known, TcpOptions options, long nowNs) {
        return options.fastOpenNoCookie || known != null && known.mayCarryData(nowNs);
    }

    /** Adds what the first SYN of a connect with data carries. */
    void addTo(TcpConnection connection, Syn syn, long nowNs) {
        if (!connection.fastOpen.wanted || cache.isPaused(nowNs)) {
            return;
        }
        FastOpenCache.Server known = cache.find(connection.path.remote);
        if (mayCarryData(known, connection.options(), nowNs)) {
            if (known != null && !connection.options().fastOpenNoCookie) {
                syn.fastOpenBytes = known.cookieBytes;
                syn.fastOpenHigh = known.cookieHigh;
                syn.fastOpenLow = known.cookieLow;
                connection.fastOpen.experimental = syn.fastOpenExperimental = known.wantsExperimental();
            }
            syn.textBytes = connection.fastOpen.synDataBytes =
                    Math.min(connection.sender.buffer.unreleasedBytes(), synTextLimit(connection));
            syn.text = connection.sender.buffer;
            connection.fastOpen.tried = true;
            return;
        }
        if (known == null || known.mayAsk(nowNs)) {
            syn.fastOpenBytes = 0;
        } else {
            return;
        }
        connection.fastOpen.experimental = syn.fastOpenExperimental = known != null && known.wantsExperimental();
        connection.fastOpen.tried = true;
    }

    /** As much as one segment takes beside all options. */
    int synTextLimit(TcpConnection connection) {
        FastOpenCache.Server known = cache.find(connection.path.remote);
        int offered = SegmentWriter.offeredMss(connection.path, connection.options());
        int options = TcpHeader.MAX_BYTES - TcpHeader.MIN_BYTES;
        return Math.max(0, (known == null || known.mss == 0 ? offered : Math.min(known.mss, offered)) - options);
    }

    /** The SYN was not answered in time: from now on without. */
    void onSynTimeout(TcpConnection connection) {
        connection.fastOpen.wanted = false;
    }

    /** Timeouts in a row, in the handshake or behind it: something on this host's way out may not bear the option at all (§7.1). */
    void onRepeatedTimeouts(TcpConnection connection, long nowNs) {
        long pauseNs = tcp.config.handshake().fastOpenTuning().blackHolePauseNs();
        if (connection.fastOpen.tried && pauseNs > 0) {
            cache.pause(pauseNs, nowNs);
            tcp.counters.increment(Counter.TCP_FAST_OPEN_BLACK_HOLES);
        }
    }

    /** The handshake is complete; {@code taken} of the SYN's bytes are acknowledged, the others are sent again as new ones. */
    void onSynAck(TcpConnection connection, TcpSegment synAck, int taken, long nowNs) {
        if (connection.fastOpen.tried) {
            learn(connection, synAck, taken, nowNs);
        }
        connection.sender.onSynAck(taken, connection.fastOpen.synDataBytes, synAck.window, nowNs);
        if (taken > 0 && taken == connection.fastOpen.synDataBytes) {
            connection.tally.synDataTaken = true; // as Linux: all of it
            tcp.counters.increment(Counter.TCP_FAST_OPEN_ACTIVE);
        } else if (connection.fastOpen.synDataBytes > 0) {
            tcp.counters.increment(Counter.TCP_FAST_OPEN_ACTIVE_FAIL);
        }
    }

    /** A cookie that nobody asked for is ignored, and a loss is one only when the answer shows it; both as Linux. */
    private void learn(TcpConnection connection, TcpSegment synAck, int taken, long nowNs) {
        IpAddress server = connection.path.remote;
        if (!connection.fastOpen.wanted
                && connection.fastOpen.synDataBytes > 0
                && taken == 0
                && synAck.fastOpenBytes <= 0) {
            cache.onLoss(server, nowNs);
            return;
        }
        cache.onAnswer(server, connection.peerMss);
        long refusalPauseNs = tcp.config.handshake().fastOpenTuning().refusalPauseNs();
        if (taken == 0 && synAck.fastOpenBytes <= 0 && refusalPauseNs > 0) {
            cache.onRefusal(server, nowNs + refusalPauseNs);
            return;
        }
        if (synAck.fastOpenBytes > 0 && !connection.options().fastOpenNoCookie) {
            cache.onCookie(
                    server,
                    synAck.fastOpenBytes,
                    synAck.fastOpenHigh,
                    synAck.fastOpenLow,
                    synAck.fastOpenExperimental,
                    connection.peerMss);
        } else if (synAck.fastOpenBytes < 0 && connection.fastOpen.synDataBytes == 0 && connection.fastOpen.wanted) {
            cache.onNoCookie(server, connection.fastOpen.experimental);
        }
    }

    /** The connection is over. One with data in its SYN that the server has answered shows that the path bears it. */
    void onEnd(TcpConnection connection) {
        if (connection.fastOpen.synDataBytes > 0 && connection.receiver.nxt > 1) {
            cache.onHealthy();
        }
    }
}
