package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Decision;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.core.UdpConnectCall;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.udp.UdpPeer;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;

/**
 * How a bound datagram channel is connected and disconnected. A channel on both sides receives from its peer's side alone while it is
 * connected; what the other side's socket gets meanwhile is dropped. The caller holds the locks of input and output, so that nothing but a close
 * meets it.
 */
final class DatagramConnect {
    /** Datagrams that one flush drops at most: more than Linux' largest receive buffers hold. */
    private static final int FLUSH_LIMIT = 1 << 16;

    private static final ByteBuffer NO_ROOM = ByteBuffer.allocate(0);

    private final Runtime runtime;
    private final DatagramState state;
    private final DatagramBinding binding;
    private final DatagramChannel kernel;

    DatagramConnect(Runtime runtime, DatagramState state, DatagramBinding binding) {
        this.runtime = runtime;
        this.state = state;
        this.binding = binding;
        this.kernel = state.kernel;
    }

    /** @param remote checked, and not port 0 */
    void connect(InetSocketAddress remote) throws IOException {
        if (state.delegate() != null) {
            kernel.connect(remote);
            connected(remote, Route.KERNEL, (InetSocketAddress) kernel.getLocalAddress());
            return;
        }
        DatagramPeers.Peer peer = new DatagramPeers().of(remote);
        Decision decision = binding.route(peer);
        if (decision.route() == Route.KERNEL) {
            overKernel(remote, peer);
        } else {
            overStack(remote, peer);
        }
        flushStack();
        runtime.journal().opened("datagrams to", remote, decision);
    }

    private void overKernel(InetSocketAddress remote, DatagramPeers.Peer peer) throws IOException {
        kernel.connect(remote);
        InetSocketAddress local = (InetSocketAddress) kernel.getLocalAddress();
        // so that neighbours on the stack don't take it for one that listens to them
        state.socket().connect(new UdpPeer(Addresses.ip(local), peer.address, peer.port));
        connected(remote, Route.KERNEL, local);
    }

    private void overStack(InetSocketAddress remote, DatagramPeers.Peer peer) throws IOException {
        UdpSocket socket = state.socket();
        UdpConnectCall call = runtime.stack().connect(socket, peer.address, peer.port);
        CallWaiter.perform(call, call.core(), runtime.driver());
        if (call.error() != TcpError.NONE) {
            throw SocketErrors.setUp(call.error());
        }
        connected(remote, Route.STACK, Addresses.socketAddress(call.result().local(), socket.localPort()));
    }

    private void connected(InetSocketAddress remote, Route side, InetSocketAddress local)
            throws ClosedChannelException {
        synchronized (state) {
            if (state.phase != DatagramState.Phase.OPEN) {
                throw new ClosedChannelException();
            }
            state.unconnectedLocalAddress = state.localAddress;
            state.localAddress = local;
            state.remoteAddress = remote;
            state.sides = side;
        }
    }

    /** Of a connected channel. */
    void disconnect() throws IOException {
        if (state.delegate() != null) {
            kernel.disconnect();
        } else {
            state.socket().connect(null);
            if (state.sides == Route.KERNEL) {
                kernel.disconnect();
                flushStack();
            } else if (state.bound == Route.BOTH) {
                flushKernel();
            }
        }
        synchronized (state) {
            state.localAddress = state.unconnectedLocalAddress;
            state.remoteAddress = null;
            state.sides = state.bound;
        }
    }

    /** Drops what came before, from whomever: the JDK does on connect, other than Linux. */
    private void flushStack() {
        UdpSocket socket = state.socket();
        DatagramHeader header = new DatagramHeader();
        int left = FLUSH_LIMIT;
        while (left > 0 && socket.receive(NO_ROOM, 0, 0, header) != UdpSocket.NOTHING) {
            left--;
        }
    }

    private void flushKernel() throws IOException {
        ByteBuffer scratch = ByteBuffer.allocate(1);
        int left = FLUSH_LIMIT;
        while (left > 0 && kernel.receive(scratch.clear()) != null) {
            left--;
        }
    }
}
