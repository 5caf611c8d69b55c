package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.metrics.Counter;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * What happens when a core's buffer memory is used up. Applications that found none are told when there is some again, in the order in
 * which they came, as many as there are chunks. Where that memory is held by peers who keep their windows closed (sockstress, CVE-2008-4609),
 * their connections are reset, the one that has been closed longest first; as long as memory lasts, a closed window may stay
 * closed for ever (RFC 9293 MUST-37, RFC 6429). One per core; core thread only.
 */
final class MemoryPressure {
    /** Window probes in a row after which a peer counts as holding memory: more than a second, whatever its round trip. */
    static final int PROBES_OF_A_HOLDER = 3;

    /** Woken or reset per step at most, so that frames are not left waiting. */
    private static final int PER_STEP = 16;

    /** How soon to look again while somebody waits: whoever was woken may not have taken what there was. */
    private static final long LOOK_AGAIN_NS = 10_000_000L;

    private final Tcp tcp;
    private final ChunkPool chunks;
    private final ArrayDeque<TcpConnection> waiting = new ArrayDeque<>();

    // connections whose peers keep their windows closed, in the order in which they were found to
    private @Nullable TcpConnection firstHolder;
    private @Nullable TcpConnection lastHolder;

    private boolean shortage;
    private long nextLookNs = Long.MAX_VALUE;

    MemoryPressure(Tcp tcp) {
        this.tcp = tcp;
        this.chunks = tcp.chunks;
    }

    /** A connection's application found no memory for what it writes. */
    void await(TcpConnection connection) {
        shortage = true;
        if (!connection.awaitsMemory) {
            connection.awaitsMemory = true;
            waiting.add(connection);
        }
    }

    /** Received bytes found no memory. */
    void onReceiveShortage() {
        shortage = true;
    }

    /**
     * After each burst, request and timer: resets holders while there is nothing left, and wakes whoever can go on.
     *
     * @return whether connections were reset, which are to be finished
     */
    boolean relieve(long nowNs) {
        if (!shortage) {
            return false;
        }
        int resets = 0;
        for (TcpConnection holder = firstHolder;
                holder != null && resets < PER_STEP && chunks.freeChunks() == 0;
                holder = firstHolder) {
            resetHolder(holder, nowNs);
            resets++;
        }
        int free = Math.min(chunks.freeChunks(), PER_STEP);
        for (int i = 0; i < free && !waiting.isEmpty(); i++) {
            TcpConnection connection = waiting.remove();
            connection.awaitsMemory = false;
            connection.onMemoryAvailable();
        }
        shortage = !waiting.isEmpty();
        nextLookNs = shortage ? nowNs + LOOK_AGAIN_NS : Long.MAX_VALUE;
        return resets > 0;
    }

    /** When {@link #relieve} is due though nothing else happens; Long.MAX_VALUE for never. */
    long nextDeadlineNs() {
        return nextLookNs;
    }

    // ---- holders ----

    /** The peer has kept its window closed through {@link #PROBES_OF_A_HOLDER} probes. */
    void onHolder(TcpConnection connection) {
        if (connection.holdsMemory) {
            return;
        }
        connection.holdsMemory = true;
        connection.earlierHolder = lastHolder;
        if (lastHolder == null) {
            firstHolder = connection;
        } else {
            lastHolder.laterHolder = connection;
        }
        lastHolder = connection;
    }

    /** The window has opened, or the connection is over. */
    void onReleased(TcpConnection connection) {
        if (!connection.holdsMemory) {
            return;
        }
        connection.holdsMemory = false;
        TcpConnection before = connection.earlierHolder;
        TcpConnection after = connection.laterHolder;
        if (before == null) {
            firstHolder = after;
        } else {
            before.laterHolder = after;
        }
        if (after == null) {
            lastHolder = before;
        } else {
            after.earlierHolder = before;
        }
        connection.earlierHolder = null;
        connection.laterHolder = null;
    }

    private void resetHolder(TcpConnection holder, long nowNs) {
        tcp.counters.increment(Counter.TCP_ABORT_ON_MEMORY);
        tcp.lifecycle.abort(holder, TcpError.TIMED_OUT, nowNs);
    }
}
