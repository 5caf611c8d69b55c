package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cookies that servers have given us, by server address, and what became of data sent with a SYN (RFC 7413 §4.1.3). Bounded: the one
 * unused for longest gives way. Looked at once per connect with data. Core thread only.
 */
final class FastOpenCache {
    private static final int MAX_SERVERS = 1024;

    /**
     * How long SYNs to a server carry nothing after the second in a row that did was lost; doubles with each loss (§4.1.3.1). A single loss is most often only
     * that: Linux waited for the second as well, before it left this to the pause for all servers.
     */
    private static final long BLOCKED_NS = 60_000_000_000L;

    private static final int TELLING_LOSSES = 2;

    private static final int MAX_DOUBLINGS = 6;

    private long pausedUntilNs;
    private int pauses;

    /** One server's. */
    static final class Server {
        /** 0: no cookie yet. */
        int cookieBytes;

        long cookieHigh;
        long cookieLow;
        /** 0: not known. */
        int mss;
        /** The cookie came as option 254. */
        private boolean experimental;
        /** How it did not come: 0 not tried, 1 not by the option of RFC 7413, 2 by neither. */
        private int refusals;

        private int losses;
        private long blockedUntilNs;

        /** Servers from before RFC 7413 know option 254 only; as Linux it is tried once. */
        boolean wantsExperimental() {
            return cookieBytes > 0 ? experimental : refusals == 1;
        }

        boolean mayCarryData(long nowNs) {
            return cookieBytes > 0 && mayAsk(nowNs);
        }

        boolean mayAsk(long nowNs) {
            return losses < TELLING_LOSSES || nowNs - blockedUntilNs >= 0;
        }
    }

    private final Map<IpAddress, Server> entries = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<IpAddress, Server> eldest) {
            return size() > MAX_SERVERS;
        }
    };

    @Nullable
    Server find(IpAddress server) {
        return entries.get(server);
    }

    /** Nothing is known of anybody. */
    void clear() {
        entries.clear();
    }

    int size() {
        return entries.size();
    }

    void onCookie(IpAddress server, int bytes, long high, long low, boolean experimental, int mss) {
        Server entry = entries.computeIfAbsent(server, key -> new Server());
        entry.cookieBytes = bytes;
        entry.cookieHigh = high;
        entry.cookieLow = low;
        entry.experimental = experimental;
        entry.mss = mss;
        entry.losses = 0; // the option gets through: a SYN that seemed lost was late
    }

    /** We asked for a cookie, and were answered without. */
    void onNoCookie(IpAddress server, boolean experimental) {
        Server entry = entries.computeIfAbsent(server, key -> new Server());
        if (entry.cookieBytes == 0) {
            entry.refusals = Math.max(entry.refusals, experimental ? 2 : 1);
        }
    }

    /** A SYN with the option was answered; as Linux, what the next one may carry goes by the MSS in this answer. */
    void onAnswer(IpAddress server, int mss) {
        Server entry = entries.computeIfAbsent(server, key -> new Server());
        entry.losses = 0;
        entry.mss = mss;
    }

    /** A SYN with data was lost, and its repetition without came through: something on the path may drop such SYNs. */
    void onLoss(IpAddress server, long nowNs) {
        Server entry = entries.computeIfAbsent(server, key -> new Server());
        entry.losses++;
        int doublings = Math.clamp(entry.losses - TELLING_LOSSES, 0, MAX_DOUBLINGS);
        entry.blockedUntilNs = nowNs + (BLOCKED_NS << doublings);
    }

    /** The server wants none of it. */
    void onRefusal(IpAddress server, long untilNs) {
        Server entry = entries.computeIfAbsent(server, key -> new Server());
        entry.blockedUntilNs = untilNs;
        entry.losses = TELLING_LOSSES;
    }

    // ---- all servers ----

    boolean isPaused(long nowNs) {
        return pauses > 0 && nowNs - pausedUntilNs < 0;
    }

    /** Connections with the option stall: none has it for this while, which doubles with each (as Linux, whose first is an hour). */
    void pause(long firstNs, long nowNs) {
        if (!isPaused(nowNs)) {
            pausedUntilNs = nowNs + (firstNs << Math.min(pauses, MAX_DOUBLINGS));
            pauses++;
        }
    }

    /** A connection with the option went well: the next pause is short again. */
    void onHealthy() {
        pauses = 0;
    }
}
