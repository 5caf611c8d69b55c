package dev.millrace.stack.port;

/**
 * How the holder of a core sleeps when nothing arrives. The engine itself neither parks threads nor reads clocks, so a port that lives
 * in it is given one of these per queue.
 *
 * <p>One thread at a time calls {@link #await}; any thread calls {@link #wake}.
 */
public interface Sleeper {
    /** As {@link RxQueue#await}. */
    void await(long timeoutNs);

    /** As {@link RxQueue#wake}; everything the caller wrote before is visible to the woken thread. */
    void wake();
}
