package dev.millrace.provider.nio;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.NetworkChannel;

/**
 * One local address and port, held on the kernel and on the stack at once: what a bind to a wildcard or loopback address takes.
 *
 * @param kernel the bound kernel channel
 * @param local what it is bound to
 * @param stack the stack's reservation of the same port
 */
record SharedPort<C extends NetworkChannel>(C kernel, InetSocketAddress local, LocalBinding stack) {
    /** How often the kernel is asked for another ephemeral port when the stack's is taken. */
    private static final int ATTEMPTS = 64;

    /** Opens a kernel channel and binds it. */
    @FunctionalInterface
    interface KernelBind<C> {
        C bind(InetSocketAddress local) throws IOException;
    }

    /**
     * Takes a port on both sides. For port 0 the kernel chooses, and the stack takes the same one.
     *
     * @throws java.net.BindException if either side refuses
     */
    static <C extends NetworkChannel> SharedPort<C> bind(
            Stack stack, InetSocketAddress local, TcpOptions options, KernelBind<C> kernelBind) throws IOException {
        for (int attempt = 1; ; attempt++) {
            C kernel = kernelBind.bind(local);
            try {
                InetSocketAddress bound = (InetSocketAddress) kernel.getLocalAddress();
                LocalBinding binding = stack.bind(Addresses.ip(local), bound.getPort(), options);
                return new SharedPort<>(kernel, bound, binding);
            } catch (TcpException e) {
                kernel.close();
                boolean another = local.getPort() == 0 && e.error() == TcpError.ADDRESS_IN_USE && attempt < ATTEMPTS;
                if (!another) {
                    throw SocketErrors.setUp(e);
                }
            }
        }
    }
}
