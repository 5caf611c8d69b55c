package dev.millrace.provider.driver;

import dev.millrace.stack.core.Stack;

/**
 * Whoever waits, drives: a platform thread that is about to wait takes the lease of every core that is free and turns them itself,
 * run to completion, with no hand-over to another thread. It polls for {@code spin} before it sleeps. Threads that find every core
 * taken poll their own condition for as long, then park and are signalled. Virtual threads never drive.
 */
final class InlineDriver implements Driver {
    /** How long a thread that finds the caretaker driving waits for it to step aside, before it parks like any other. */
    private static final long STEP_ASIDE_NS = 50_000;

    private final Shard[] shards;
    private final Caretaker[] caretakers;
    private final long spinNs;
    private volatile boolean closed;

    /** @param spinNs how long to poll before sleeping; Long.MAX_VALUE for ever */
    InlineDriver(Stack stack, long spinNs) {
        this.spinNs = spinNs;
        shards = new Shard[stack.shards()];
        caretakers = new Caretaker[shards.length];
        for (int i = 0; i < shards.length; i++) {
            shards[i] = new Shard(stack.core(i));
            caretakers[i] = new Caretaker(shards[i], Math.min(spinNs, STEP_ASIDE_NS));
            shards[i].caretaker(caretakers[i]);
        }
        for (Caretaker caretaker : caretakers) {
            caretaker.start();
        }
    }

    @Override
    public Shard[] shards() {
        return shards;
    }

    @Override
    public boolean await(Waiter waiter, long deadlineNs) {
        Thread self = Thread.currentThread();
        return closed || self.isVirtual()
                ? Parking.await(waiter, deadlineNs, shards)
                : driveUntil(waiter, deadlineNs, self);
    }

    private boolean driveUntil(Waiter waiter, long deadlineNs, Thread self) {
        long held = 0;
        try {
            long now = System.nanoTime();
            long idleSinceNs = now;
            while (true) {
                held = acquireFree(held);
                boolean mayGetOne = held == 0 && askCaretakers();
                int work = turnHeld(held, now);
                if (waiter.isSatisfied()) {
                    return true;
                }
                if (closed) {
                    releaseAll(held);
                    held = 0;
                    return Parking.await(waiter, deadlineNs, shards);
                }
                now = System.nanoTime();
                if (deadlineNs != Long.MAX_VALUE && now - deadlineNs >= 0) {
                    return false;
                }
                if (self.isInterrupted()) {
                    return false;
                }
                if (work > 0) {
                    idleSinceNs = now;
                } else if (mayGetOne && now - idleSinceNs < STEP_ASIDE_NS) {
                    Thread.yield(); // the caretaker may need this very CPU to step aside
                } else if (now - idleSinceNs < spinNs) {
                    Thread.onSpinWait();
                } else {
                    long timeoutNs = deadlineNs == Long.MAX_VALUE ? Long.MAX_VALUE : deadlineNs - now;
                    held = sleep(waiter, held, now, timeoutNs);
                    now = System.nanoTime();
                    idleSinceNs = now;
                }
            }
        } finally {
            releaseAll(held);
        }
    }

    /** Takes every lease that is to be had; {@code held} has a bit per shard. */
    private long acquireFree(long held) {
        long now = held;
        for (int i = 0; i < shards.length; i++) {
            if ((now & 1L << i) == 0 && shards[i].lease.tryAcquire()) {
                now |= 1L << i;
            }
        }
        return now;
    }

    private int turnHeld(long held, long nowNs) {
        int work = 0;
        for (int i = 0; i < shards.length; i++) {
            if ((held & 1L << i) != 0) {
                work += shards[i].turn(nowNs);
            }
        }
        return work;
    }

    /** Sleeps in the port of one core that it holds, leaving the others to their caretakers; holding none, it parks. */
    private long sleep(Waiter waiter, long held, long nowNs, long timeoutNs) {
        int port = held != 0 && waiter.maySleepInPort() ? Long.numberOfTrailingZeros(held) : -1;
        long kept = port < 0 ? 0 : 1L << port;
        releaseAll(held & ~kept);
        callCaretakers(held & ~kept);
        if (port >= 0) {
            waiter.announcePortSleep(shards[port]);
            shards[port].sleepInPort(waiter, nowNs, timeoutNs);
        } else {
            waiter.announcePark();
            if (!waiter.isSatisfied()) {
                waiter.park(timeoutNs);
            }
        }
        waiter.awake();
        return kept;
    }

    /** Asks every caretaker that drives to step aside; true when there is one. */
    private boolean askCaretakers() {
        boolean asked = false;
        for (int i = 0; i < shards.length; i++) {
            if (caretakers[i].isDriving()) {
                shards[i].want();
                asked = true;
            }
        }
        return asked;
    }

    private void callCaretakers(long left) {
        for (int i = 0; i < shards.length; i++) {
            if ((left & 1L << i) != 0) {
                shards[i].callCaretaker();
            }
        }
    }

    private void releaseAll(long held) {
        for (int i = 0; i < shards.length; i++) {
            if ((held & 1L << i) != 0) {
                shards[i].release();
            }
        }
    }

    @Override
    public void nudge(Shard shard) {
        if (!Thread.currentThread().isVirtual() && shard.lease.tryAcquire()) {
            try {
                shard.turn(System.nanoTime());
            } finally {
                shard.release();
            }
        } else {
            shard.callCaretaker();
        }
    }

    @Override
    public void runSubmitted(Shard shard) {
        if (!Thread.currentThread().isVirtual() && shard.lease.tryAcquire()) {
            try {
                shard.core().runSubmitted(System.nanoTime());
            } finally {
                shard.release();
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Caretaker caretaker : caretakers) {
            caretaker.stop();
        }
        Shard.takeForGood(shards);
    }
}
