package dev.millrace.compat.contract;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What every class of the contract suite has: the provider under test, connections made of its channels, and their end. */
@ParameterizedClass(name = "{0}")
@EnumSource(Subject.class)
abstract class ContractTest {
    /** Unread bytes that no socket buffer holds, so that a writer must wait for a reader. */
    static final int MORE_THAN_BUFFERS = 64 << 20;

    @Parameter
    Subject subject;

    SelectorProvider provider;

    private static Subject.Running running;

    private final Deque<AutoCloseable> resources = new ConcurrentLinkedDeque<>();

    /** The two ends of a connection, both blocking. */
    record Pair(SocketChannel client, SocketChannel server) {}

    /** One stack for all tests of a class: what one leaves behind, another would meet. */
    @BeforeParameterizedClassInvocation
    static void start(Subject subject) throws IOException {
        running = subject.start();
    }

    @AfterParameterizedClassInvocation
    static void stop() throws Exception {
        running.end().close();
    }

    @BeforeEach
    void takeProvider() {
        provider = running.provider();
    }

    @AfterEach
    void closeResources() throws Exception {
        while (!resources.isEmpty()) {
            resources.pop().close();
        }
    }

    /** Closes {@code resource} when the test has ended. */
    <T extends AutoCloseable> T closing(T resource) {
        resources.push(resource);
        return resource;
    }

    static InetAddress loopback() {
        return InetAddress.getLoopbackAddress();
    }

    /** An address on which nobody listens: that of a listener that has just been closed. */
    InetSocketAddress deadAddress() throws IOException {
        try (ServerSocketChannel gone = provider.openServerSocketChannel()) {
            gone.bind(new InetSocketAddress(loopback(), 0));
            return (InetSocketAddress) gone.getLocalAddress();
        }
    }

    ServerSocketChannel listen() throws IOException {
        ServerSocketChannel listener = closing(provider.openServerSocketChannel());
        listener.bind(new InetSocketAddress(loopback(), 0));
        return listener;
    }

    SocketChannel open() throws IOException {
        return closing(provider.openSocketChannel());
    }

    SocketChannel connect(ServerSocketChannel listener) throws IOException {
        SocketChannel client = open();
        client.connect(listener.getLocalAddress());
        return client;
    }

    Pair pair() throws IOException {
        ServerSocketChannel listener = listen();
        SocketChannel client = connect(listener);
        SocketChannel server = closing(listener.accept());
        listener.close();
        return new Pair(client, server);
    }

    Selector selector() throws IOException {
        return closing(provider.openSelector());
    }

    static SelectionKey register(SelectableChannel channel, Selector selector, int ops) throws IOException {
        channel.configureBlocking(false);
        return channel.register(selector, ops);
    }

    /** Selects until {@code key} is selected with all of {@code ops}; the suite's timeout bounds it. */
    static void awaitReady(SelectionKey key, int ops) throws IOException {
        Selector selector = key.selector();
        while (!selector.selectedKeys().contains(key) || (key.readyOps() & ops) != ops) {
            selector.select();
        }
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    static void send(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = bytes(text);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Reads exactly so many bytes from a blocking channel, fewer only at the end of the stream. */
    static String receive(SocketChannel channel, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        int read = 0;
        while (buffer.hasRemaining() && read >= 0) {
            read = channel.read(buffer);
        }
        return StandardCharsets.UTF_8.decode(buffer.flip()).toString();
    }

    /** Writes to a non-blocking channel until it takes no more; returns the number of bytes it took. */
    static long fill(SocketChannel channel) throws IOException {
        ByteBuffer piece = ByteBuffer.allocateDirect(64 * 1024);
        long total = 0;
        for (int written = channel.write(piece); written > 0; written = channel.write(piece.clear())) {
            total += written;
        }
        return total;
    }

    /** Reads so many bytes from a channel of either mode, and drops them. */
    static void drain(SocketChannel channel, long count) throws IOException {
        ByteBuffer piece = ByteBuffer.allocateDirect(64 * 1024);
        long left = count;
        while (left > 0) {
            piece.clear().limit((int) Math.min(left, piece.capacity()));
            int read = channel.read(piece);
            if (read < 0) {
                throw new IOException("the stream ended " + left + " bytes early");
            }
            if (read == 0) {
                Thread.onSpinWait();
            }
            left -= read;
        }
    }
}
