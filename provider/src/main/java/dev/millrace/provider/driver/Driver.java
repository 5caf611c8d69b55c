package dev.millrace.provider.driver;

/**
 * Who runs the cores, and how threads wait for them: {@code inline} (whoever waits, drives), {@code dedicated} (a pinned thread per
 * core), or by hand in tests. Channels and selectors know only this.
 */
public interface Driver extends AutoCloseable {
    /** The cores, one shard each. */
    Shard[] shards();

    /**
     * Waits until {@code waiter} is satisfied, the clock ({@code System.nanoTime}) has passed {@code deadlineNs}, or the thread is
     * interrupted (flag left set). At least one turn of every core that is free is run even if nothing is to be waited for
     * ({@code deadlineNs} in the past), so that a {@code selectNow} loop makes progress. Returns {@code waiter.isSatisfied()}.
     *
     * @param deadlineNs absolute, Long.MAX_VALUE for none
     */
    boolean await(Waiter waiter, long deadlineNs);

    /**
     * Something was written or requested by a thread that will not wait on this driver soon (a blocking-mode write, a thread
     * that is not in a select loop): turns the core now if it is free, otherwise makes sure that its holder looks. Never blocks.
     */
    void nudge(Shard shard);

    /**
     * Has the core run what was submitted to it, now if it is free, without sending yet: for a thread that submits and will wait on this
     * driver, or {@link #nudge}, right after. Never blocks; where others turn the cores, they do it.
     */
    void runSubmitted(Shard shard);

    /**
     * Stops every thread of its own and takes every core for good: when it returns the caller alone may turn them. Threads that wait stay
     * parked unless they are signalled.
     */
    @Override
    void close();
}
