package dev.millrace.compat.exchange;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Content;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Asks an {@link ExchangeServer}: a bulk of bytes down, one up, then short connections of {@value #SHORT_BYTES} bytes, {@value #AT_ONCE} at a time. Every byte is
 * compared. {@code ExchangeClient --server a --port p --down bytes --up bytes --short connections}. Prints {@code down=…s up=…s short=…s} and what failed; the exit code is 1 if
 * anything did.
 */
public final class ExchangeClient {
    private static final int SHORT_BYTES = 1000;
    private static final int AT_ONCE = 16;
    private static final int FAILURES_SHOWN = 5;

    private final InetSocketAddress server;
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();

    private ExchangeClient(InetSocketAddress server) {
        this.server = server;
    }

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments = Arguments.parse(args, Set.of("server", "port", "down", "up", "short"));
        ExchangeClient client = new ExchangeClient(
                new InetSocketAddress(arguments.text("server", "127.0.0.1"), arguments.number("port", 8080)));
        long down = Long.parseLong(arguments.text("down", "1000000"));
        long up = Long.parseLong(arguments.text("up", "1000000"));
        int connections = arguments.number("short", 100);
        long[] times = {System.nanoTime(), 0, 0, 0};
        client.attempt("download", () -> client.download(down));
        times[1] = System.nanoTime();
        client.attempt("upload", () -> client.upload(up));
        times[2] = System.nanoTime();
        client.shortConnections(connections);
        times[3] = System.nanoTime();
        System.out.printf(
                Locale.ROOT,
                "down=%.2fs up=%.2fs short=%.2fs%n",
                (times[1] - times[0]) / 1e9,
                (times[2] - times[1]) / 1e9,
                (times[3] - times[2]) / 1e9);
        if (!client.failures.isEmpty()) {
            System.out.println(client.failures.size() + " failures: "
                    + String.join(
                            "; ", client.failures.stream().limit(FAILURES_SHOWN).toList()));
        }
        System.exit(client.failures.isEmpty() ? 0 : 1);
    }

    /** Something that uses a connection. */
    @FunctionalInterface
    private interface Exchange {
        void run() throws IOException;
    }

    private void attempt(String what, Exchange exchange) {
        try {
            exchange.run();
        } catch (IOException e) {
            failures.add(what + ": " + e);
        }
    }

    private SocketChannel ask(Request request) throws IOException {
        SocketChannel channel = SocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.connect(server);
            request.write(channel);
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private void download(long bytes) throws IOException {
        try (SocketChannel channel = ask(new Request(Request.Kind.DOWN, bytes))) {
            compare(bytes, Bulk.digest(channel, bytes));
            Bulk.expectEnd(channel);
        }
    }

    private void upload(long bytes) throws IOException {
        try (SocketChannel channel = ask(new Request(Request.Kind.UP, bytes))) {
            Bulk.send(channel, bytes);
            ByteBuffer answer = ByteBuffer.allocate(64);
            Request.readAll(channel, answer);
            compare(bytes, StandardCharsets.US_ASCII.decode(answer.flip()).toString());
            Bulk.expectEnd(channel);
        }
    }

    private static void compare(long bytes, String digest) throws IOException {
        if (!digest.equals(Content.sha256(bytes))) {
            throw new IOException("the " + bytes + " bytes that arrived are not those that were sent");
        }
    }

    private void shortConnections(int count) throws InterruptedException {
        AtomicInteger left = new AtomicInteger(count);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < Math.min(AT_ONCE, count); i++) {
            threads.add(Thread.ofPlatform().start(() -> {
                for (int number = left.decrementAndGet(); number >= 0; number = left.decrementAndGet()) {
                    int odd = number % 2;
                    attempt("short connection", odd == 0 ? () -> download(SHORT_BYTES) : () -> upload(SHORT_BYTES));
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
