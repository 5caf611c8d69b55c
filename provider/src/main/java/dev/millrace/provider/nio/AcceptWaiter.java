package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Waiter;
import dev.millrace.stack.tcp.TcpAcceptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The wait of a thread in a blocking accept: for a connection on the stack and, where the listener has a kernel side too, on the
 * kernel, in whose selector the thread then sleeps.
 */
final class AcceptWaiter extends Waiter {
    private final TcpAcceptor acceptor;
    private final BooleanSupplier closed;
    private final @Nullable KernelPoller poller;
    private boolean kernelReady;

    private AcceptWaiter(TcpAcceptor acceptor, BooleanSupplier closed, @Nullable SelectorProvider kernelProvider)
            throws IOException {
        this.acceptor = acceptor;
        this.closed = closed;
        this.poller = kernelProvider == null ? null : new KernelPoller(kernelProvider, key -> kernelReady = true);
    }

    static AcceptWaiter onStack(TcpAcceptor acceptor, BooleanSupplier closed) throws IOException {
        return new AcceptWaiter(acceptor, closed, null);
    }

    /** @param listener in non-blocking mode */
    static AcceptWaiter onBoth(
            TcpAcceptor acceptor, ServerSocketChannel listener, SelectorProvider kernelProvider, BooleanSupplier closed)
            throws IOException {
        AcceptWaiter waiter = new AcceptWaiter(acceptor, closed, kernelProvider);
        KernelPoller poller = waiter.poller;
        if (poller != null) {
            poller.register(listener, SelectionKey.OP_ACCEPT, waiter);
        }
        return waiter;
    }

    /** Before each wait. */
    AcceptWaiter rearmed() {
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
        return acceptor.hasPending() || closed.getAsBoolean() || kernelReady;
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

    /** Lets go of the kernel listener, which may close only then. */
    void close() throws IOException {
        if (poller != null) {
            poller.close();
        }
    }
}
