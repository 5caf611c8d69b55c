package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Decision;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * Makes a listener listen where routing wants it: on the stack, on the kernel, or, for a wildcard or loopback address, on both at one port.
 * What fails leaves nothing reserved.
 */
final class ListenerSetUp {
    /** What came of it; at least one of the two listeners is there. A kernel listener beside one of the stack is non-blocking. */
    record Listening(
            @Nullable TcpAcceptor acceptor, @Nullable ServerSocketChannel kernel, InetSocketAddress local) {}

    private final Runtime runtime;
    private final ProtocolFamily family;
    private final RecordedOptions options;
    private final Registrations registrations;
    private final boolean blocking;

    ListenerSetUp(
            Runtime runtime,
            ProtocolFamily family,
            RecordedOptions options,
            Registrations registrations,
            boolean blocking) {
        this.runtime = runtime;
        this.family = family;
        this.options = options;
        this.registrations = registrations;
        this.blocking = blocking;
    }

    Listening listen(InetSocketAddress local, int backlog) throws IOException {
        Decision decision = runtime.router().bind(local);
        Listening listening = switch (decision.route()) {
            case STACK -> onStack(local, backlog);
            case KERNEL -> onKernel(local, backlog);
            case BOTH -> onBoth(local, backlog);
        };
        runtime.journal().opened("listen", listening.local(), decision);
        return listening;
    }

    private Listening onStack(InetSocketAddress local, int backlog) throws IOException {
        TcpOptions wanted = optionsForStack();
        try {
            LocalBinding binding = runtime.stack().bind(Addresses.ip(local), local.getPort(), wanted);
            InetSocketAddress bound = new InetSocketAddress(local.getAddress(), binding.port());
            return new Listening(acceptor(binding, backlog, wanted), null, bound);
        } catch (TcpException e) {
            throw SocketErrors.setUp(e);
        }
    }

    private TcpAcceptor acceptor(LocalBinding binding, int backlog, TcpOptions wanted) throws TcpException {
        try {
            return runtime.stack().listen(binding, backlog, wanted, registrations);
        } catch (TcpException e) {
            binding.close();
            throw e;
        }
    }

    private Listening onKernel(InetSocketAddress local, int backlog) throws IOException {
        ServerSocketChannel listener = kernelListener(local, backlog, blocking);
        return new Listening(null, listener, (InetSocketAddress) listener.getLocalAddress());
    }

    private ServerSocketChannel kernelListener(InetSocketAddress local, int backlog, boolean block) throws IOException {
        ServerSocketChannel listener = runtime.kernel().openServerSocketChannel(family);
        boolean done = false;
        try {
            options.replayTo(listener);
            listener.bind(local, backlog);
            listener.configureBlocking(block);
            done = true;
        } finally {
            if (!done) {
                listener.close();
            }
        }
        return listener;
    }

    private Listening onBoth(InetSocketAddress local, int backlog) throws IOException {
        TcpOptions wanted = optionsForStack();
        SharedPort<ServerSocketChannel> port =
                SharedPort.bind(runtime.stack(), local, wanted, address -> kernelListener(address, backlog, false));
        boolean done = false;
        try {
            TcpAcceptor acceptor = acceptor(port.stack(), backlog, wanted);
            done = true;
            return new Listening(acceptor, port.kernel(), port.local());
        } catch (TcpException e) {
            throw SocketErrors.setUp(e);
        } finally {
            if (!done) {
                port.kernel().close();
            }
        }
    }

    private TcpOptions optionsForStack() {
        TcpOptions wanted = new TcpOptions();
        options.applyTo(wanted);
        return wanted;
    }
}
