package dev.millrace.provider.driver;

import dev.millrace.stack.core.Stack;

/**
 * Nothing turns the cores but the embedding program, which calls {@link #turn}: for tests that want every step in their own hands,
 * and for programs that have an event loop of their own. Application threads park until they are signalled.
 */
public final class ManualDriver implements Driver {
    private final Shard[] shards;

    public ManualDriver(Stack stack) {
        shards = new Shard[stack.shards()];
        for (int i = 0; i < shards.length; i++) {
            shards[i] = new Shard(stack.core(i));
        }
    }

    /**
     * Turns every core once. Any thread, one at a time per core; a core that another thread is turning is left out.
     *
     * @return how much was done; 0 when there was nothing
     */
    public int turn(long nowNs) {
        int work = 0;
        for (Shard shard : shards) {
            if (shard.lease.tryAcquire()) {
                try {
                    work += shard.turn(nowNs);
                } finally {
                    shard.lease.release();
                }
            }
        }
        return work;
    }

    @Override
    public Shard[] shards() {
        return shards;
    }

    @Override
    public boolean await(Waiter waiter, long deadlineNs) {
        return Parking.await(waiter, deadlineNs, shards);
    }

    /** Nothing: the program's next {@link #turn} will see it. */
    @Override
    public void nudge(Shard shard) {}

    @Override
    public void runSubmitted(Shard shard) {}

    @Override
    public void close() {
        Shard.takeForGood(shards);
    }
}
