package dev.millrace.provider;

import dev.millrace.provider.agent.JdkAccess;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Drivers;
import dev.millrace.provider.routing.Reach;
import dev.millrace.provider.routing.Router;
import dev.millrace.provider.routing.SocketJournal;
import dev.millrace.provider.settings.Settings;
import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.wire.IpAddress;
import java.io.IOException;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the channels and selectors of one provider share: the link, the stack and who drives it, the kernel's provider for
 * what the stack does not serve, routing and its journal. Any thread.
 */
@SuppressWarnings("AvoidCommonTypeNames") // the word for it; java.lang.Runtime is not used in this package
public final class Runtime implements AutoCloseable {
    /** What opens the JDK's own provider to us when there is no agent. */
    public static final String KERNEL_FLAG = "--add-exports java.base/sun.nio.ch=ALL-UNNAMED";

    private final SelectorProvider provider;
    private final JdkAccess jdk;
    private final @Nullable SelectorProvider kernel;
    private final Settings settings;
    private final Port link;
    private final Stack stack;
    private final Driver driver;
    private final Router router;
    private final ProtocolFamily family;
    private final ProtocolFamily datagramFamily;
    private final SocketJournal journal = new SocketJournal();
    private final AtomicBoolean closed = new AtomicBoolean();

    private Runtime(
            SelectorProvider provider, JdkAccess jdk, Settings settings, Port link, Stack stack, Driver driver) {
        this.provider = provider;
        this.jdk = jdk;
        this.kernel = jdk.kernelProvider();
        this.settings = settings;
        this.link = link;
        this.stack = stack;
        this.driver = driver;
        this.family = familyOf(settings);
        this.datagramFamily = kernelHasV6() ? family : StandardProtocolFamily.INET;
        this.router = new Router(new StackReach(stack), settings.routes());
    }

    /**
     * Opens the link and starts the stack on it.
     *
     * @param provider what channels name as their provider
     * @throws IOException with one line: which setting, why, what to do; nothing is left behind then
     */
    static Runtime start(Settings settings, SelectorProvider provider, JdkAccess access) throws IOException {
        Report.check(settings);
        int[] cpus = Processors.choose(settings);
        Port link = Links.open(settings);
        Stack stack = null;
        try {
            stack = new Stack(config(settings, link), link, new SecureRandom());
            Driver driver = Drivers.create(settings.driver(), stack, settings.spinNs(), cpus);
            return new Runtime(provider, access, settings, link, stack, driver);
        } catch (Throwable e) {
            if (stack != null) {
                stack.close();
            }
            link.close();
            throw e;
        }
    }

    private static StackConfig config(Settings settings, Port link) {
        StackConfig usual = StackConfig.of(settings.addresses(), settings.gateways(), link.mtu());
        StackConfig sized = new StackConfig(
                usual.addresses(),
                usual.gateways(),
                usual.mtu(),
                settings.memoryBytes(),
                settings.connections(),
                usual.minRtoNs(),
                usual.initialBufferBytes(),
                usual.maxReceiveBufferBytes(),
                usual.maxSendBufferBytes());
        return sized.withHopLimit(settings.hopLimit())
                .withTuning(tcp -> tcp.withCongestion(settings.congestion(), settings.ecn(), tcp.pacing())
                        .withMtuProbing(settings.mtuProbing())
                        .with(tcp.handshake().with(settings.fastOpen())));
    }

    /** As the JDK decides it, and for the stack alone where the kernel has no IPv6. */
    private static ProtocolFamily familyOf(Settings settings) {
        boolean stackHasV6 =
                settings.addresses().stream().anyMatch(own -> !own.address().isV4());
        return !Boolean.getBoolean("java.net.preferIPv4Stack") && (stackHasV6 || kernelHasV6())
                ? StandardProtocolFamily.INET6
                : StandardProtocolFamily.INET;
    }

    private static boolean kernelHasV6() {
        try {
            return !Files.readAllLines(Path.of("/proc/net/if_inet6")).isEmpty();
        } catch (IOException e) {
            return false; // the kernel was built or started without it
        }
    }

    private record StackReach(Stack stack) implements Reach {
        @Override
        public boolean owns(IpAddress address) {
            return stack.owns(address);
        }

        @Override
        public boolean routes(IpAddress destination) {
            return stack.routes(destination);
        }

        @Override
        public boolean listensOn(IpAddress address, int port) {
            return stack.listensOn(address, port);
        }

        @Override
        public boolean receivesDatagram(IpAddress local, int port, IpAddress remote, int remotePort) {
            return stack.receivesDatagram(local, port, remote, remotePort);
        }
    }

    /**
     * The JDK's own provider.
     *
     * @throws IOException with the flag that is missing, when the JVM keeps it out of reach
     */
    public SelectorProvider kernel() throws IOException {
        if (kernel == null) {
            throw new IOException("millrace: this socket belongs to the kernel, and that needs the JVM flag "
                    + KERNEL_FLAG + " (or -javaagent, which needs no flag)");
        }
        return kernel;
    }

    /** What the JVM lets us do with the JDK's internals. */
    public JdkAccess jdk() {
        return jdk;
    }

    boolean hasKernel() {
        return kernel != null;
    }

    public Stack stack() {
        return stack;
    }

    public Driver driver() {
        return driver;
    }

    public Router router() {
        return router;
    }

    public SocketJournal journal() {
        return journal;
    }

    /** What {@code channel.provider()} answers. */
    public SelectorProvider provider() {
        return provider;
    }

    /** The family of a channel that was opened without naming one: both families where the JVM or the link has IPv6. */
    public ProtocolFamily family() {
        return family;
    }

    /** As {@link #family}, for datagram channels, which all have a socket of the kernel's behind them. */
    public ProtocolFamily datagramFamily() {
        return datagramFamily;
    }

    public Settings settings() {
        return settings;
    }

    public Port link() {
        return link;
    }

    /**
     * Writes the report, lets every connection finish as the kernel does when a process ends, for {@code drain} at most, and gives the
     * link back. Idempotent. Threads that still wait on a socket are not woken.
     */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            driver.close();
            try {
                Report.write(this);
                Drain.finish(stack, settings.drainNs());
            } finally {
                stack.close();
                link.close();
            }
        }
    }
}
