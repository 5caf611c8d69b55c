package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Decision;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/**
 * The local end of a socket channel that is not connected yet: what an explicit bind has reserved, on the stack, on the kernel, or, for
 * an address that means both, on both until connect decides. Guarded by the channel's {@link SocketState}.
 */
final class LocalReservation {
    private final StackSocketChannel owner;
    private final Runtime runtime;
    private final ProtocolFamily family;
    private final RecordedOptions options;
    private final SocketState state;

    private @Nullable LocalBinding onStack;
    private @Nullable SocketChannel onKernel;

    LocalReservation(
            StackSocketChannel owner,
            Runtime runtime,
            ProtocolFamily family,
            RecordedOptions options,
            SocketState state) {
        this.owner = owner;
        this.runtime = runtime;
        this.family = family;
        this.options = options;
        this.state = state;
    }

    void bind(InetSocketAddress local) throws IOException {
        switch (runtime.router().bind(local).route()) {
            case STACK -> {
                try {
                    LocalBinding binding =
                            runtime.stack().bind(Addresses.ip(local), local.getPort(), optionsForStack());
                    onStack = binding;
                    state.localAddress = new InetSocketAddress(local.getAddress(), binding.port());
                } catch (TcpException e) {
                    throw SocketErrors.setUp(e);
                }
            }
            case KERNEL -> {
                SocketChannel channel = openKernel(local);
                onKernel = channel;
                state.localAddress = (InetSocketAddress) channel.getLocalAddress();
            }
            case BOTH -> {
                SharedPort<SocketChannel> port =
                        SharedPort.bind(runtime.stack(), local, optionsForStack(), this::openKernel);
                onKernel = port.kernel();
                onStack = port.stack();
                state.localAddress = port.local();
            }
        }
    }

    TcpOptions optionsForStack() {
        TcpOptions wanted = new TcpOptions();
        options.applyTo(wanted);
        return wanted;
    }

    /** A kernel channel with this channel's options, bound if {@code local} is given. */
    private SocketChannel openKernel(@Nullable InetSocketAddress local) throws IOException {
        SocketChannel channel = runtime.kernel().openSocketChannel(family);
        boolean done = false;
        try {
            options.replayTo(channel);
            if (local != null) {
                channel.bind(local);
            }
            done = true;
        } finally {
            if (!done) {
                channel.close();
            }
        }
        return channel;
    }

    /**
     * Decides by the remote address where the channel lives from now on, and gives up what is reserved on the other side: on the kernel, by
     * {@link SocketState#kernel} then, or else on the stack.
     */
    void route(InetSocketAddress remote) throws IOException {
        Decision decision = runtime.router().connect(remote, state.localAddress);
        boolean overStack = state.localAddress == null
                ? decision.route() != Route.KERNEL
                : onStack != null && (onKernel == null || decision.route() != Route.KERNEL);
        runtime.journal().opened("connect", remote, decision);
        if (overStack) {
            releaseKernel();
            return;
        }
        SocketChannel chosen = onKernel == null ? openKernel(null) : onKernel;
        onKernel = chosen; // so that it is given up if the next fails
        chosen.configureBlocking(owner.isBlocking());
        onKernel = null;
        releaseStack();
        state.kernel = new KernelSocket(owner, chosen);
    }

    /** The stack's reservation, for the connection that takes it over; null if there is none. */
    @Nullable
    LocalBinding takeForConnection() {
        LocalBinding binding = onStack;
        onStack = null;
        return binding;
    }

    /** The reserved kernel channel, which options set before connect concern as well. */
    @Nullable
    SocketChannel onKernel() {
        return onKernel;
    }

    void release() throws IOException {
        releaseStack();
        releaseKernel();
    }

    private void releaseStack() {
        LocalBinding binding = takeForConnection();
        if (binding != null) {
            binding.close();
        }
    }

    private void releaseKernel() throws IOException {
        SocketChannel reserved = onKernel;
        if (reserved != null) {
            onKernel = null;
            reserved.close();
        }
    }
}
