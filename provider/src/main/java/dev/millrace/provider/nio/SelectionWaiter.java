package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Waiter;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** The wait of a selection. While its selector has an inner one, the thread sleeps in that. */
final class SelectionWaiter extends Waiter {
    private final MillraceSelector selector;

    /** Latched at the beginning of a wait; read by whoever signals, after the wait was announced. */
    private @Nullable KernelSelector inner;

    SelectionWaiter(MillraceSelector selector) {
        this.selector = selector;
    }

    /** What this wait sleeps in: the inner selector, or the port if it is null. The selecting thread. */
    SelectionWaiter on(@Nullable KernelSelector kernel) {
        inner = kernel;
        return this;
    }

    @Override
    protected boolean isSatisfied() {
        KernelSelector polled = inner;
        if (polled != null) {
            try {
                // before the look: polling uses up a wakeup, so what it was for must be looked at afterwards
                polled.poller().pollSometimes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return selector.endsWait() || polled != null && polled.hasReady();
    }

    @Override
    protected boolean maySleepInPort() {
        return inner == null;
    }

    @Override
    protected void park(long timeoutNs) {
        KernelSelector slept = inner;
        if (slept == null) {
            super.park(timeoutNs);
            return;
        }
        try {
            slept.poller().sleep(timeoutNs);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    protected void unpark(Thread sleeper) {
        KernelSelector slept = inner;
        if (slept == null) {
            super.unpark(sleeper);
        } else {
            slept.poller().wakeup();
        }
    }
}
