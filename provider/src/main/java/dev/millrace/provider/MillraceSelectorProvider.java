package dev.millrace.provider;

import dev.millrace.provider.SharedStart.Outcome;
import dev.millrace.provider.agent.JdkAccess;
import dev.millrace.provider.nio.MillraceSelector;
import dev.millrace.provider.nio.StackDatagramChannel;
import dev.millrace.provider.nio.StackServerSocketChannel;
import dev.millrace.provider.nio.StackSocketChannel;
import dev.millrace.provider.settings.Settings;
import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.nio.channels.Channel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The provider that {@code -Djava.nio.channels.spi.SelectorProvider} names. TCP and datagram channels and selectors are Millrace's; what it does not
 * serve (pipes, UNIX domain sockets, inherited channels) is the JDK's. Any thread.
 *
 * <p>The constructor never throws, because the JDK would then fail every use of NIO with an error that hides the reason: starting
 * happens at the first {@code open}, and a failure is an IOException of each {@code open}.
 */
public final class MillraceSelectorProvider extends SelectorProvider {
    private @Nullable Outcome outcome; // guarded by this

    /** Called by the JDK; shares the one runtime of this process. */
    public MillraceSelectorProvider() {}

    /**
     * A provider with a stack of its own, besides that of the process; {@code runtime().close()} ends it.
     *
     * @throws IOException with one line that says why it cannot start
     */
    public static MillraceSelectorProvider of(Settings settings, JdkAccess access) throws IOException {
        MillraceSelectorProvider provider = new MillraceSelectorProvider();
        Runtime runtime = Runtime.start(settings, provider, access);
        synchronized (provider) {
            provider.outcome = new Outcome.Running(runtime);
        }
        return provider;
    }

    private synchronized Outcome outcome() {
        Outcome known = outcome;
        if (known == null) {
            known = SharedStart.outcome(this);
            outcome = known;
        }
        return known;
    }

    /** Starts now rather than at the first {@code open}; null, or the line that says why it failed. */
    public @Nullable String start() {
        return outcome() instanceof Outcome.Failed(String line) ? line : null;
    }

    /**
     * What channels of this provider share, or null when everything is on the kernel.
     *
     * @throws IOException with the reason when it could not start
     */
    public @Nullable Runtime runtime() throws IOException {
        return switch (outcome()) {
            case Outcome.Running(Runtime runtime) -> runtime;
            case Outcome.KernelOnly _ -> null;
            case Outcome.Failed(String line) -> throw new IOException("millrace: " + line);
        };
    }

    private SelectorProvider kernel() throws IOException {
        return switch (outcome()) {
            case Outcome.Running(Runtime runtime) -> runtime.kernel();
            case Outcome.KernelOnly(SelectorProvider kernel) -> kernel;
            case Outcome.Failed(String line) -> throw new IOException("millrace: " + line);
        };
    }

    @Override
    public AbstractSelector openSelector() throws IOException {
        Runtime runtime = runtime();
        return runtime == null ? kernel().openSelector() : new MillraceSelector(runtime);
    }

    @Override
    public SocketChannel openSocketChannel() throws IOException {
        Runtime runtime = runtime();
        return runtime == null ? kernel().openSocketChannel() : new StackSocketChannel(runtime, runtime.family());
    }

    @Override
    public SocketChannel openSocketChannel(ProtocolFamily family) throws IOException {
        Runtime runtime = runtime();
        return runtime == null || isOfKernel(family)
                ? kernel().openSocketChannel(family)
                : new StackSocketChannel(runtime, family);
    }

    @Override
    public ServerSocketChannel openServerSocketChannel() throws IOException {
        Runtime runtime = runtime();
        return runtime == null
                ? kernel().openServerSocketChannel()
                : new StackServerSocketChannel(runtime, runtime.family());
    }

    @Override
    public ServerSocketChannel openServerSocketChannel(ProtocolFamily family) throws IOException {
        Runtime runtime = runtime();
        return runtime == null || isOfKernel(family)
                ? kernel().openServerSocketChannel(family)
                : new StackServerSocketChannel(runtime, family);
    }

    /** UNIX domain sockets are the kernel's, and so is the refusal of what is no family of sockets. */
    private static boolean isOfKernel(ProtocolFamily family) {
        Objects.requireNonNull(family, "'family' is null");
        return family != StandardProtocolFamily.INET && family != StandardProtocolFamily.INET6;
    }

    @Override
    public DatagramChannel openDatagramChannel() throws IOException {
        Runtime runtime = runtime();
        return runtime == null
                ? kernel().openDatagramChannel()
                : new StackDatagramChannel(runtime, runtime.datagramFamily());
    }

    @Override
    public DatagramChannel openDatagramChannel(ProtocolFamily family) throws IOException {
        Runtime runtime = runtime();
        return runtime == null || isOfKernel(family)
                ? kernel().openDatagramChannel(family)
                : new StackDatagramChannel(runtime, family);
    }

    @Override
    public Pipe openPipe() throws IOException {
        return kernel().openPipe();
    }

    @Override
    public @Nullable Channel inheritedChannel() throws IOException {
        return kernel().inheritedChannel();
    }
}
