package dev.millrace.stack.tcp;

/**
 * How large a connection's segments are: the least of what the peer takes, what TCP_MAXSEG allows, what the path is known to take, and what the search for the path's MTU has
 * got through ({@link PathMtuSearch}). Sizes "from the TCP header on" include it. Core thread only.
 */
final class SegmentSize {
    private static final int TCP_HEADER = 20;

    /** Timestamps, padded. */
    private static final int TIMESTAMPS = 12;

    /** Payload below which a peer may not press us (Linux' tcp_min_snd_mss): each byte would cost a packet. */
    private static final int MIN_PAYLOAD = 36;

    /** A probe of the MTU wants as many full segments behind it, and a window of so many, that its loss shows at once (RFC 4821 §7.4; figures as Linux). */
    private static final int PROBE_FOLLOWERS = 4;

    private static final int PROBE_WINDOW = 11;

    private final TcpConnection connection;
    private final PathMtuSearch search;

    private int peerMss;
    private int pathBytes;
    private int payloadBytes;

    SegmentSize(TcpConnection connection, MtuProbing probing) {
        this.connection = connection;
        this.search = new PathMtuSearch(probing, connection.path.local.isV4());
    }

    /** The handshake is complete. */
    void start(int mss, long nowNs) {
        int wanted = connection.options().maxSegmentBytes;
        peerMss = wanted > 0 ? Math.min(mss, wanted) : mss; // as Linux: TCP_MAXSEG holds for both directions
        pathBytes = connection.path.segmentBytes();
        search.start(mostBytes(), nowNs);
        update();
    }

    /** Payload of a full segment without SACK blocks. */
    int payloadBytes() {
        return payloadBytes;
    }

    /** Payload of a full segment now: SACK blocks, while there are some, take their share (RFC 6691). */
    int payloadLimit() {
        return Math.max(MIN_PAYLOAD, payloadBytes - connection.receiver.sackOptionBytes());
    }

    private void update() {
        payloadBytes = Math.max(MIN_PAYLOAD, Math.min(mostBytes(), search.limitBytes()) - headerBytes());
    }

    /** From the TCP header on, as far as ICMP and the peer have said. */
    private int mostBytes() {
        return Math.min(peerMss + TCP_HEADER, pathBytes);
    }

    private int headerBytes() {
        return TCP_HEADER + (connection.receiver.timestamps.enabled ? TIMESTAMPS : 0);
    }

    // ---- the path ----

    boolean pathHasChanged() {
        return connection.path.segmentBytes() != pathBytes;
    }

    void onPathChanged() {
        pathBytes = connection.path.segmentBytes();
        search.onPathChanged(mostBytes());
        update();
    }

    /** As {@link PathMtuSearch#onTimeout}; {@code unacknowledgedBytes} is what is in flight. */
    boolean onTimeout(boolean repeatedly, long unacknowledgedBytes, long nowNs) {
        int flightBytes = (int) Math.min(unacknowledgedBytes, payloadBytes) + headerBytes();
        boolean smaller = search.onTimeout(repeatedly, flightBytes, nowNs);
        if (smaller) {
            update();
        }
        return smaller;
    }

    // ---- probes of its MTU ----

    /**
     * Payload of the probe that should leave now, or 0.
     *
     * @param availableBytes what waits and the peer's window takes
     */
    int probePayload(long availableBytes, int cwndBytes, long nowNs) {
        search.renew(mostBytes(), nowNs);
        int wanted = search.wantedBytes();
        boolean due = wanted > 0
                && connection.receiver.sackOptionBytes() == 0
                && cwndBytes >= PROBE_WINDOW * payloadBytes
                && availableBytes >= wanted + PROBE_FOLLOWERS * (long) payloadBytes;
        return due ? wanted - headerBytes() : 0;
    }

    /** It carries the stream's {@code [from, to)}. */
    void onProbeSent(long from, long to) {
        search.onProbeSent(from, to, (int) (to - from) + headerBytes());
    }

    /** As {@link PathMtuSearch#onAcknowledged}. */
    boolean onAcknowledged(long una) {
        boolean larger = search.onAcknowledged(una);
        if (larger) {
            update();
        }
        return larger;
    }

    /** As {@link PathMtuSearch#onLoss}. */
    boolean onLoss(long una) {
        return search.onLoss(una);
    }
}
