package dev.millrace.provider.nio;

import dev.millrace.provider.routing.Route;
import dev.millrace.stack.udp.UdpSocket;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * What the roles of one datagram channel share: where it is bound, whom it is connected to, and what it is. Every field is written under
 * this object's monitor, which is never held while waiting; the volatile ones are read by any thread without.
 */
final class DatagramState extends ChannelState {
    /** In the order they are passed. */
    enum Phase {
        OPEN,
        CLOSING,
        CLOSED
    }

    /**
     * The kernel's socket, there from the beginning: it keeps options and group memberships, and is the kernel's side once the channel is
     * bound there. Unbound, it is nothing but memory.
     */
    final DatagramChannel kernel;

    volatile Phase phase = Phase.OPEN;
    volatile @Nullable UdpSocket udp;
    /** Where it is bound; null before. */
    volatile @Nullable Route bound;
    /** Where it receives from: where it is bound or, of both, the side that its peer is on. */
    volatile @Nullable Route sides;

    /** As the application named it. */
    volatile @Nullable InetSocketAddress remoteAddress;

    // guarded by the monitor
    @Nullable
    InetSocketAddress localAddress;

    /** What {@link #localAddress} becomes again when it is disconnected. */
    @Nullable
    InetSocketAddress unconnectedLocalAddress;

    DatagramState(DatagramChannel kernel) {
        this.kernel = kernel;
    }

    /** The JDK channel, if everything is delegated to it. */
    @Nullable
    DatagramChannel delegate() {
        return bound == Route.KERNEL ? kernel : null;
    }

    /** The stack's socket of a channel that is bound there. */
    UdpSocket socket() {
        UdpSocket socket = udp;
        if (socket == null) {
            throw new IllegalStateException("bound to " + bound);
        }
        return socket;
    }

    @Override
    boolean isLastToLeave() {
        if (phase != Phase.CLOSING || isInProgress()) {
            return false;
        }
        phase = Phase.CLOSED;
        return true;
    }

    // ---- for keys and selectors; any thread ----

    /** Those of {@code interest} that the stack's side is ready for. */
    int readyOps(int interest) {
        Route now = sides;
        if (now == null) {
            return interest & SelectionKey.OP_WRITE; // sending would bind it
        }
        UdpSocket socket = udp;
        if (interest == 0 || socket == null || now == Route.KERNEL || phase != Phase.OPEN) {
            return 0;
        }
        int readiness = socket.readiness();
        if ((readiness & UdpSocket.FAILED) != 0) {
            return interest;
        }
        int ops = (readiness & UdpSocket.READABLE) != 0 ? SelectionKey.OP_READ : 0;
        return interest & ((readiness & UdpSocket.WRITABLE) != 0 ? ops | SelectionKey.OP_WRITE : ops);
    }

    /** Of both sides it is the stack's that tells when there is space: the kernel's hardly ever lacks it. */
    int kernelInterest(int interest) {
        Route now = sides;
        if (now == Route.KERNEL) {
            return interest;
        }
        return now == Route.BOTH ? interest & ~SelectionKey.OP_WRITE : 0;
    }
}
