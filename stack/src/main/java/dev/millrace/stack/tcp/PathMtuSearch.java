package dev.millrace.stack.tcp;

/**
 * One connection's search for the largest segment that its path takes when no router tells (RFC 4821, as Linux' tcp_mtu_probing has it): full
 * segments that time out again and again make it fall to a size that nearly every path takes; from there data segments of larger sizes
 * probe upwards, by halving what is left of
 *
 * <pre>
 *     0 ──────────── low ───────── probe ───────── high
 *        gets through      in flight, or next        as far as ICMP and the peer's MSS say
 * </pre>
 *
 * All sizes are bytes behind the IP header: TCP header, options and payload. Core thread only; allocates nothing.
 */
final class PathMtuSearch {
    private static final int TCP_HEADER = 20;

    /** Where the search begins: RFC 4821 §7.2, Linux' tcp_base_mss. */
    static final int BASE_BYTES = 1024 + TCP_HEADER;

    /**
     * Never below, however often segments time out: what is small enough for IPv4's 576 (RFC 1122 §3.3.3) has other reasons to be lost.
     * Linux goes on to 48 bytes, where each byte costs a packet. With IPv6 the base is the floor: each link takes 1280 (RFC 8200 §5).
     */
    static final int FLOOR_BYTES_V4 = 512 + TCP_HEADER;

    /**
     * Retransmissions in vain that mean a black hole: Linux' tcp_retries1, RFC 1122 §4.2.3.5's R1. As on Linux a number stands for the time that so many take, three
     * seconds: on a line that loses much, three in a row are lost by chance.
     */
    static final int BLACK_HOLE_RETRIES = 3;

    /** A range this small is not worth another probe: Linux' tcp_probe_threshold. */
    private static final int THRESHOLD_BYTES = 8;

    /** RFC 4821 §7.6.4, tcp_probe_interval: paths change, so the search begins anew. */
    static final long INTERVAL_NS = 600_000_000_000L;

    private static final long NO_PROBE = -1;

    private final MtuProbing mode;
    private final boolean v4;
    private boolean searching;
    private int low;
    private int high;
    private int probe;
    private long probeFrom = NO_PROBE;
    private long probeTo = NO_PROBE;
    private long intervalSinceNs;

    PathMtuSearch(MtuProbing mode, boolean v4) {
        this.mode = mode;
        this.v4 = v4;
    }

    /** The handshake is complete. {@code mostBytes}: the path as far as ICMP says, and the peer's MSS. */
    void start(int mostBytes, long nowNs) {
        high = mostBytes;
        if (mode == MtuProbing.ON) {
            beginAt(Math.min(BASE_BYTES, mostBytes), nowNs);
        }
    }

    private void beginAt(int bytes, long nowNs) {
        searching = true;
        low = bytes;
        intervalSinceNs = nowNs;
    }

    /** ICMP has lowered, or its age raised, what the path is thought to take. */
    void onPathChanged(int mostBytes) {
        high = mostBytes;
        low = Math.min(low, mostBytes);
        endProbe();
    }

    /** No segment but a probe may be larger; Integer.MAX_VALUE for no limit. */
    int limitBytes() {
        return searching ? low : Integer.MAX_VALUE;
    }

    /**
     * The retransmission timer has fired, about a flight whose largest segment has {@code flightBytes}. What a probe was to find out stays unknown (RFC 4821
     * §7.6.3).
     *
     * @param repeatedly for as long as {@link #BLACK_HOLE_RETRIES} take
     * @return true when {@link #limitBytes} has become smaller
     */
    boolean onTimeout(boolean repeatedly, int flightBytes, long nowNs) {
        endProbe();
        int smaller = searching ? Math.max(low / 2, floorBytes()) : BASE_BYTES;
        if (mode == MtuProbing.OFF || !repeatedly || flightBytes <= smaller) {
            return false; // a segment that small is not lost because of its size
        }
        beginAt(smaller, nowNs);
        return true;
    }

    private int floorBytes() {
        return v4 ? FLOOR_BYTES_V4 : BASE_BYTES;
    }

    // ---- probes ----

    /** The size that the next probe should have, or 0 while none is due. */
    int wantedBytes() {
        boolean idle = searching && probeFrom == NO_PROBE;
        return idle && high - low >= THRESHOLD_BYTES ? (low + high + 1) / 2 : 0;
    }

    /** What an earlier search has excluded may get through by now. {@code mostBytes} as in {@link #start}. */
    void renew(int mostBytes, long nowNs) {
        if (searching && probeFrom == NO_PROBE && nowNs - intervalSinceNs >= INTERVAL_NS) {
            intervalSinceNs = nowNs;
            high = mostBytes;
        }
    }

    /** A probe of {@code bytes} carries the stream's {@code [from, to)}. */
    void onProbeSent(long from, long to, int bytes) {
        probeFrom = from;
        probeTo = to;
        probe = bytes;
    }

    /** Everything before {@code una} was received. True when that included a probe: {@link #limitBytes} has become larger. */
    boolean onAcknowledged(long una) {
        if (probeFrom == NO_PROBE || una < probeTo) {
            return false;
        }
        low = probe;
        endProbe();
        return true;
    }

    /**
     * Fast recovery has begun, so what follows {@code una} was lost. If that is the probe, its size is the likely reason (RFC 4821 §7.6.2);
     * otherwise it may be sent again in pieces, and its acknowledgment tells nothing.
     *
     * @return true when it was the probe
     */
    boolean onLoss(long una) {
        boolean ours = probeFrom == una;
        if (ours) {
            high = probe - 1;
        }
        endProbe();
        return ours;
    }

    private void endProbe() {
        probeFrom = NO_PROBE;
        probeTo = NO_PROBE;
    }
}
