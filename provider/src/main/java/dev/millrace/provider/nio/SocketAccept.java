package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How a listener with a part on the stack accepts, from there and from the kernel listener beside it. Its lock admits one thread.
 */
final class SocketAccept {
    static final long NO_TIMEOUT = Long.MAX_VALUE;

    /** So often the kernel's connections come first, lest a busy stack starve them. */
    private static final int KERNEL_FIRST_EVERY = 16;

    final ReentrantLock lock = new ReentrantLock();

    private final StackServerSocketChannel channel;
    private final Runtime runtime;
    private final Driver driver;

    // guarded by lock
    private @Nullable HybridWaiter waiter;
    private int accepts;

    SocketAccept(StackServerSocketChannel channel, Runtime runtime) {
        this.channel = channel;
        this.runtime = runtime;
        this.driver = runtime.driver();
    }

    /** Holding the lock, like all that follow. */
    @Nullable
    SocketChannel acceptNonBlocking() throws IOException {
        SocketChannel accepted = acceptNow(channel.boundAcceptor());
        if (accepted == null && channel.registrations().keys().length == 0) {
            channel.nudgeAll(); // a thread that polls without any selector is the only one that could drive the stack
            // for it
        }
        return accepted;
    }

    /** @throws SocketTimeoutException after {@code timeoutNs} */
    @Nullable
    SocketChannel acceptBlocking(long timeoutNs) throws IOException {
        SocketChannel accepted = null;
        try {
            TcpAcceptor listener = channel.beginAccept();
            long deadlineNs = timeoutNs == NO_TIMEOUT ? NO_TIMEOUT : System.nanoTime() + timeoutNs;
            accepted = acceptNow(listener);
            while (accepted == null && channel.isOpen()) {
                await(listener, deadlineNs);
                accepted = channel.isOpen() ? acceptNow(listener) : null;
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } finally {
            channel.endAccept(accepted != null);
        }
        return accepted;
    }

    private @Nullable SocketChannel acceptNow(TcpAcceptor listener) throws IOException {
        ServerSocketChannel other = channel.kernelListener();
        if (other != null && ++accepts % KERNEL_FIRST_EVERY == 0) {
            SocketChannel fromKernel = other.accept();
            if (fromKernel != null) {
                return fromKernel;
            }
        }
        TcpSocket socket = listener.accept();
        if (socket != null) {
            return channel.accepted(socket);
        }
        return other != null ? other.accept() : null;
    }

    private void await(TcpAcceptor listener, long deadlineNs) throws IOException {
        ServerSocketChannel other = channel.kernelListener();
        HybridWaiter current = waiter;
        if (current == null) {
            BooleanSupplier satisfied = () -> listener.hasPending() || !channel.isOpen();
            current = other == null
                    ? HybridWaiter.onStack(satisfied)
                    : HybridWaiter.onBoth(satisfied, other, SelectionKey.OP_ACCEPT, runtime.kernel());
            waiter = current;
            channel.registrations().reader(current);
        }
        boolean satisfied = driver.await(current.rearmed(), deadlineNs);
        if (other != null) {
            // sleeping in a selector has replaced what an interrupt does to this thread; if one came, this closes the
            // channel
            channel.enter();
        }
        if (!satisfied && deadlineNs != NO_TIMEOUT && System.nanoTime() - deadlineNs >= 0) {
            throw new SocketTimeoutException("Accept timed out");
        }
    }

    /** Nobody accepts any more. Without the lock. */
    void close() throws IOException {
        HybridWaiter watched = waiter;
        if (watched != null) {
            watched.close();
        }
    }
}
