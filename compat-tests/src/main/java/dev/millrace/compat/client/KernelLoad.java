package dev.millrace.compat.client;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import dev.millrace.compat.app.Tally;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A load of bounded size from {@link Socket}s, which are the kernel's whatever the JVM's flags, with a thread per connection; each
 * answer is compared byte by byte. {@code KernelLoad --server a --port p --connections c --requests n --path /bytes/100
 * --keepalive true|false}. With keep-alive all connections are open before the first request. Prints {@link Tally#summary()}; the
 * exit code is 1 unless every request was answered rightly.
 */
public final class KernelLoad {
    private static final int TIMEOUT_MS = 60_000;

    private final InetSocketAddress server;
    private final String path;
    private final boolean keepAlive;
    private final byte[] expected;
    private final AtomicInteger left;
    private final Tally tally;
    private final CountDownLatch connected;

    private KernelLoad(InetSocketAddress server, String path, boolean keepAlive, int connections, int requests) {
        this.server = server;
        this.path = path;
        this.keepAlive = keepAlive;
        this.expected = expected(path);
        this.left = new AtomicInteger(requests);
        this.tally = new Tally(requests);
        this.connected = new CountDownLatch(connections);
    }

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments =
                Arguments.parse(args, Set.of("server", "port", "connections", "requests", "path", "keepalive"));
        int connections = arguments.number("connections", 1);
        KernelLoad load = new KernelLoad(
                new InetSocketAddress(arguments.text("server", "127.0.0.1"), arguments.number("port", 8080)),
                arguments.text("path", "/"),
                Boolean.parseBoolean(arguments.text("keepalive", "true")),
                connections,
                arguments.number("requests", 1));
        Tally tally = load.run(connections);
        System.out.println(tally.summary());
        System.exit(tally.isComplete() ? 0 : 1);
    }

    private static byte[] expected(String path) {
        if (!path.startsWith(Site.BYTES)) {
            return Site.page();
        }
        byte[] bytes = new byte[Math.toIntExact(Site.numberAfter(Site.BYTES, path))];
        Content.fill(bytes, 0, bytes.length);
        return bytes;
    }

    private Tally run(int connections) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            threads.add(Thread.ofPlatform().start(keepAlive ? this::askOnOneConnection : this::askOnManyConnections));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        return tally;
    }

    private void askOnOneConnection() {
        boolean counted = false;
        try (Socket socket = connect()) {
            connected.countDown();
            counted = true;
            connected.await();
            tally.restartClock();
            InputStream input = new BufferedInputStream(socket.getInputStream());
            while (left.getAndDecrement() > 0) {
                ask(socket, input, System.nanoTime());
            }
        } catch (IOException e) {
            tally.onError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            if (!counted) {
                connected.countDown();
            }
        }
    }

    private void askOnManyConnections() {
        while (left.getAndDecrement() > 0) {
            long startNs = System.nanoTime();
            try (Socket socket = connect()) {
                InputStream input = new BufferedInputStream(socket.getInputStream());
                ask(socket, input, startNs);
                if (input.read() != -1) {
                    tally.onError("more bytes after the answer");
                }
            } catch (IOException e) {
                tally.onError(e);
            }
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(TIMEOUT_MS);
        socket.connect(server, TIMEOUT_MS);
        return socket;
    }

    private void ask(Socket socket, InputStream input, long startNs) throws IOException {
        String request =
                "GET " + path + " HTTP/1.1\r\nHost: server\r\n" + (keepAlive ? "" : "Connection: close\r\n") + "\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        String status = readLine(input);
        int length = -1;
        for (String line = readLine(input); !line.isEmpty(); line = readLine(input)) {
            String header = line.toLowerCase(Locale.ROOT);
            if (header.startsWith("content-length:")) {
                length = Integer.parseInt(header.substring(15).trim());
            }
        }
        byte[] body = input.readNBytes(Math.max(length, 0));
        if (!status.startsWith("HTTP/1.1 200") || !Arrays.equals(body, expected)) {
            throw new IOException("wrong answer: '" + status + "' with " + body.length + " bytes");
        }
        tally.onAnswer(System.nanoTime() - startNs);
    }

    private static String readLine(InputStream input) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = input.read(); c != '\n'; c = input.read()) {
            if (c < 0) {
                throw new IOException("the server closed after '" + line + "'");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }
}
