package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.nio.SocketState.Phase;
import dev.millrace.stack.core.ConnectCall;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ConnectionPendingException;
import java.nio.channels.NoConnectionPendingException;
import org.jspecify.annotations.Nullable;

/** How a socket channel gets its connection on the stack: connect and finishConnect. Holding the locks of both its sides. */
final class StackConnect {
    private final StackSocketChannel channel;
    private final Runtime runtime;
    private final SocketState state;
    private final LocalReservation reservation;
    private final SocketInput input;

    StackConnect(
            StackSocketChannel channel,
            Runtime runtime,
            SocketState state,
            LocalReservation reservation,
            SocketInput input) {
        this.channel = channel;
        this.runtime = runtime;
        this.state = state;
        this.reservation = reservation;
        this.input = input;
    }

    /** @return whether the connection is established, always so in blocking mode */
    boolean connect(InetSocketAddress remote, long timeoutNs) throws IOException {
        boolean blocking = channel.isBlocking();
        boolean connected = false;
        try {
            begin(remote, blocking);
            TcpSocket socket = start(remote);
            if (blocking) {
                connected = awaitConnected(socket, SocketInput.deadlineNs(timeoutNs));
            } else {
                channel.requestTurn(socket); // the SYN
            }
        } finally {
            end(blocking, connected);
        }
        return connected;
    }

    private void begin(InetSocketAddress remote, boolean blocking) throws ClosedChannelException {
        if (blocking) {
            channel.enter();
        }
        synchronized (state) {
            channel.ensureOpen();
            if (state.phase == Phase.CONNECTED) {
                throw new AlreadyConnectedException();
            }
            if (state.phase == Phase.PENDING) {
                throw new ConnectionPendingException();
            }
            state.phase = Phase.PENDING;
            state.remoteAddress = remote;
            state.inProgress(Side.INPUT, blocking);
        }
    }

    private TcpSocket start(InetSocketAddress remote) throws IOException {
        LocalBinding binding;
        TcpOptions wanted;
        synchronized (state) {
            binding = reservation.takeForConnection();
            wanted = reservation.optionsForStack();
        }
        ConnectCall call = runtime.stack()
                .connect(binding, Addresses.ip(remote), remote.getPort(), wanted, channel.registrations());
        CallWaiter.perform(call, call.core(), runtime.driver());
        if (call.error() != TcpError.NONE) {
            throw SocketErrors.setUp(call.error());
        }
        TcpSocket socket = call.result();
        synchronized (state) {
            state.tcp = socket;
        }
        return socket;
    }

    private boolean awaitConnected(TcpSocket socket, long deadlineNs) throws IOException {
        while (channel.isOpen()) {
            if (isEstablished(socket)) {
                return true;
            }
            input.await(socket, TcpSocket.CONNECTED, deadlineNs, "Connect timed out");
        }
        return false;
    }

    private static boolean isEstablished(TcpSocket socket) throws IOException {
        int readiness = socket.readiness();
        if ((readiness & TcpSocket.CONNECTED) != 0) {
            return true; // what failed later is for read and write to report
        }
        if ((readiness & TcpSocket.FAILED) != 0) {
            throw SocketErrors.setUp(socket.error());
        }
        return false;
    }

    private void end(boolean blocking, boolean connected) throws IOException {
        if (blocking) {
            input.end(connected);
        }
        if (!connected) {
            return;
        }
        synchronized (state) {
            TcpSocket socket = state.tcp;
            if (state.phase == Phase.PENDING && socket != null) {
                state.localAddress = Addresses.socketAddress(socket.localAddress(), socket.localPort());
                state.phase = Phase.CONNECTED;
            }
        }
        channel.registrations().onReadiness(); // keys wait for other operations now
    }

    boolean finish() throws IOException {
        if (state.phase == Phase.CONNECTED) {
            return true;
        }
        boolean blocking = channel.isBlocking();
        boolean connected = false;
        try {
            TcpSocket socket = beginFinish(blocking);
            if (blocking) {
                connected = awaitConnected(socket, SocketInput.NO_TIMEOUT);
            } else {
                connected = isEstablished(socket);
                if (!connected) {
                    channel.driveIfUnselected(socket);
                }
            }
        } finally {
            end(blocking, connected);
        }
        return connected;
    }

    private TcpSocket beginFinish(boolean blocking) throws ClosedChannelException {
        if (blocking) {
            channel.enter();
        }
        synchronized (state) {
            channel.ensureOpen();
            @Nullable TcpSocket socket = state.tcp;
            if (state.phase != Phase.PENDING || socket == null) {
                throw new NoConnectionPendingException();
            }
            state.inProgress(Side.INPUT, blocking);
            return socket;
        }
    }
}
