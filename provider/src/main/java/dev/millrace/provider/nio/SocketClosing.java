package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.nio.SocketState.Phase;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.nio.channels.NotYetConnectedException;

/**
 * How a socket channel ends: one direction after the other, or both at once.
 *
 * <p>Closing. In non-blocking mode operations are short, so close waits for the running ones through their locks, then gives the
 * connection up. In blocking mode it must not wait, for the blocked thread may itself be on its way into {@code close} after an interrupt:
 * it marks the channel, makes the blocked threads look, and the last of them to leave gives the connection up. In both cases
 * that happens at once and not when selectors let go of the channel: a connection of the stack has no descriptor that could be reused.
 */
final class SocketClosing {
    private final StackSocketChannel channel;
    private final SocketState state;
    private final SideLocks locks;
    private final Driver driver;
    private final RecordedOptions options;
    private final LocalReservation reservation;

    SocketClosing(
            StackSocketChannel channel,
            SocketState state,
            SideLocks locks,
            Driver driver,
            RecordedOptions options,
            LocalReservation reservation) {
        this.channel = channel;
        this.state = state;
        this.locks = locks;
        this.driver = driver;
        this.options = options;
        this.reservation = reservation;
    }

    // ---- one direction ----

    void shutdownInput() throws IOException {
        TcpSocket socket;
        synchronized (state) {
            checkConnected();
            KernelSocket kernel = state.kernel;
            socket = state.tcp;
            if (kernel != null) {
                kernel.channel().shutdownInput();
            } else if (!state.inputShut && socket != null) {
                socket.shutdownInput();
            }
            state.inputShut = true;
        }
        if (socket != null) {
            channel.registrations().onReadiness();
        }
    }

    void shutdownOutput() throws IOException {
        TcpSocket socket;
        synchronized (state) {
            checkConnected();
            KernelSocket kernel = state.kernel;
            socket = state.tcp;
            if (kernel != null) {
                kernel.channel().shutdownOutput();
            } else if (!state.outputShut && socket != null) {
                socket.shutdownOutput();
            }
            state.outputShut = true;
        }
        if (socket != null) {
            channel.requestTurn(socket);
            channel.registrations().onReadiness();
        }
    }

    private void checkConnected() throws IOException {
        channel.ensureOpen();
        if (!channel.isConnected()) {
            throw new NotYetConnectedException();
        }
    }

    // ---- both ----

    /** The channel is marked closed already. */
    void close() throws IOException {
        KernelSocket kernel;
        boolean blocking = channel.isBlocking();
        boolean release = false;
        synchronized (state) {
            kernel = state.kernel;
            state.phase = kernel == null ? Phase.CLOSING : Phase.CLOSED;
            if (kernel == null && blocking) {
                release = state.isLastToLeave();
            }
        }
        if (kernel != null) {
            kernel.channel().close();
        } else if (!blocking) {
            closeAfterOperations();
        } else if (release) {
            release();
        } else {
            channel.registrations().signalWaiters();
        }
    }

    private void closeAfterOperations() throws IOException {
        boolean release;
        locks.lockBoth();
        try {
            synchronized (state) {
                release = state.isLastToLeave();
            }
        } finally {
            locks.unlockBoth();
        }
        if (release) {
            release();
        }
    }

    /** A blocking-mode operation of this side ends; whoever leaves a closing channel last gives it up. */
    void onOperationEnd(Side side) throws IOException {
        boolean last;
        synchronized (state) {
            state.inProgress(side, false);
            last = state.isLastToLeave();
        }
        if (last) {
            release();
        }
    }

    /** Gives up whatever the channel holds. Once, by whoever closes it or leaves it last. */
    private void release() throws IOException {
        try {
            TcpSocket socket = state.tcp;
            if (socket != null) {
                giveUp(socket);
            }
        } finally {
            synchronized (state) {
                reservation.release();
            }
        }
    }

    private void giveUp(TcpSocket socket) {
        int linger;
        synchronized (state) {
            linger = options.lingerSeconds();
        }
        if (linger == 0) {
            socket.abort();
        } else {
            socket.close();
        }
        channel.requestTurn(socket);
        if (linger > 0 && !channel.isRegistered()) {
            awaitDrained(socket, linger);
        }
    }

    /** SO_LINGER: close returns when everything is acknowledged, or after a time. An interrupt ends the wait. */
    private void awaitDrained(TcpSocket socket, int seconds) {
        ReadinessWaiter waiter = new ReadinessWaiter(() -> false);
        channel.registrations().reader(waiter);
        waiter.forAny(socket, TcpSocket.DRAINED | TcpSocket.GONE | TcpSocket.FAILED);
        driver.await(waiter, System.nanoTime() + seconds * 1_000_000_000L);
    }
}
