package dev.millrace.io.dpdk;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Keeps the bursts of one queue pair away from whoever takes the memory from under them.
 *
 * <p>Two threads, the store of each before its load, both sequentially consistent (Dekker's way): the thread of the bursts says that it is inside and looks
 * whether the gate is shut; the one that shuts it says so and looks whether a burst is inside. At least one of them sees the other. The bursts never
 * wait: a shut gate is an empty burst. Shutting waits for the burst at hand, which is microseconds.
 */
public final class BurstGate {
    private static final int SPINS = 1000;
    private static final VarHandle INSIDE;

    static {
        try {
            INSIDE = MethodHandles.lookup().findVarHandle(BurstGate.class, "inside", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // thread of the bursts
    private volatile boolean inside;

    // the thread that shuts it
    private volatile boolean shut;

    /** Before a burst; when the answer is false, there must be none. Thread of the bursts. */
    public boolean enter() {
        inside = true;
        if (shut) {
            leave();
            return false;
        }
        return true;
    }

    /** After a burst that was allowed. Thread of the bursts. */
    public void leave() {
        INSIDE.setRelease(this, false);
    }

    /** On return no burst is in progress, and none begins before {@link #open}. One thread at a time. */
    public void shut() {
        shut = true;
        for (int spins = 0; inside; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield(); // the other thread may need this CPU
            }
        }
    }

    /** By the thread that has shut it. */
    public void open() {
        shut = false;
    }
}
