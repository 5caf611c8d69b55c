package dev.millrace.provider.driver;

import dev.millrace.stack.core.StackCore;

/** One core of the stack together with the lease that says who may turn it. */
public final class Shard {
    private final StackCore core;

    Shard(StackCore core) {
        this.core = core;
    }

    public StackCore core() {
        return core;
    }

    /** Ends the sleep of the thread that waits in this core's port. Any thread. */
    void wakePort() {
        core.wake();
    }
}
