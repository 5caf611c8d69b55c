package dev.millrace.benchmarks.echo;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A plain NIO echo server: one thread, one selector, non-blocking channels, nothing but {@code java.nio}.
 *
 * <p>{@code EchoServer <host> <port>} echoes whatever arrives on {@code port} until the peer closes; a connection to
 * {@code port + 1} gets its first {@value EchoMessage#BYTES} bytes echoed and is then closed, as an HTTP/1.0 server closes. It ends when its
 * standard input ends.
 */
public final class EchoServer {
    private static final int BUFFER_BYTES = 64 << 10;
    private static final int BACKLOG = 1024;

    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private volatile boolean stopping;

    private EchoServer(Selector selector) {
        this.selector = selector;
    }

    /** What is known about one connection. */
    private static final class Session {
        final boolean single;
        int received;
        /** Bytes that the socket has not taken yet, or null; while there are some, nothing more is read. */
        @Nullable
        ByteBuffer unsent;

        Session(boolean single) {
            this.single = single;
        }
    }

    public static void main(String[] args) throws IOException {
        String host = args[0];
        int port = Integer.parseInt(args[1]);
        try (Selector selector = Selector.open();
                ServerSocketChannel lasting = listen(host, port);
                ServerSocketChannel single = listen(host, port + 1)) {
            lasting.register(selector, SelectionKey.OP_ACCEPT, false);
            single.register(selector, SelectionKey.OP_ACCEPT, true);
            EchoServer server = new EchoServer(selector);
            Thread.ofPlatform().daemon().name("stdin").start(server::stopAtEndOfInput);
            System.out.println("ready");
            server.serve();
        }
    }

    private static ServerSocketChannel listen(String host, int port) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open();
        listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        listener.bind(new InetSocketAddress(host, port), BACKLOG);
        listener.configureBlocking(false);
        return listener;
    }

    private void stopAtEndOfInput() {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            stopping = true;
            selector.wakeup();
        }
    }

    private void serve() throws IOException {
        Set<SelectionKey> ready = selector.selectedKeys();
        while (!stopping) {
            selector.select();
            for (SelectionKey key : ready) {
                if (key.isAcceptable()) {
                    accept(key);
                } else {
                    echo(key);
                }
            }
            ready.clear();
        }
        for (SelectionKey key : selector.keys()) {
            key.channel().close();
        }
    }

    private void accept(SelectionKey key) throws IOException {
        ServerSocketChannel listener = (ServerSocketChannel) key.channel();
        boolean single = (Boolean) key.attachment();
        for (SocketChannel channel = listener.accept(); channel != null; channel = listener.accept()) {
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.register(selector, SelectionKey.OP_READ, new Session(single));
        }
    }

    private void echo(SelectionKey key) throws IOException {
        SocketChannel channel = (SocketChannel) key.channel();
        Session session = (Session) key.attachment();
        try {
            if (session.unsent != null) {
                flush(key, channel, session, session.unsent);
                return;
            }
            buffer.clear();
            int count = channel.read(buffer);
            if (count < 0) {
                channel.close();
                return;
            }
            buffer.flip();
            session.received += count;
            channel.write(buffer);
            if (buffer.hasRemaining()) {
                ByteBuffer rest = ByteBuffer.allocateDirect(buffer.remaining()).put(buffer);
                session.unsent = rest.flip();
                key.interestOps(SelectionKey.OP_WRITE);
            } else {
                closeIfDone(channel, session);
            }
        } catch (IOException e) {
            System.err.println("connection lost: " + e);
            channel.close();
        }
    }

    private void flush(SelectionKey key, SocketChannel channel, Session session, ByteBuffer unsent) throws IOException {
        channel.write(unsent);
        if (!unsent.hasRemaining()) {
            session.unsent = null;
            key.interestOps(SelectionKey.OP_READ);
            closeIfDone(channel, session);
        }
    }

    private static void closeIfDone(SocketChannel channel, Session session) throws IOException {
        if (session.single && session.received >= EchoMessage.BYTES) {
            channel.close();
        }
    }
}
