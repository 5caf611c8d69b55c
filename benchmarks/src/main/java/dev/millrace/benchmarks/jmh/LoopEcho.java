package dev.millrace.benchmarks.jmh;

import dev.millrace.provider.MillraceSelectorProvider;
import dev.millrace.provider.Runtime;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;

/**
 * Both ends of one TCP connection in one thread: 64 bytes from the client to the server and back, each end reading when the selector
 * says so. What the JVM does for one round trip, no more.
 */
public final class LoopEcho implements AutoCloseable {
    private static final int BYTES = 64;

    private final Selector selector;
    private final Set<SelectionKey> ready;
    private final SocketChannel client;
    private final SocketChannel server;
    private final ByteBuffer clientBuffer = ByteBuffer.allocateDirect(BYTES);
    private final ByteBuffer serverBuffer = ByteBuffer.allocateDirect(BYTES);
    private final SelectionKey clientKey;
    private long sequence;

    /** Over whatever that provider's loopback is. */
    public LoopEcho(SelectorProvider provider) throws IOException {
        selector = provider.openSelector();
        ready = selector.selectedKeys();
        try (ServerSocketChannel listener = provider.openServerSocketChannel()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            client = provider.openSocketChannel();
            client.connect(listener.getLocalAddress());
            server = listener.accept();
        }
        clientKey = register(client);
        register(server);
    }

    /** Over the stack's own loopback. */
    public static LoopEcho onMillrace() throws IOException {
        return new LoopEcho(new MillraceSelectorProvider());
    }

    /** Over the kernel's, with the JDK's own channels; SelectorProvider.provider() would find Millrace on this class path. */
    public static LoopEcho onKernel() throws IOException {
        Runtime runtime = new MillraceSelectorProvider().runtime();
        if (runtime == null) {
            throw new IOException("Millrace is switched off");
        }
        return new LoopEcho(runtime.kernel());
    }

    /** Class of the channels, which tells whose they are. */
    public Class<?> channelType() {
        return client.getClass();
    }

    private SelectionKey register(SocketChannel channel) throws IOException {
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        return channel.register(selector, SelectionKey.OP_READ);
    }

    /** One round trip; checks what comes back. */
    public void roundTrip() throws IOException {
        clientBuffer.clear();
        clientBuffer.putLong(0, ++sequence);
        write(client, clientBuffer);
        serverBuffer.clear();
        clientBuffer.clear();
        while (clientBuffer.hasRemaining()) {
            selector.select();
            for (SelectionKey key : ready) {
                if (key.equals(clientKey)) {
                    client.read(clientBuffer);
                } else {
                    echo();
                }
            }
            ready.clear();
        }
        if (clientBuffer.getLong(0) != sequence) {
            throw new IOException("wrong bytes came back");
        }
    }

    private void echo() throws IOException {
        server.read(serverBuffer);
        if (!serverBuffer.hasRemaining()) {
            serverBuffer.flip();
            write(server, serverBuffer);
        }
    }

    private static void write(SocketChannel channel, ByteBuffer buffer) throws IOException {
        if (channel.write(buffer) != BYTES) {
            throw new IOException("64 bytes did not fit an empty socket");
        }
    }

    @Override
    public void close() throws IOException {
        client.close();
        server.close();
        selector.close();
    }
}
