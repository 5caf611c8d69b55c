package dev.millrace.provider.driver;

/** How a thread waits that does not drive: it announces itself, looks once more, and parks until it is signalled; or for a thread that ends. */
final class Parking {
    private Parking() {}

    /** As {@link Driver#await}, with somebody else turning the cores. */
    static boolean await(Waiter waiter, long deadlineNs, Shard[] shards) {
        Thread self = Thread.currentThread();
        if (!waiter.isSatisfied()) {
            // nobody may be driving just now; afterwards the caretaker stays in charge for as long as nobody else turns
            // up
            for (Shard shard : shards) {
                shard.callCaretaker();
            }
        }
        while (!waiter.isSatisfied()) {
            long timeoutNs = deadlineNs == Long.MAX_VALUE ? Long.MAX_VALUE : deadlineNs - System.nanoTime();
            if (timeoutNs <= 0 || self.isInterrupted()) {
                return waiter.isSatisfied();
            }
            waiter.announcePark();
            try {
                if (!waiter.isSatisfied()) {
                    waiter.park(timeoutNs);
                }
            } finally {
                waiter.awake();
            }
        }
        return true;
    }

    /** Waits for the end of a thread that was told to end; an interrupt that comes meanwhile is left in the caller's flag. */
    static void join(Thread ending) {
        boolean interrupted = false;
        while (ending.isAlive()) {
            try {
                ending.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
