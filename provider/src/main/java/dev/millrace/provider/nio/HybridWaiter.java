package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Waiter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The wait of a thread in a blocking operation on a channel that may have a kernel side beside that on the stack: for the stack, and, where
 * there is one, for the kernel, in whose selector the thread then sleeps.
 */
final class HybridWaiter extends Waiter {
    private final BooleanSupplier satisfied;
    private final @Nullable KernelPoller poller;
    private boolean kernelReady;

    private HybridWaiter(BooleanSupplier satisfied, @Nullable SelectorProvider kernelProvider) throws IOException {
        this.satisfied = satisfied;
        this.poller = kernelProvider == null ? null : new KernelPoller(kernelProvider, key -> kernelReady = true);
    }

    /** @param satisfied whether the stack is ready for the operation, or the channel was closed */
    static HybridWaiter onStack(BooleanSupplier satisfied) throws IOException {
        return new HybridWaiter(satisfied, null);
    }

    /**
     * @param satisfied as above
     * @param kernel the JDK's channel, in non-blocking mode
     * @param ops what to wait for there
     */
    static HybridWaiter onBoth(
            BooleanSupplier satisfied, SelectableChannel kernel, int ops, SelectorProvider kernelProvider)
            throws IOException {
        HybridWaiter waiter = new HybridWaiter(satisfied, kernelProvider);
        KernelPoller poller = waiter.poller;
        if (poller != null) {
            poller.register(kernel, ops, waiter);
        }
        return waiter;
    }

    /** Before each wait. */
    HybridWaiter rearmed() {
        kernelReady = false;
        return this;
    }

    @Override
    protected boolean isSatisfied() {
        if (poller != null) {
            try {
                // before the look: polling uses up a wakeup, so what it was for must be looked at afterwards
                poller.pollSometimes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return satisfied.getAsBoolean() || kernelReady;
    }

    @Override
    protected boolean maySleepInPort() {
        return poller == null;
    }

    @Override
    protected void park(long timeoutNs) {
        if (poller == null) {
            super.park(timeoutNs);
            return;
        }
        try {
            poller.sleep(timeoutNs);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    protected void unpark(Thread sleeper) {
        if (poller == null) {
            super.unpark(sleeper);
        } else {
            poller.wakeup();
        }
    }

    /** Lets go of the kernel channel, which may close only then. */
    void close() throws IOException {
        if (poller != null) {
            poller.close();
        }
    }
}
