package dev.millrace.provider.nio;

import dev.millrace.provider.routing.Route;
import dev.millrace.stack.udp.UdpSocket;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/**
 * What the roles of one datagram channel share: where it is bound, whom it is connected to, and what it is. Every field is written under
 * this object's monitor, which is never held while waiting; the volatile ones are read by any thread without.
 */
final class DatagramState {
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

    /** A blocking-mode operation is in progress that close leaves the rest to. */
    boolean receiving;

    boolean sending;

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

    /** Whether the channel is closing and the caller is the one who has to give everything up. Holding the monitor. */
    boolean isLastToLeave() {
        if (phase != Phase.CLOSING || receiving || sending) {
            return false;
        }
        phase = Phase.CLOSED;
        return true;
    }
}
