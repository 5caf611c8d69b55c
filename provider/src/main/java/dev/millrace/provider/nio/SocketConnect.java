package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.nio.SocketState.Phase;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.IllegalBlockingModeException;
import org.jspecify.annotations.Nullable;

/**
 * A socket channel's connect and finishConnect: routed at the first connect, then done on the stack ({@link StackConnect}), with both sides
 * locked, or on the kernel ({@link KernelSocket}), without. One that fails leaves a closed channel; it is closed when the locks are free
 * again, for in non-blocking mode closing takes them.
 */
final class SocketConnect {
    private final StackSocketChannel channel;
    private final SocketState state;
    private final SideLocks locks;
    private final LocalReservation reservation;
    private final StackConnect onStack;

    SocketConnect(
            StackSocketChannel channel,
            Runtime runtime,
            SocketState state,
            SideLocks locks,
            LocalReservation reservation,
            SocketInput input) {
        this.channel = channel;
        this.state = state;
        this.locks = locks;
        this.reservation = reservation;
        this.onStack = new StackConnect(channel, runtime, state, reservation, input);
    }

    /** @param blockingOnly whether non-blocking mode is an error, as for the socket adaptor */
    boolean connect(InetSocketAddress remote, long timeoutNs, boolean blockingOnly) throws IOException {
        try {
            KernelSocket kernel;
            locks.lockBoth();
            try {
                channel.ensureOpen();
                if (blockingOnly && !channel.isBlocking()) {
                    throw new IllegalBlockingModeException();
                }
                kernel = route(remote);
                if (kernel == null) {
                    return onStack.connect(remote, timeoutNs);
                }
            } finally {
                locks.unlockBoth();
            }
            return kernel.connect(remote, timeoutNs);
        } catch (IOException e) {
            closeAfter(e);
            throw e;
        }
    }

    /** Decides, at the first connect, where this channel lives from now on: the kernel's socket, or null for the stack. */
    private @Nullable KernelSocket route(InetSocketAddress remote) throws IOException {
        synchronized (state) {
            channel.ensureOpen();
            if (state.kernel == null && state.phase == Phase.UNCONNECTED) {
                reservation.route(remote);
            }
            return state.kernel;
        }
    }

    boolean finish() throws IOException {
        KernelSocket kernel = state.kernel;
        try {
            return kernel != null ? kernel.finishConnect() : finishOnStack();
        } catch (IOException e) {
            closeAfter(e);
            throw e;
        }
    }

    private boolean finishOnStack() throws IOException {
        locks.lockBoth();
        try {
            return onStack.finish();
        } finally {
            locks.unlockBoth();
        }
    }

    private void closeAfter(IOException failed) {
        try {
            channel.close();
        } catch (IOException e) {
            failed.addSuppressed(e);
        }
    }
}
