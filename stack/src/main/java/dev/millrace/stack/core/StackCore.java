package dev.millrace.stack.core;

import dev.millrace.stack.metrics.Counters;

/**
 * One core's whole stack: a queue pair, flow table, timers, pools, and the command queue through which everybody else reaches
 * it. Single-threaded by contract: whoever holds the core's lease calls {@link #turn}; nothing inside locks or waits.
 */
public final class StackCore {
    private final int shard;
    private final Counters counters = new Counters();

    StackCore(int shard) {
        this.shard = shard;
    }

    public int shard() {
        return shard;
    }

    /** Any thread may read. */
    public Counters counters() {
        return counters;
    }

    /**
     * Runs to completion: commands, received frames, due timers, and one flush of what they caused. Lease holder only.
     *
     * @param nowNs the caller's monotonic clock
     * @return how much was done; 0 when there was nothing
     */
    public int turn(long nowNs) {
        throw new UnsupportedOperationException();
    }

    /** When the next timer is due, Long.MAX_VALUE for never. Lease holder only. */
    public long nextDeadlineNs() {
        throw new UnsupportedOperationException();
    }

    /** Hands a command over; it runs in the next turn. Wakes the core's driver if that sleeps. Any thread. */
    public void submit(CoreCommand command) {
        throw new UnsupportedOperationException();
    }

    /**
     * Sleeps in the port until a frame arrives, a command is submitted, {@link #wake} is called, or the timeout passes. Lease holder
     * only.
     */
    public void await(long timeoutNs) {
        throw new UnsupportedOperationException();
    }

    /** Ends the current or the next {@link #await}. Any thread. */
    public void wake() {
        throw new UnsupportedOperationException();
    }
}
