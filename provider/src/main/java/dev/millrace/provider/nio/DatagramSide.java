package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the two sides of a datagram channel have alike: how operations begin and end, and how their threads wait, for the stack alone or for
 * the kernel's socket as well, in whose selector they then sleep. The side's lock, one of {@link SideLocks}, admits one thread; all but
 * {@link #close} is for whoever holds it.
 */
abstract sealed class DatagramSide permits DatagramInput, DatagramOutput {
    final StackDatagramChannel channel;
    final ReentrantLock lock;
    final DatagramState state;
    final Runtime runtime;
    private final Side side;
    private final DatagramClosing closing;

    // guarded by lock
    private @Nullable HybridWaiter stackWaiter;
    private @Nullable HybridWaiter kernelWaiter;

    DatagramSide(
            Side side,
            StackDatagramChannel channel,
            SideLocks locks,
            DatagramState state,
            DatagramClosing closing,
            Runtime runtime) {
        this.side = side;
        this.channel = channel;
        this.lock = side == Side.INPUT ? locks.input : locks.output;
        this.state = state;
        this.closing = closing;
        this.runtime = runtime;
    }

    // ---- beginning and ending ----

    /** Binds a channel that is used unbound. Followed by {@link #end}, also when it throws. */
    final void begin(boolean blocking, boolean mustBeConnected) throws IOException {
        if (blocking) {
            channel.enter();
        }
        boolean bound;
        synchronized (state) {
            channel.ensureOpen();
            if (mustBeConnected && state.remoteAddress == null) {
                throw new NotYetConnectedException();
            }
            bound = channel.bindIfUnbound();
            state.inProgress(side, blocking);
        }
        if (bound) {
            channel.sidesChanged();
        }
    }

    final void end(boolean blocking, boolean completed) throws IOException {
        if (blocking) {
            closing.onOperationEnd(side);
            channel.leave(completed);
        }
    }

    // ---- waiting ----

    /** Whether the stack's socket is ready for this side, as far as it matters {@code withKernel}, or the channel was closed. */
    abstract boolean isReady(boolean withKernel);

    /**
     * Waits until the stack's socket is ready, or, {@code withKernel}, the kernel's, or the channel was closed.
     *
     * @return false after a timeout or an interrupt
     */
    final boolean await(boolean withKernel, long deadlineNs) throws IOException {
        HybridWaiter waiter = withKernel ? kernelWaiter() : stackWaiter();
        if (side == Side.INPUT) {
            channel.registrations().reader(waiter);
        } else {
            channel.registrations().writer(waiter);
        }
        boolean satisfied;
        try {
            satisfied = runtime.driver().await(waiter.rearmed(), deadlineNs);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        if (withKernel) {
            // sleeping in a selector has replaced what an interrupt does to this thread; if one came, this closes the
            // channel
            channel.enter();
        }
        return satisfied;
    }

    private HybridWaiter stackWaiter() throws IOException {
        HybridWaiter existing = stackWaiter;
        if (existing == null) {
            existing = HybridWaiter.onStack(() -> isReady(false));
            stackWaiter = existing;
        }
        return existing;
    }

    private HybridWaiter kernelWaiter() throws IOException {
        HybridWaiter existing = kernelWaiter;
        if (existing == null) {
            int op = side == Side.INPUT ? SelectionKey.OP_READ : SelectionKey.OP_WRITE;
            existing = HybridWaiter.onBoth(() -> isReady(true), state.kernel, op, runtime.kernel());
            kernelWaiter = existing;
        }
        return existing;
    }

    /** Nobody operates on this side any more. Without the lock. */
    final void close() throws IOException {
        HybridWaiter watching = kernelWaiter;
        if (watching != null) {
            watching.close();
        }
    }
}
