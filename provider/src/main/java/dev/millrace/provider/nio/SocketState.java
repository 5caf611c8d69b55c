package dev.millrace.provider.nio;

import dev.millrace.stack.tcp.TcpSocket;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * What the roles of one socket channel share: where its connection stands, and what it is. Every field is written under this object's
 * monitor, which is never held while waiting; the volatile ones are read by any thread without.
 */
final class SocketState {
    /** In the order they are passed. */
    enum Phase {
        UNCONNECTED,
        PENDING,
        CONNECTED,
        CLOSING,
        CLOSED
    }

    volatile Phase phase = Phase.UNCONNECTED;
    volatile boolean inputShut;
    volatile boolean outputShut;
    volatile @Nullable TcpSocket tcp;
    /** The JDK channel that everything is delegated to, once routing has decided so. */
    volatile @Nullable SocketChannel kernel;

    // guarded by the monitor
    @Nullable
    InetSocketAddress localAddress;

    @Nullable
    InetSocketAddress remoteAddress;

    /** A blocking-mode operation is in progress that close leaves the rest to. */
    boolean reading;

    boolean writing;

    /** @throws NotYetConnectedException or ClosedChannelException unless connected */
    TcpSocket connectedSocket() throws ClosedChannelException {
        TcpSocket socket = tcp;
        return switch (phase) {
            case UNCONNECTED, PENDING -> throw new NotYetConnectedException();
            case CONNECTED -> {
                if (socket == null) {
                    throw new NotYetConnectedException();
                }
                yield socket;
            }
            case CLOSING, CLOSED -> throw new ClosedChannelException();
        };
    }

    /** Whether the channel is closing and the caller is the one who has to give everything up. Holding the monitor. */
    boolean isLastToLeave() {
        if (phase != Phase.CLOSING || reading || writing) {
            return false;
        }
        phase = Phase.CLOSED;
        return true;
    }
}
