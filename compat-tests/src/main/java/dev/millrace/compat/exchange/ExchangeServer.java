package dev.millrace.compat.exchange;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves {@link Request}s with blocking channels, a thread for each connection that is open: {@code ExchangeServer --address a --port p}. It runs until
 * it is killed; a connection that fails is a line that begins with {@code FAILED}.
 */
public final class ExchangeServer {
    private static final int BACKLOG = 1024;

    private ExchangeServer() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port"));
        try (ServerSocketChannel listener = ServerSocketChannel.open();
                ExecutorService threads = Executors.newCachedThreadPool()) {
            listener.bind(
                    new InetSocketAddress(arguments.text("address", "0.0.0.0"), arguments.number("port", 8080)),
                    BACKLOG);
            Site.announce("exchange", listener.getLocalAddress());
            while (true) {
                SocketChannel channel = listener.accept();
                threads.execute(() -> serve(channel));
            }
        }
    }

    private static void serve(SocketChannel channel) {
        try (channel) {
            Request request = Request.read(channel);
            switch (request.kind()) {
                case DOWN -> Bulk.send(channel, request.bytes());
                case UP -> {
                    String digest = Bulk.digest(channel, request.bytes());
                    Request.writeAll(channel, ByteBuffer.wrap(digest.getBytes(StandardCharsets.US_ASCII)));
                }
            }
        } catch (IOException e) {
            System.out.println("FAILED " + e);
        }
    }
}
