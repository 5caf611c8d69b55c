package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Waiter;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * How a selection waits, and what ends that: readiness, a wakeup, a kernel channel that the wait can't see yet, a close. The thread drives the stack
 * and sleeps in its port; while there is an inner selector it sleeps in that, and it does nothing else where every channel is the kernel's.
 *
 * <p>One sticky permit for wake-ups ({@link #woken}): whoever wakes writes it, then looks how the thread sleeps; the thread announces how it will
 * sleep, then looks at the permit.
 */
final class SelectionWaiter extends Waiter {
    static final long NOT_WAITING = 0;
    static final long FOREVER = -1;

    /** Some time that has passed. */
    private static final long PAST = System.nanoTime();

    private final MillraceSelector selector;
    private final Driver driver;
    private final SelectorKeys keys;
    private final ActiveKeys active;
    private final LazyKernelSelector kernel;

    // any thread
    private volatile boolean woken;
    /** A kernel channel came while a selection was running that can't see it yet. */
    private volatile boolean kernelJoined;

    // written by the selecting thread
    private volatile boolean sleepsInKernel;
    /** What this wait sleeps in, null for the port: latched when it begins; read by whoever signals, after the wait was announced. */
    private @Nullable KernelSelector sleptIn;

    SelectionWaiter(
            MillraceSelector selector, Driver driver, SelectorKeys keys, ActiveKeys active, LazyKernelSelector kernel) {
        this.selector = selector;
        this.driver = driver;
        this.keys = keys;
        this.active = active;
        this.kernel = kernel;
    }

    // ---- the selecting thread ----

    /** Returns when a selection would find something, or is to end without. {@link #NOT_WAITING} looks once, {@link #FOREVER} has no limit. */
    void waitUntilReady(long timeoutNs) throws IOException {
        long deadlineNs = timeoutNs < 0 ? Long.MAX_VALUE : System.nanoTime() + timeoutNs;
        boolean first = true;
        while (true) {
            kernelJoined = false;
            KernelSelector inner = kernel.ifMade();
            boolean mayWait = timeoutNs != NOT_WAITING && !(first && somethingReady());
            first = false;
            if (inner != null && !keys.anyOnStack()) {
                selectInKernel(inner, mayWait ? deadlineNs : PAST);
            } else {
                sleptIn = inner;
                driver.await(this, mayWait ? deadlineNs : PAST);
                if (inner != null && !mayWait) {
                    pollKernel(inner, timeoutNs == NOT_WAITING);
                }
            }
            if (!mayWait
                    || woken
                    || somethingReady()
                    || !selector.isOpen()
                    || Thread.currentThread().isInterrupted()) {
                return;
            }
            if (deadlineNs != Long.MAX_VALUE && System.nanoTime() - deadlineNs >= 0) {
                return;
            }
        }
    }

    private static void pollKernel(KernelSelector inner, boolean now) throws IOException {
        if (now) {
            inner.poller().poll();
        } else {
            inner.poller().pollSometimes();
        }
    }

    /** Everything is the kernel's: the inner selector does it all. */
    private void selectInKernel(KernelSelector inner, long deadlineNs) throws IOException {
        long timeoutNs = deadlineNs == Long.MAX_VALUE ? Long.MAX_VALUE : deadlineNs - System.nanoTime();
        sleepsInKernel = true; // before the look at woken: wakeup() writes that, then reads this
        try {
            if (timeoutNs <= 0 || woken || kernelJoined || inner.hasReady() || !selector.isOpen()) {
                inner.poller().poll();
            } else {
                inner.poller().sleep(timeoutNs);
            }
        } finally {
            sleepsInKernel = false;
        }
    }

    /** Whether a selection would find something now. */
    private boolean somethingReady() {
        if (active.anyReady()) {
            return true;
        }
        KernelSelector inner = kernel.ifMade();
        return inner != null && inner.hasReady();
    }

    /** The selection has seen what it was woken for. */
    void clearWakeup() {
        woken = false;
    }

    // ---- any thread ----

    void wakeup() {
        if (!woken) {
            woken = true;
            endWait();
        }
    }

    void onKernelChannel() {
        kernelJoined = true;
        endWait();
    }

    private void endWait() {
        KernelSelector inner = kernel.ifMade();
        if (sleepsInKernel && inner != null) {
            inner.poller().wakeup();
        }
        signal();
    }

    // ---- while the driver waits ----

    @Override
    protected boolean isSatisfied() {
        KernelSelector polled = sleptIn;
        if (polled != null) {
            try {
                // before the look: polling uses up a wakeup, so what it was for must be looked at afterwards
                polled.poller().pollSometimes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return endsWait() || polled != null && polled.hasReady();
    }

    /** Whether the selection is to look, or to end. */
    private boolean endsWait() {
        // a driver may ask again after a yes, when the queue is drained already
        return woken || kernelJoined || !selector.isOpen() || active.mayBeReady() && somethingReady();
    }

    @Override
    protected boolean maySleepInPort() {
        return sleptIn == null;
    }

    @Override
    protected void park(long timeoutNs) {
        KernelSelector slept = sleptIn;
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
        KernelSelector slept = sleptIn;
        if (slept == null) {
            super.unpark(sleeper);
        } else {
            slept.poller().wakeup();
        }
    }
}
