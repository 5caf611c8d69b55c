package dev.millrace.provider.nio;

import dev.millrace.stack.tcp.TcpSocket;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * What the roles of one socket channel share: where its connection stands, and what it is. Every field is written under this object's
 * monitor, which is never held while waiting; the volatile ones are read by any thread without.
 */
final class SocketState extends ChannelState {
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
    /** What everything is delegated to, once routing has decided so. */
    volatile @Nullable KernelSocket kernel;

    // guarded by the monitor
    @Nullable
    InetSocketAddress localAddress;

    @Nullable
    InetSocketAddress remoteAddress;

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

    @Override
    boolean isLastToLeave() {
        if (phase != Phase.CLOSING || isInProgress()) {
            return false;
        }
        phase = Phase.CLOSED;
        return true;
    }

    /** Those of {@code interest} that a connection on the stack is ready for. Any thread. */
    int readyOps(int interest) {
        TcpSocket socket = tcp;
        if (interest == 0 || socket == null) {
            return 0;
        }
        int readiness = socket.readiness();
        if ((readiness & TcpSocket.FAILED) != 0) {
            return interest;
        }
        return switch (phase) {
            case PENDING -> (readiness & TcpSocket.CONNECTED) != 0 ? interest & SelectionKey.OP_CONNECT : 0;
            case CONNECTED -> interest & transferOps(interest, readiness);
            default -> 0;
        };
    }

    private int transferOps(int interest, int readiness) {
        boolean noInput = inputShut;
        boolean noOutput = outputShut;
        boolean ended = noInput || (readiness & TcpSocket.PEER_CLOSED) != 0;
        if (ended && noOutput) {
            return interest; // hung up
        }
        int ops = ended || (readiness & TcpSocket.READABLE) != 0 ? SelectionKey.OP_READ : 0;
        return noOutput || (readiness & TcpSocket.WRITABLE) != 0 ? ops | SelectionKey.OP_WRITE : ops;
    }
}
