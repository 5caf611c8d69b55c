package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;

/**
 * Active opens whose SYN carries data (RFC 7413 §4.2.1): with the cookie that the server gave us before, or else with the request for one,
 * while the data waits for the handshake. Only the first SYN has the option; if that is not answered in time, something on the path may
 * drop such SYNs, and the next connections to that server do without for a while. One per core; core thread only.
 */
final class FastOpenClient {
    private final Tcp tcp;
    final FastOpenCache cache = new FastOpenCache();

    FastOpenClient(Tcp tcp) {
        this.tcp = tcp;
    }

    /** Adds what the first SYN of a connect with data carries. */
    void addTo(TcpConnection connection, Syn syn, long nowNs) {
        if (!connection.fastOpenWanted) {
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
        }
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
            cache.onLoss(connection.path.remote, nowNs);
        }
    }

    /** The handshake is complete; {@code taken} of the SYN's bytes are acknowledged, the others are sent again as new ones. */
    void onSynAck(TcpConnection connection, TcpSegment synAck, int taken, long nowNs) {
        if (synAck.fastOpenBytes > 0 && tcp.config.handshake().fastOpen().client()) {
            cache.onCookie(
                    connection.path.remote,
                    synAck.fastOpenBytes,
                    synAck.fastOpenHigh,
                    synAck.fastOpenLow,
                    connection.peerMss);
        }
        if (taken > 0) {
            connection.sender.onSynDataAcked(taken, synAck.window, nowNs);
            cache.onSuccess(connection.path.remote);
            tcp.counters.increment(Counter.TCP_FAST_OPEN_ACTIVE);
        } else if (connection.synDataBytes > 0) {
            tcp.counters.increment(Counter.TCP_FAST_OPEN_ACTIVE_FAIL);
        }
    }
}
