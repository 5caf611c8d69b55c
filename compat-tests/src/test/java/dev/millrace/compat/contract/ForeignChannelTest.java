package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_ACCEPT;
import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Channels that are always the JDK's, in one selector with TCP channels of the provider under test. */
class ForeignChannelTest extends ContractTest {
    @TempDir
    Path directory;

    @Test
    void pipesAreSelectedBesideConnections() throws Exception {
        Selector selector = selector();
        Pipe pipe = provider.openPipe();
        closing(pipe.sink());
        SelectionKey pipeKey = register(closing(pipe.source()), selector, OP_READ);
        Pair pair = pair();
        SelectionKey tcpKey = register(pair.server(), selector, OP_READ);
        assertEquals(0, selector.selectNow());
        pipe.sink().write(bytes("p"));
        awaitReady(pipeKey, OP_READ);
        send(pair.client(), "t");
        awaitReady(tcpKey, OP_READ);
        assertEquals(2, selector.selectedKeys().size());
    }

    @Test
    void bothKindsEndOneSelect() throws Exception {
        Selector selector = selector();
        Pipe pipe = provider.openPipe();
        closing(pipe.sink());
        register(closing(pipe.source()), selector, OP_READ);
        Pair pair = pair();
        register(pair.server(), selector, OP_READ);
        for (int i = 0; i < 100; i++) {
            Task<Integer> selecting = Task.start(() -> selector.select()).awaitBlocked();
            if (i % 2 == 0) {
                pipe.sink().write(bytes("p"));
            } else {
                send(pair.client(), "t");
            }
            assertEquals(1, selecting.result());
            SelectionKey ready = selector.selectedKeys().iterator().next();
            assertEquals(i % 2 == 0 ? pipe.source() : pair.server(), ready.channel());
            ((java.nio.channels.ReadableByteChannel) ready.channel()).read(ByteBuffer.allocate(1));
            selector.selectedKeys().clear();
        }
    }

    @Test
    void unixDomainChannelsWork() throws Exception {
        Selector selector = selector();
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("socket"));
        try (ServerSocketChannel listener = provider.openServerSocketChannel(StandardProtocolFamily.UNIX);
                SocketChannel client = provider.openSocketChannel(StandardProtocolFamily.UNIX)) {
            listener.bind(address);
            SelectionKey accept = register(listener, selector, OP_ACCEPT);
            client.connect(address);
            awaitReady(accept, OP_ACCEPT);
            try (SocketChannel server = listener.accept()) {
                assertNotNull(server);
                SelectionKey read = register(server, selector, OP_READ);
                send(client, "unix");
                awaitReady(read, OP_READ);
                assertEquals(4, server.read(ByteBuffer.allocate(10)));
            }
        }
    }

    @Test
    void connectionsToKernelSocketsWork() throws Exception {
        Selector selector = selector();
        try (ServerSocket kernel = new ServerSocket(0, 1, loopback());
                SocketChannel client = provider.openSocketChannel()) {
            client.connect(new InetSocketAddress(loopback(), kernel.getLocalPort()));
            SelectionKey key = register(client, selector, OP_READ | OP_WRITE);
            awaitReady(key, OP_WRITE);
            assertEquals(OP_WRITE, key.readyOps());
            key.interestOps(OP_READ);
            selector.selectedKeys().clear();
            try (Socket peer = kernel.accept()) {
                peer.getOutputStream().write(bytes("kernel").array());
                awaitReady(key, OP_READ);
                ByteBuffer buffer = ByteBuffer.allocate(10);
                assertEquals(6, client.read(buffer));
                client.write(buffer.flip());
                assertEquals(6, peer.getInputStream().readNBytes(6).length);
            }
            selector.selectedKeys().clear();
            awaitReady(key, OP_READ);
            assertEquals(-1, client.read(ByteBuffer.allocate(1)));
            key.cancel();
            selector.selectNow();
            client.configureBlocking(true);
            assertTrue(client.isBlocking());
        }
    }

    @Test
    void channelsOfTheJdksProviderAreTaken() throws Exception {
        Selector selector = selector();
        Pipe pipe = Subject.jdk().openPipe();
        closing(pipe.sink());
        SelectionKey key = register(closing(pipe.source()), selector, OP_READ);
        assertSame(key, pipe.source().keyFor(selector));
        pipe.sink().write(bytes("x"));
        awaitReady(key, OP_READ);
        key.cancel();
        selector.selectNow();
        pipe.source().configureBlocking(true);
        assertEquals(1, pipe.source().read(ByteBuffer.allocate(1)));
    }

    @Test
    void thereIsNoInheritedChannel() throws Exception {
        assertEquals(Subject.jdk().inheritedChannel(), provider.inheritedChannel());
    }
}
