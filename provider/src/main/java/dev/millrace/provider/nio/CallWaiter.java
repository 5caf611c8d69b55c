package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Waiter;
import dev.millrace.stack.core.CoreCall;
import dev.millrace.stack.core.StackCore;

/**
 * Waits for a core to take up a call, which it does in its next turn: microseconds, so the wait is not interruptible; an interrupt that comes
 * meanwhile is noted and left in the thread's flag.
 */
final class CallWaiter extends Waiter {
    private final CoreCall<?> call;

    private CallWaiter(CoreCall<?> call) {
        this.call = call;
    }

    /** Submits the call to {@code core} and returns when it is done. What it sends leaves when this core is turned next. */
    static void perform(CoreCall<?> call, StackCore core, Driver driver) {
        CallWaiter waiter = new CallWaiter(call);
        call.whenDone(waiter::signal);
        core.submit(call);
        driver.runSubmitted(driver.shards()[core.shard()]);
        boolean interrupted = false;
        while (!call.isDone()) {
            driver.await(waiter, Long.MAX_VALUE);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    protected boolean isSatisfied() {
        return call.isDone();
    }
}
