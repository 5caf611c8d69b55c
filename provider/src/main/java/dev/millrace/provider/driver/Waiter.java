package dev.millrace.provider.driver;

import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One thread's wait for something that a stack core will bring about: a selector's select, a blocking read.
 *
 * <p>Protocol: whoever makes {@link #isSatisfied} true calls {@link #signal} afterwards; the waiting thread announces how it is
 * about to sleep and checks once more before it does (store, fence, load on both sides), so no signal is lost. A thread that
 * is polling needs no signal and costs the signaller one volatile read.
 */
public abstract class Waiter {
    private static final int AWAKE = 0;
    private static final int PARKED = 1;
    private static final int IN_PORT = 2;

    private volatile int how = AWAKE;
    private volatile @Nullable Thread thread;
    private volatile @Nullable Shard asleepOn;

    /** Whether the wait is over. Called by the waiting thread, often. */
    protected abstract boolean isSatisfied();

    /** False when the thread must be reachable through {@link #unpark} while it sleeps, e.g. because it sleeps in an inner selector. */
    protected boolean maySleepInPort() {
        return true;
    }

    /** Sleeps until {@link #unpark}, interrupt or timeout; may return early. {@code timeoutNs} is positive, Long.MAX_VALUE for none. */
    protected void park(long timeoutNs) {
        if (timeoutNs == Long.MAX_VALUE) {
            LockSupport.park(this);
        } else {
            LockSupport.parkNanos(this, timeoutNs);
        }
    }

    /** Wakes {@code sleeper} out of {@link #park}. Any thread. */
    protected void unpark(Thread sleeper) {
        LockSupport.unpark(sleeper);
    }

    /** Tells the waiting thread, if any, that {@link #isSatisfied} may have become true. Any thread; never blocks. */
    public final void signal() {
        VarHandle.fullFence(); // the caller may have published with release order only
        int state = how;
        if (state == AWAKE) {
            return;
        }
        Thread sleeper = thread;
        if (state == PARKED && sleeper != null) {
            unpark(sleeper);
            return;
        }
        Shard shard = asleepOn;
        if (shard != null) {
            shard.wakePort();
        } else if (sleeper != null) {
            unpark(sleeper);
        }
    }

    /** Announces a sleep in {@link #park}; the caller checks {@link #isSatisfied} next. */
    final void announcePark() {
        thread = Thread.currentThread();
        asleepOn = null;
        how = PARKED;
        VarHandle.fullFence(); // isSatisfied() may read with acquire order only
    }

    /** Announces a sleep in the port of {@code shard}; the caller checks {@link #isSatisfied} next. */
    final void announcePortSleep(Shard shard) {
        thread = Thread.currentThread();
        asleepOn = shard;
        how = IN_PORT;
        VarHandle.fullFence();
    }

    final void awake() {
        how = AWAKE;
        asleepOn = null;
    }
}
