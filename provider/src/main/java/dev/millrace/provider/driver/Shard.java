package dev.millrace.provider.driver;

import dev.millrace.stack.core.StackCore;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One core of the stack, the lease that says who may turn it, and the caretaker that turns it when nobody else does.
 *
 * <p>The holder publishes, for the caretaker, when it last turned and whether it sleeps in the port. Fields are written by the
 * lease holder unless said otherwise.
 */
public final class Shard {
    /** How often {@link #takeForGood} looks. */
    private static final long TAKING_NS = 50_000;

    private final StackCore core;
    final Lease lease = new Lease();

    /** Turns so far, so that the caretaker sees whether somebody is polling. */
    private volatile long turns;

    private volatile boolean asleepInPort;

    /** Written by any thread that would rather turn the core itself than have the caretaker do it. */
    private volatile boolean wanted;

    /** Set once, before any thread waits. */
    private @Nullable Caretaker caretaker;

    Shard(StackCore core) {
        this.core = core;
    }

    public StackCore core() {
        return core;
    }

    void caretaker(Caretaker thread) {
        caretaker = thread;
    }

    /** Runs the core once. Lease holder only. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer: the holder
    int turn(long nowNs) {
        turns++;
        return core.turn(nowNs);
    }

    /** Recent value; any thread. */
    long turns() {
        return turns;
    }

    /**
     * Sleeps in the port until something happens, {@code timeoutNs} passes or the core's next timer is due. Lease holder only.
     *
     * @param waiter whose wait this is, announced already; or null for the caretaker
     */
    void sleepInPort(@Nullable Waiter waiter, long nowNs, long timeoutNs) {
        long timerNs = core.nextDeadlineNs();
        if (timerNs <= nowNs) {
            return;
        }
        long sleepNs = timerNs == Long.MAX_VALUE ? timeoutNs : Math.min(timeoutNs, timerNs - nowNs);
        asleepInPort = true;
        try {
            boolean called = waiter != null ? waiter.isSatisfied() : wanted;
            if (!called) {
                core.await(sleepNs);
            }
        } finally {
            asleepInPort = false;
        }
    }

    boolean isAsleepInPort() {
        return asleepInPort;
    }

    /** Tells the caretaker, should it hold the lease, to give it up soon. Any thread. */
    void want() {
        if (!wanted) {
            wanted = true;
            if (asleepInPort) {
                core.wake();
            }
        }
    }

    boolean isWanted() {
        return wanted;
    }

    void noLongerWanted() {
        wanted = false;
    }

    /** Gives the lease back and makes sure that somebody watches over the core from now on. */
    void release() {
        lease.release();
        Caretaker thread = caretaker;
        if (thread != null) {
            thread.watch();
        }
    }

    /** Has the caretaker turn the core at once, if nobody holds it. Any thread. */
    void callCaretaker() {
        Caretaker thread = caretaker;
        if (thread != null && !lease.isHeld()) {
            thread.hurry();
        }
    }

    /** Ends the sleep of the thread that waits in this core's port. Any thread. */
    void wakePort() {
        core.wake();
    }

    /** Takes every lease and never gives it back, waiting for whoever turns a core at the moment; from then on only the caller may. */
    static void takeForGood(Shard[] shards) {
        for (Shard shard : shards) {
            while (!shard.lease.tryAcquire()) {
                shard.wakePort();
                LockSupport.parkNanos(shard, TAKING_NS);
            }
        }
    }
}
