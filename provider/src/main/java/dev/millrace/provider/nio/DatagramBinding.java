package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Decision;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.udp.UdpOptions;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import jdk.net.ExtendedSocketOptions;

/**
 * The local end of a datagram channel: bound on the stack, on the kernel, or, for an address that means both, on both at one port. Guarded
 * by the channel's {@link DatagramState}.
 */
final class DatagramBinding {
    /** How often another ephemeral port is tried when the kernel's is taken. */
    private static final int ATTEMPTS = 64;

    private final Runtime runtime;
    private final ProtocolFamily family;
    private final DatagramState state;
    private final DatagramChannel kernel;
    private final Registrations registrations;

    DatagramBinding(Runtime runtime, ProtocolFamily family, DatagramState state, Registrations registrations) {
        this.runtime = runtime;
        this.family = family;
        this.state = state;
        this.kernel = state.kernel;
        this.registrations = registrations;
    }

    /** @param local checked; port 0 for an ephemeral one */
    void bind(InetSocketAddress local) throws IOException {
        place(local, runtime.router().bind(local));
    }

    /** For a channel that is used before it was bound. */
    void bindUnnamed() throws IOException {
        place(Addresses.checkLocal(null, family), runtime.router().bindUnnamed());
    }

    private void place(InetSocketAddress local, Decision decision) throws IOException {
        switch (decision.route()) {
            case STACK -> {
                UdpSocket socket = onStack(local, local.getPort(), options());
                state.localAddress = new InetSocketAddress(local.getAddress(), socket.localPort());
                state.udp = socket;
            }
            case KERNEL -> {
                kernel.bind(local);
                state.localAddress = (InetSocketAddress) kernel.getLocalAddress();
            }
            case BOTH -> {
                UdpSocket socket = local.getPort() == 0 ? onBothAnyPort(local) : onBoth(local, options());
                state.localAddress = (InetSocketAddress) kernel.getLocalAddress();
                state.udp = socket;
                kernel.configureBlocking(false); // a blocking receive waits for both
            }
        }
        state.bound = decision.route();
        state.sides = decision.route();
        runtime.journal().opened("datagrams at", local, decision);
    }

    private UdpOptions options() throws IOException {
        UdpOptions options = new UdpOptions();
        applyOptions(options);
        return options;
    }

    private UdpSocket onStack(InetSocketAddress local, int port, UdpOptions options) throws IOException {
        try {
            return runtime.stack().bindDatagram(Addresses.ip(local), port, options, registrations::onReadiness);
        } catch (TcpException e) {
            throw SocketErrors.setUp(e);
        }
    }

    /** The stack first: a JDK channel that was bound can never be bound otherwise. */
    private UdpSocket onBoth(InetSocketAddress local, UdpOptions options) throws IOException {
        UdpSocket socket = onStack(local, local.getPort(), options);
        boolean done = false;
        try {
            kernel.bind(new InetSocketAddress(local.getAddress(), socket.localPort()));
            done = true;
        } finally {
            if (!done) {
                socket.close();
            }
        }
        return socket;
    }

    /** The stack chooses a port that nobody has there; sharing is off meanwhile, so that the kernel gives it only if nobody has it either. */
    private UdpSocket onBothAnyPort(InetSocketAddress local) throws IOException {
        UdpOptions options = options();
        share(false, false);
        try {
            for (int attempt = 1; ; attempt++) {
                try {
                    return onBoth(local, options);
                } catch (BindException e) {
                    if (attempt == ATTEMPTS || !"Address already in use".equals(e.getMessage())) {
                        throw e;
                    }
                }
            }
        } finally {
            share(options.reuseAddress, options.reusePort);
        }
    }

    private void share(boolean address, boolean port) throws IOException {
        kernel.setOption(StandardSocketOptions.SO_REUSEADDR, address);
        kernel.setOption(StandardSocketOptions.SO_REUSEPORT, port);
    }

    /** What is set on the kernel's socket, as the stack wants it. Linux counts a buffer double what is asked for and told. */
    void applyOptions(UdpOptions options) throws IOException {
        options.receiveBufferBytes = 2 * kernel.getOption(StandardSocketOptions.SO_RCVBUF);
        options.sendBufferBytes = 2 * kernel.getOption(StandardSocketOptions.SO_SNDBUF);
        options.trafficClass = kernel.getOption(StandardSocketOptions.IP_TOS);
        options.dontFragment = kernel.getOption(ExtendedSocketOptions.IP_DONTFRAGMENT);
        options.reuseAddress = kernel.getOption(StandardSocketOptions.SO_REUSEADDR);
        options.reusePort = kernel.getOption(StandardSocketOptions.SO_REUSEPORT);
    }

    /** Which side leads to {@code remote}: STACK or KERNEL. Once bound. */
    Decision route(DatagramPeers.Peer remote) throws IOException {
        UdpSocket socket = state.socket();
        if (state.bound == Route.BOTH) {
            return runtime.router().datagram(socket.boundAddress(), socket.localPort(), remote.address, remote.port);
        }
        if (!runtime.router().reachesFromLink(socket.boundAddress(), remote.address)) {
            throw SocketErrors.networkUnreachable();
        }
        return new Decision(Route.STACK, "bound to " + socket.boundAddress() + ", an address of the link");
    }
}
