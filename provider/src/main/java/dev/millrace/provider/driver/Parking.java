package dev.millrace.provider.driver;

/** How a thread waits that does not drive: it announces itself, looks once more, and parks until it is signalled. */
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
}
