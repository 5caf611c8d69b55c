package dev.millrace.provider.nio;

import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/**
 * Which options the JDK's channels have on this system, and their values on a fresh socket: read once off a kernel socket, so that a
 * channel that has not been routed yet answers exactly as the JDK's would. Immutable; any thread.
 */
final class KernelOptions {
    private static final Set<SocketOption<?>> CLIENT = Set.of(
            StandardSocketOptions.SO_SNDBUF,
            StandardSocketOptions.SO_RCVBUF,
            StandardSocketOptions.SO_KEEPALIVE,
            StandardSocketOptions.SO_REUSEADDR,
            StandardSocketOptions.SO_REUSEPORT,
            StandardSocketOptions.SO_LINGER,
            StandardSocketOptions.TCP_NODELAY,
            StandardSocketOptions.IP_TOS,
            ExtendedSocketOptions.TCP_QUICKACK,
            ExtendedSocketOptions.TCP_KEEPIDLE,
            ExtendedSocketOptions.TCP_KEEPINTERVAL,
            ExtendedSocketOptions.TCP_KEEPCOUNT,
            ExtendedSocketOptions.SO_INCOMING_NAPI_ID);
    private static final Set<SocketOption<?>> SERVER = Set.of(
            StandardSocketOptions.SO_RCVBUF,
            StandardSocketOptions.SO_REUSEADDR,
            StandardSocketOptions.SO_REUSEPORT,
            ExtendedSocketOptions.TCP_QUICKACK,
            ExtendedSocketOptions.TCP_KEEPIDLE,
            ExtendedSocketOptions.TCP_KEEPINTERVAL,
            ExtendedSocketOptions.TCP_KEEPCOUNT,
            ExtendedSocketOptions.SO_INCOMING_NAPI_ID);
    /** Linux' values: half of {@code net.ipv4.tcp_wmem} and {@code tcp_rmem}, as the JDK reports them. */
    private static final Map<String, Object> LINUX = Map.ofEntries(
            Map.entry("SO_SNDBUF", 8192),
            Map.entry("SO_RCVBUF", 65536),
            Map.entry("SO_KEEPALIVE", false),
            Map.entry("SO_REUSEADDR", false),
            Map.entry("SO_REUSEPORT", false),
            Map.entry("SO_LINGER", -1),
            Map.entry("TCP_NODELAY", false),
            Map.entry("IP_TOS", 0),
            Map.entry("SO_OOBINLINE", false),
            Map.entry("TCP_QUICKACK", true),
            Map.entry("TCP_KEEPIDLE", 7200),
            Map.entry("TCP_KEEPINTERVAL", 75),
            Map.entry("TCP_KEEPCOUNT", 9),
            Map.entry("SO_INCOMING_NAPI_ID", 0));

    private static volatile @Nullable KernelOptions client;
    private static volatile @Nullable KernelOptions server;

    private final Set<SocketOption<?>> supported;
    private final Map<String, Object> defaults;

    private KernelOptions(Set<SocketOption<?>> supported, Map<String, Object> defaults) {
        this.supported = supported;
        this.defaults = defaults;
    }

    /** Of a socket channel; Linux' usual ones where {@code kernel} is out of reach. */
    static KernelOptions client(KernelProvider kernel) {
        KernelOptions known = client;
        if (known == null) {
            known = read(kernel, SelectorProvider::openSocketChannel, CLIENT);
            client = known;
        }
        return known;
    }

    /** Of a server socket channel. */
    static KernelOptions server(KernelProvider kernel) {
        KernelOptions known = server;
        if (known == null) {
            known = read(kernel, SelectorProvider::openServerSocketChannel, SERVER);
            server = known;
        }
        return known;
    }

    private static KernelOptions read(KernelProvider kernel, Opener opener, Set<SocketOption<?>> otherwise) {
        try (NetworkChannel fresh = opener.open(kernel.kernel())) {
            Map<String, Object> defaults = new HashMap<>(LINUX);
            for (SocketOption<?> option : fresh.supportedOptions()) {
                defaults.put(option.name(), fresh.getOption(option));
            }
            return new KernelOptions(fresh.supportedOptions(), defaults);
        } catch (IOException unreachable) {
            // the JVM keeps its provider out of reach or has no descriptor left; what it would have said is known
            Map<String, Object> defaults = new HashMap<>(LINUX);
            defaults.put("SO_REUSEADDR", otherwise.equals(SERVER));
            return new KernelOptions(otherwise, defaults);
        }
    }

    Set<SocketOption<?>> supported() {
        return supported;
    }

    Object defaultOf(String name) {
        Object value = defaults.get(name);
        if (value == null) {
            throw new UnsupportedOperationException("'" + name + "' not supported");
        }
        return value;
    }

    /** Where the JDK's own provider is to be had. */
    @FunctionalInterface
    interface KernelProvider {
        SelectorProvider kernel() throws IOException;
    }

    @FunctionalInterface
    private interface Opener {
        NetworkChannel open(SelectorProvider kernel) throws IOException;
    }
}
