package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.Test;

/** Socket options: the same set as the JDK's, kept over connect, and checked alike. */
class OptionsTest extends ContractTest {
    /** Options that report exactly what was set. */
    private static final Map<SocketOption<?>, List<?>> EXACT = Map.of(
            StandardSocketOptions.TCP_NODELAY, List.of(true, false),
            StandardSocketOptions.SO_KEEPALIVE, List.of(true, false),
            StandardSocketOptions.SO_REUSEADDR, List.of(true, false),
            StandardSocketOptions.SO_REUSEPORT, List.of(true, false),
            StandardSocketOptions.SO_LINGER, List.of(0, 7, -1),
            ExtendedSocketOptions.TCP_KEEPIDLE, List.of(11, 7200),
            ExtendedSocketOptions.TCP_KEEPINTERVAL, List.of(12, 75),
            ExtendedSocketOptions.TCP_KEEPCOUNT, List.of(3, 9),
            ExtendedSocketOptions.TCP_QUICKACK, List.of(true, false));

    @Test
    void theSameOptionsAreSupported() throws Exception {
        try (SocketChannel oracle = Subject.jdk().openSocketChannel();
                ServerSocketChannel serverOracle = Subject.jdk().openServerSocketChannel()) {
            Set<SocketOption<?>> supported = new HashSet<>(open().supportedOptions());
            supported.removeIf(option -> option.name().equals("TCP_INFO")); // Millrace's own
            assertEquals(oracle.supportedOptions(), supported);
            ServerSocketChannel listener = closing(provider.openServerSocketChannel());
            assertEquals(serverOracle.supportedOptions(), listener.supportedOptions());
        }
    }

    @Test
    void optionsAreKeptBeforeAndAfterConnecting() throws Exception {
        SocketChannel before = open();
        setAndGet(before);
        setAndGet(pair().client());
        before.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 33);
        before.setOption(StandardSocketOptions.TCP_NODELAY, true);
        before.connect(listen().getLocalAddress());
        assertEquals(33, before.getOption(ExtendedSocketOptions.TCP_KEEPIDLE));
        assertTrue(before.getOption(StandardSocketOptions.TCP_NODELAY));
    }

    private static void setAndGet(SocketChannel channel) throws IOException {
        for (Map.Entry<SocketOption<?>, List<?>> entry : EXACT.entrySet()) {
            for (Object value : entry.getValue()) {
                assertEquals(
                        value,
                        setAndGet(channel, entry.getKey(), value),
                        entry.getKey().name());
            }
        }
    }

    private static <T> Object setAndGet(SocketChannel channel, SocketOption<T> option, Object value)
            throws IOException {
        channel.setOption(option, option.type().cast(value));
        return channel.getOption(option);
    }

    @Test
    void everySupportedOptionCanBeRead() throws Exception {
        SocketChannel channel = pair().client();
        for (SocketOption<?> option : channel.supportedOptions()) {
            assertNotNull(channel.getOption(option), option.name());
        }
        ServerSocketChannel listener = listen();
        for (SocketOption<?> option : listener.supportedOptions()) {
            assertNotNull(listener.getOption(option), option.name());
        }
    }

    @Test
    void defaultsAreTheJdks() throws Exception {
        try (SocketChannel oracle = Subject.jdk().openSocketChannel()) {
            for (SocketOption<?> option : List.of(
                    StandardSocketOptions.TCP_NODELAY,
                    StandardSocketOptions.SO_KEEPALIVE,
                    StandardSocketOptions.SO_REUSEADDR,
                    StandardSocketOptions.SO_LINGER,
                    ExtendedSocketOptions.TCP_KEEPIDLE,
                    ExtendedSocketOptions.TCP_KEEPCOUNT)) {
                assertEquals(oracle.getOption(option), open().getOption(option), option.name());
            }
        }
    }

    @Test
    void bufferSizesAreAtLeastWhatWasAsked() throws Exception {
        SocketChannel channel = open();
        channel.setOption(StandardSocketOptions.SO_RCVBUF, 100_000);
        channel.setOption(StandardSocketOptions.SO_SNDBUF, 100_000);
        assertTrue(channel.getOption(StandardSocketOptions.SO_RCVBUF) >= 100_000);
        assertTrue(channel.getOption(StandardSocketOptions.SO_SNDBUF) >= 100_000);
        assertThrows(IllegalArgumentException.class, () -> channel.setOption(StandardSocketOptions.SO_RCVBUF, -1));
    }

    @Test
    void acceptedChannelsInheritTheListenersReceiveBuffer() throws Exception {
        ServerSocketChannel listener = closing(provider.openServerSocketChannel());
        listener.setOption(StandardSocketOptions.SO_RCVBUF, 50_000);
        listener.bind(null);
        assertTrue(listener.getOption(StandardSocketOptions.SO_RCVBUF) >= 50_000);
    }

    @Test
    void wrongUseIsRefused() throws Exception {
        NetworkChannel listener = closing(provider.openServerSocketChannel());
        assertThrows(
                UnsupportedOperationException.class, () -> listener.setOption(StandardSocketOptions.TCP_NODELAY, true));
        assertThrows(UnsupportedOperationException.class, () -> listener.getOption(StandardSocketOptions.SO_LINGER));
        SocketChannel channel = open();
        assertThrows(
                UnsupportedOperationException.class,
                () -> channel.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, true));
        assertThrows(NullPointerException.class, () -> channel.getOption(null));
        assertThrows(IllegalArgumentException.class, () -> channel.setOption(StandardSocketOptions.SO_KEEPALIVE, null));
        channel.close();
        assertThrows(ClosedChannelException.class, () -> channel.setOption(StandardSocketOptions.TCP_NODELAY, true));
        assertThrows(ClosedChannelException.class, () -> channel.getOption(StandardSocketOptions.TCP_NODELAY));
    }

    @Test
    void trafficClassIsKept() throws Exception {
        SocketChannel channel = closing(provider.openSocketChannel(StandardProtocolFamily.INET));
        channel.setOption(StandardSocketOptions.IP_TOS, 0x10);
        assertEquals(0x10, channel.getOption(StandardSocketOptions.IP_TOS));
    }
}
