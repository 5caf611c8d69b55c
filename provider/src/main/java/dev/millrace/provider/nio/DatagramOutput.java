package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Decision;
import dev.millrace.provider.routing.Route;
import dev.millrace.provider.routing.Router;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.udp.UdpPeer;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The sending side of a datagram channel with a part on the stack: each datagram leaves from the side that leads to its destination. Its
 * lock admits one sender, or a thread that binds or connects.
 */
final class DatagramOutput extends DatagramSide {
    private static final int FULL = UdpSocket.FULL;

    private final DatagramBinding binding;

    // guarded by lock
    private final DatagramPeers peers = new DatagramPeers();
    private final DatagramStaging staging = new DatagramStaging();
    private boolean noted;

    DatagramOutput(
            StackDatagramChannel channel,
            SideLocks locks,
            DatagramState state,
            DatagramClosing closing,
            DatagramBinding binding,
            Runtime runtime) {
        super(Side.OUTPUT, channel, locks, state, closing, runtime);
        this.binding = binding;
    }

    // ---- operations ----

    /** Sends to {@code target}, which is the peer if there is one. */
    int send(ByteBuffer source, InetSocketAddress target) throws IOException {
        lock.lock();
        try {
            channel.ensureOpen();
            boolean blocking = channel.isBlocking();
            boolean completed = false;
            try {
                begin(blocking, false);
                SocketAddress remote = state.remoteAddress;
                if (remote == null) {
                    int count = sendTo(source, target, blocking);
                    completed = count >= 0;
                    return Math.max(0, count);
                }
                if (!target.equals(remote)) {
                    throw new AlreadyConnectedException();
                }
                int count = writeOne(source, blocking);
                completed = count > 0;
                return count;
            } finally {
                end(blocking, completed);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Sends {@code one} or, if that is null, {@code many} to the peer. */
    long write(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) throws IOException {
        lock.lock();
        try {
            channel.ensureOpen();
            boolean blocking = channel.isBlocking();
            long count = 0;
            try {
                begin(blocking, true);
                count = one != null ? writeOne(one, blocking) : writeMany(many, offset, length, blocking);
            } finally {
                end(blocking, count > 0);
            }
            return count;
        } finally {
            lock.unlock();
        }
    }

    // ---- without a peer ----

    /** @return bytes sent, or {@link #FULL} */
    private int sendTo(ByteBuffer source, InetSocketAddress target, boolean blocking) throws IOException {
        if (target.getPort() == 0) {
            throw new SocketException("Can't send to port 0");
        }
        DatagramPeers.Peer peer = peers.of(target);
        boolean overKernel = route(peer) == Route.KERNEL;
        int count = sendNow(source, target, peer, overKernel);
        while (count == FULL && blocking && channel.isOpen()) {
            await(overKernel);
            count = channel.isOpen() ? sendNow(source, target, peer, overKernel) : FULL;
        }
        return count;
    }

    private Route route(DatagramPeers.Peer peer) throws IOException {
        Route known = peer.route;
        if (known == null) {
            return firstRoute(peer);
        }
        if (!peer.mayChange) {
            return known;
        }
        UdpSocket socket = state.socket();
        return runtime.router().receivesOnLoopback(socket.boundAddress(), socket.localPort(), peer.address, peer.port)
                ? Route.STACK
                : Route.KERNEL;
    }

    private Route firstRoute(DatagramPeers.Peer peer) throws IOException {
        if (state.delegate() != null) {
            return Route.KERNEL; // another thread has bound it there just before
        }
        Router router = runtime.router();
        Decision decision = binding.route(peer);
        IpAddress bound = state.socket().boundAddress();
        peer.mayChange = state.bound == Route.BOTH
                && router.mayChange(peer.address)
                && (bound.isAny() || bound.isV4() == peer.address.isV4());
        peer.route = decision.route();
        if (!noted) {
            noted = true; // one destination stands for all that an unconnected channel has
            runtime.journal().opened("datagrams to", peer.socketAddress, decision);
        }
        return decision.route();
    }

    private int sendNow(ByteBuffer source, InetSocketAddress target, DatagramPeers.Peer peer, boolean overKernel)
            throws IOException {
        if (overKernel) {
            boolean empty = !source.hasRemaining();
            int count = state.kernel.send(source, target);
            return count == 0 && !empty ? FULL : count;
        }
        return sendOnStack(source, peer.address, peer.port, false);
    }

    // ---- to the peer ----

    /** An empty buffer sends nothing, as the JDK's. */
    private int writeOne(ByteBuffer source, boolean blocking) throws IOException {
        if (!source.hasRemaining()) {
            return 0;
        }
        boolean overKernel = state.sides == Route.KERNEL;
        int count = writeNow(source, overKernel);
        while (count == FULL && blocking && channel.isOpen()) {
            await(overKernel);
            count = channel.isOpen() ? writeNow(source, overKernel) : FULL;
        }
        return Math.max(0, count);
    }

    private long writeMany(ByteBuffer[] sources, int offset, int length, boolean blocking) throws IOException {
        long total = DatagramStaging.remaining(sources, offset, length);
        if (total > DatagramStaging.MAX_BYTES) {
            throw SocketErrors.tooLong(true);
        }
        int count = writeOne(staging.gathered(sources, offset, length), blocking);
        if (count > 0) {
            DatagramStaging.consume(sources, offset, length);
        }
        return count;
    }

    private int writeNow(ByteBuffer source, boolean overKernel) throws IOException {
        if (overKernel) {
            int count = state.kernel.write(source);
            return count == 0 ? FULL : count;
        }
        UdpPeer peer = Objects.requireNonNull(state.socket().peer());
        return sendOnStack(source, peer.remote(), peer.port(), true);
    }

    // ---- on the stack ----

    private int sendOnStack(ByteBuffer source, IpAddress remote, int port, boolean connected) throws IOException {
        UdpSocket socket = state.socket();
        TcpError error = socket.takeError();
        if (error != TcpError.NONE) {
            throw SocketErrors.datagram(error);
        }
        int position = source.position();
        int count = socket.send(source, position, source.limit() - position, remote, port);
        if (count == UdpSocket.TOO_LONG) {
            throw SocketErrors.tooLong(connected);
        }
        if (count == FULL) {
            channel.driveIfUnselected();
            return FULL;
        }
        source.position(position + count);
        channel.requestTurn(socket);
        return count;
    }

    // ---- waiting ----

    private void await(boolean overKernel) throws IOException {
        await(overKernel, Long.MAX_VALUE);
    }

    /** Space on the stack is of no use to what goes over the kernel. */
    @Override
    boolean isReady(boolean overKernel) {
        return !channel.isOpen() || !overKernel && (state.socket().readiness() & UdpSocket.WRITABLE) != 0;
    }
}
