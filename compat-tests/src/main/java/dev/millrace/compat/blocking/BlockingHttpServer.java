package dev.millrace.compat.blocking;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ThreadFactory;

/**
 * A server on blocking channels with a thread per connection, with the pages of {@link Site}:
 * {@code BlockingHttpServer --address 0.0.0.0 --port 8080 --thread platform|virtual}.
 */
public final class BlockingHttpServer implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final ThreadFactory threads;

    private BlockingHttpServer(ServerSocketChannel listener, ThreadFactory threads) {
        this.listener = listener;
        this.threads = threads;
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port", "thread"));
        InetSocketAddress address =
                new InetSocketAddress(arguments.text("address", "0.0.0.0"), arguments.number("port", 8080));
        BlockingHttpServer server = listen(address, threads(arguments.text("thread", "platform")));
        Site.announce("blocking", server.localAddress());
        server.acceptAll();
    }

    /** Opens a listener on {@code address}, accepting in a thread of the given kind, as each connection is served. */
    public static BlockingHttpServer start(InetSocketAddress address, String threadKind) throws IOException {
        BlockingHttpServer server = listen(address, threads(threadKind));
        server.threads
                .newThread(() -> {
                    try {
                        server.acceptAll();
                    } catch (IOException e) {
                        System.err.println("blocking: accept: " + e);
                    }
                })
                .start();
        return server;
    }

    private static BlockingHttpServer listen(InetSocketAddress address, ThreadFactory threads) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        listener.bind(address, 1024);
        return new BlockingHttpServer(listener, threads);
    }

    private static ThreadFactory threads(String kind) {
        return switch (kind) {
            case "platform" ->
                Thread.ofPlatform().name("connection-", 0).daemon().factory();
            case "virtual" -> Thread.ofVirtual().name("connection-", 0).factory();
            default -> throw new IllegalArgumentException("--thread '" + kind + "' is neither platform nor virtual");
        };
    }

    private void acceptAll() throws IOException {
        try {
            while (true) {
                SocketChannel channel = listener.accept();
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                threads.newThread(new Connection(channel)).start();
            }
        } catch (AsynchronousCloseException closed) {
            // The way that close() ends this loop.
            return;
        }
    }

    public InetSocketAddress localAddress() throws IOException {
        return (InetSocketAddress) listener.getLocalAddress();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
