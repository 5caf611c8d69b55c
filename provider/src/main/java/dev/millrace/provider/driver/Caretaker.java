package dev.millrace.provider.driver;

import java.util.concurrent.locks.LockSupport;

/**
 * The thread that keeps one core alive when no application thread is driving it, so that acknowledgments, timers and
 * retransmissions never depend on what the application is busy with.
 *
 * <p>It is in one of three moods. <em>Watching</em>: application threads come and go; it looks every {@link #GRACE_NS} whether the
 * core was turned since. <em>Dormant</em>: a holder sleeps in the port and will be woken by whatever happens, so there is nothing to
 * watch; the holder calls {@link #watch} when it leaves. <em>Driving</em>: nobody has turned the core for a whole period, so it takes
 * the lease, spins as long as there is work and sleeps in the port when there is none, until an application thread wants the lease.
 *
 * <p>Handing over only after a grace period, rather than whenever a driving thread leaves, is deliberate: a selector thread is back
 * within microseconds, and waking another thread for these costs more than it gains.
 */
final class Caretaker implements Runnable {
    static final long GRACE_NS = 500_000;

    /** Periods that a holder must have slept in the port before the caretaker goes dormant, so that a trickle does not wake it each time. */
    private static final int QUIET_PERIODS = 100;

    private final Shard shard;
    private final long spinNs;
    private final Thread thread;

    private int quietPeriods;
    private volatile boolean driving;
    private volatile boolean dormant;
    private volatile boolean hurried;
    private volatile boolean stopped;

    Caretaker(Shard shard, long spinNs) {
        this.shard = shard;
        this.spinNs = spinNs;
        this.thread = new Thread(this, "millrace-caretaker-" + shard.core().shard());
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** A holder has left. Any thread; one volatile read unless the caretaker is dormant. */
    void watch() {
        if (dormant) {
            dormant = false;
            LockSupport.unpark(thread);
        }
    }

    /** Somebody can't drive and needs the core turned now. Any thread. */
    void hurry() {
        if (!hurried) {
            hurried = true;
            dormant = false;
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void run() {
        long seenTurns = shard.turns();
        while (!stopped) {
            if (!hurried) {
                pause();
            }
            long turns = shard.turns();
            boolean neglected = turns == seenTurns || hurried;
            seenTurns = turns;
            hurried = false;
            if (neglected && shard.lease.tryAcquire()) {
                driving = true;
                try {
                    drive();
                } finally {
                    driving = false;
                    shard.lease.release();
                }
                seenTurns = shard.turns();
            }
        }
    }

    private void pause() {
        quietPeriods = shard.isAsleepInPort() ? quietPeriods + 1 : 0;
        if (quietPeriods < QUIET_PERIODS) {
            LockSupport.parkNanos(this, GRACE_NS);
            return;
        }
        dormant = true;
        // once more after announcing it: the holder may have left just before
        if (shard.isAsleepInPort() && !stopped && !hurried) {
            LockSupport.park(this);
        }
        dormant = false;
        quietPeriods = 0;
    }

    /** Whether it holds the lease. Any thread. */
    boolean isDriving() {
        return driving;
    }

    private void drive() {
        shard.noLongerWanted();
        long now = System.nanoTime();
        long idleSinceNs = now;
        while (!stopped && !shard.isWanted()) {
            boolean worked = shard.turn(now) > 0;
            now = System.nanoTime();
            if (worked) {
                idleSinceNs = now;
            } else if (now - idleSinceNs >= spinNs) {
                shard.sleepInPort(null, now, Long.MAX_VALUE);
                now = System.nanoTime();
                idleSinceNs = now;
            } else {
                Thread.onSpinWait();
            }
        }
    }

    /** Ends the thread and waits for it. */
    void stop() {
        stopped = true;
        dormant = false;
        LockSupport.unpark(thread);
        shard.want();
        Parking.join(thread);
    }
}
