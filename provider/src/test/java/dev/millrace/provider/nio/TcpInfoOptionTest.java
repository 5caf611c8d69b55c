package dev.millrace.provider.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.MillraceSocketOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** TCP_INFO on channels: what it says, from which threads, and where there is none. */
@Timeout(30)
class TcpInfoOptionTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final long ESTABLISHED = 1;
    private static final long CLOSE_WAIT = 8;
    private static final long CLOSED = 7;

    private LoopProvider loop;
    private ServerSocketChannel listener;

    @BeforeEach
    void start() throws IOException {
        loop = LoopProvider.start();
        listener = loop.provider().openServerSocketChannel().bind(LOOPBACK);
    }

    @AfterEach
    void stop() throws IOException {
        listener.close();
        loop.close();
    }

    private SocketChannel connect() throws IOException {
        SocketChannel channel = loop.provider().openSocketChannel();
        channel.connect(listener.getLocalAddress());
        return channel;
    }

    private static long value(SocketChannel channel, String name) throws IOException {
        Long value = channel.getOption(MillraceSocketOptions.TCP_INFO).get(name);
        assertTrue(value != null, name);
        return value;
    }

    private static void exchange(SocketChannel from, SocketChannel to, int bytes) throws IOException {
        from.write(ByteBuffer.allocate(bytes));
        ByteBuffer received = ByteBuffer.allocate(bytes);
        while (received.hasRemaining()) {
            assertTrue(to.read(received) >= 0, "ended early");
        }
    }

    @Test
    void bytesAndSegmentsOfBothSidesAgree() throws IOException {
        try (SocketChannel client = connect();
                SocketChannel server = listener.accept()) {
            exchange(client, server, 1000);
            exchange(server, client, 300); // acknowledges the first
            Map<String, Long> info = client.getOption(MillraceSocketOptions.TCP_INFO);
            assertEquals(ESTABLISHED, info.get("tcpi_state"));
            assertEquals(1000, info.get("tcpi_bytes_sent"));
            assertEquals(1001, info.get("tcpi_bytes_acked"), "with the SYN");
            assertEquals(300, info.get("tcpi_bytes_received"));
            assertEquals(1, info.get("tcpi_data_segs_out"));
            assertEquals(1, info.get("tcpi_data_segs_in"));
            assertEquals(0, info.get("tcpi_unacked"));
            assertTrue(info.get("tcpi_snd_cwnd") >= 2, "RFC 6928, for the loopback's large segments");
            assertTrue(info.get("tcpi_rtt") > 0, "a round trip was measured");
            assertEquals(1000, value(server, "tcpi_bytes_received"));
            assertEquals(300, value(server, "tcpi_bytes_sent"));
        }
    }

    @Test
    void isFoundByItsNameAndPrintsAllNames() throws IOException {
        try (SocketChannel client = connect();
                SocketChannel server = listener.accept()) {
            assertTrue(server.isConnected());
            SocketOption<?> byName = client.supportedOptions().stream()
                    .filter(option -> option.name().equals("TCP_INFO"))
                    .findAny()
                    .orElseThrow();
            String text = String.valueOf(client.getOption(byName));
            assertTrue(text.startsWith("{tcpi_state=1, tcpi_ca_state=0, "), text);
            assertTrue(text.contains("tcpi_delivery_rate="), text);
            assertTrue(byName.type().isInstance(client.getOption(byName)));
        }
    }

    @Test
    void tellsOfAConnectionThatIsOver() throws IOException {
        SocketChannel client = connect();
        try (SocketChannel server = listener.accept()) {
            exchange(client, server, 10);
            server.shutdownOutput();
            assertEquals(-1, client.read(ByteBuffer.allocate(1)));
            assertEquals(CLOSE_WAIT, value(client, "tcpi_state"));
            client.close();
            assertEquals(-1, server.read(ByteBuffer.allocate(1)));
            assertEquals(CLOSED, value(server, "tcpi_state"));
            assertEquals(11, value(server, "tcpi_bytes_received"), "with the FIN");
            assertThrows(ClosedChannelException.class, () -> client.getOption(MillraceSocketOptions.TCP_INFO));
        }
    }

    @Test
    void withoutAConnectionThereIsTheStateAlone() throws IOException {
        try (SocketChannel channel = loop.provider().openSocketChannel()) {
            Map<String, Long> info = channel.getOption(MillraceSocketOptions.TCP_INFO);
            assertEquals(CLOSED, info.get("tcpi_state"));
            assertEquals(
                    CLOSED, info.values().stream().mapToLong(Long::longValue).sum());
        }
    }

    @Test
    void cannotBeSet() throws IOException {
        try (SocketChannel channel = loop.provider().openSocketChannel()) {
            SocketException refused = assertThrows(
                    SocketException.class, () -> channel.setOption(MillraceSocketOptions.TCP_INFO, Map.of()));
            assertEquals("Attempt to set read only option TCP_INFO", refused.getMessage());
        }
    }

    @Test
    void aChannelOnTheKernelHasNone() throws IOException {
        try (ServerSocketChannel foreign =
                        KernelOracle.provider().openServerSocketChannel().bind(LOOPBACK);
                SocketChannel channel = loop.provider().openSocketChannel()) {
            channel.connect(foreign.getLocalAddress());
            assertFalse(channel.supportedOptions().contains(MillraceSocketOptions.TCP_INFO));
            assertThrows(UnsupportedOperationException.class, () -> channel.getOption(MillraceSocketOptions.TCP_INFO));
        }
    }

    @Test
    void aThreadThatDoesNotSelectMayAskWhileAnotherDoes() throws Exception {
        try (SocketChannel client = connect();
                SocketChannel server = listener.accept();
                java.nio.channels.Selector selector = loop.provider().openSelector()) {
            server.configureBlocking(false);
            server.register(selector, java.nio.channels.SelectionKey.OP_READ);
            Thread selecting = Thread.ofPlatform().daemon().start(() -> {
                try {
                    selector.select();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            for (int i = 0; i < 100; i++) {
                assertEquals(ESTABLISHED, value(client, "tcpi_state"));
            }
            assertTrue(selecting.isAlive(), "nobody has written");
            selector.wakeup();
            selecting.join();
        }
    }
}
