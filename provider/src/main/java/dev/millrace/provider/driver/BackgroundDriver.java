package dev.millrace.provider.driver;

import dev.millrace.stack.core.Stack;

/**
 * Each core has a thread of its own that turns it; application threads only park. {@code dedicated}: pinned to a CPU, polling for ever
 * (mTCP's pairwise model). {@code caretaker}: polls for {@code spin}, then sleeps in the port until there is something to do.
 */
final class BackgroundDriver implements Driver {
    private final Shard[] shards;
    private final Thread[] threads;
    private final long spinNs;
    private volatile boolean stopped;

    /**
     * @param spinNs how long to poll without work before sleeping; Long.MAX_VALUE for ever
     * @param cpus CPU for each shard's thread in turn; empty for no pinning
     */
    BackgroundDriver(Stack stack, long spinNs, String threadName, int[] cpus) {
        this.spinNs = spinNs;
        shards = new Shard[stack.shards()];
        threads = new Thread[shards.length];
        for (int i = 0; i < shards.length; i++) {
            Shard shard = new Shard(stack.core(i));
            int cpu = cpus.length == 0 ? -1 : cpus[i % cpus.length];
            shards[i] = shard;
            threads[i] = new Thread(() -> run(shard, cpu), "millrace-" + threadName + "-" + i);
            threads[i].setDaemon(true);
        }
        for (Thread thread : threads) {
            thread.start();
        }
    }

    private void run(Shard shard, int cpu) {
        if (cpu >= 0) {
            CpuAffinity.pinCurrentThread(cpu);
        }
        boolean acquired = shard.lease.tryAcquire();
        assert acquired : "nobody else takes this lease";
        long now = System.nanoTime();
        long idleSinceNs = now;
        while (!stopped) {
            boolean worked = shard.turn(now) > 0;
            now = System.nanoTime();
            if (worked) {
                idleSinceNs = now;
            } else if (now - idleSinceNs < spinNs) {
                Thread.onSpinWait();
            } else {
                shard.sleepInPort(null, now, Long.MAX_VALUE);
                now = System.nanoTime();
                idleSinceNs = now;
            }
        }
        shard.lease.release();
    }

    @Override
    public Shard[] shards() {
        return shards;
    }

    @Override
    public boolean await(Waiter waiter, long deadlineNs) {
        return Parking.await(waiter, deadlineNs, shards);
    }

    /** Nothing to do: the submission itself wakes a sleeping core. */
    @Override
    public void nudge(Shard shard) {}

    @Override
    public void runSubmitted(Shard shard) {}

    @Override
    public void close() {
        stopped = true;
        for (int i = 0; i < threads.length; i++) {
            shards[i].want();
            Parking.join(threads[i]);
        }
        Shard.takeForGood(shards);
    }
}
