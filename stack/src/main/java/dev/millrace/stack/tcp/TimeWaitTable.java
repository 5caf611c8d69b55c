package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import org.jspecify.annotations.Nullable;

/**
 * The TIME-WAIT entries of one shard in the order of their expiry, which is the order of their last restart, since all wait equally
 * long; the flow table finds them by tuple. Bounded: the oldest gives way. Core thread only.
 */
final class TimeWaitTable {
    static final int MAX_EXPIRED = 256;

    private final Tcp tcp;
    private final int limit;
    private final long waitNs;

    private @Nullable TimeWait first;
    private @Nullable TimeWait last;
    private int size;

    TimeWaitTable(Tcp tcp, int limit, long waitNs) {
        this.tcp = tcp;
        this.limit = limit;
        this.waitNs = waitNs;
    }

    /** Takes in an entry that stands in the flow table already. */
    void add(TimeWait entry, long nowNs) {
        TimeWait oldest = first;
        if (size == limit && oldest != null) {
            tcp.counters.increment(Counter.TCP_TIME_WAIT_OVERFLOW);
            remove(oldest);
        }
        tcp.counters.increment(Counter.TCP_TIME_WAIT);
        append(entry, nowNs);
    }

    /** When the entry began to wait. */
    long sinceNs(TimeWait entry) {
        return entry.expiresNs - waitNs;
    }

    /** The peer's FIN came again: the wait begins anew. */
    void restart(TimeWait entry, long nowNs) {
        unlink(entry);
        append(entry, nowNs);
    }

    /** Forgets an entry, in the flow table too. */
    void remove(TimeWait entry) {
        unlink(entry);
        tcp.flows.remove(entry);
    }

    /** Forgets those whose time is over, a bounded number per call: peers who closed together are forgotten together. */
    void expire(long nowNs) {
        TimeWait oldest = first;
        for (int i = 0; i < MAX_EXPIRED && oldest != null && oldest.expiresNs <= nowNs; i++) {
            remove(oldest);
            oldest = first;
        }
    }

    /** Long.MAX_VALUE when there is none. */
    long nextDeadlineNs() {
        TimeWait oldest = first;
        return oldest == null ? Long.MAX_VALUE : oldest.expiresNs;
    }

    int size() {
        return size;
    }

    private void append(TimeWait entry, long nowNs) {
        entry.expiresNs = nowNs + waitNs;
        entry.earlier = last;
        entry.later = null;
        if (last == null) {
            first = entry;
        } else {
            last.later = entry;
        }
        last = entry;
        size++;
    }

    private void unlink(TimeWait entry) {
        TimeWait before = entry.earlier;
        TimeWait after = entry.later;
        if (before == null) {
            first = after;
        } else {
            before.later = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.earlier = before;
        }
        entry.earlier = null;
        entry.later = null;
        size--;
    }
}
