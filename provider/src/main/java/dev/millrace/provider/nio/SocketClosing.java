package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.nio.SocketState.Phase;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.nio.channels.NotYetConnectedException;

/** How a socket channel ends: one direction after the other, or both at once. */
final class SocketClosing extends ChannelClosing {
    private final StackSocketChannel channel;
    private final SocketState state;
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
        super(state, locks, channel.registrations());
        this.channel = channel;
        this.state = state;
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
        synchronized (state) {
            kernel = state.kernel;
            state.phase = kernel == null ? Phase.CLOSING : Phase.CLOSED;
        }
        if (kernel != null) {
            kernel.channel().close();
        } else {
            closeWhenLeft(blocking);
        }
    }

    @Override
    void release() throws IOException {
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
