package dev.millrace.provider.agent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.nio.charset.StandardCharsets;

/** An application without any reference to Millrace: says which provider it got, and sends a word through a socket and a
 * pipe. With the argument {@code start} it does nothing, with {@code hold} it waits for its input to end. */
public final class Probe {
    private Probe() {}

    public static void main(String[] arguments) throws IOException {
        switch (arguments.length == 0 ? "" : arguments[0]) {
            case "start" -> {}
            case "hold" -> {
                System.out.println("holding");
                System.in.read(); // until the test closes it
            }
            case "ignore" -> ignore(Integer.parseInt(arguments[1]));
            case "take" -> take(Integer.parseInt(arguments[1]));
            case "give" -> give(arguments[1], Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
            default -> converse();
        }
    }

    /** Accepts one connection and never reads from it. */
    private static void ignore(int port) throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(port))) {
            System.out.println("listening");
            SocketChannel peer = listener.accept();
            System.in.read(); // until the test closes it
            peer.close();
        }
    }

    /** Reads one connection to its end. */
    private static void take(int port) throws IOException {
        try (ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress(port))) {
            System.out.println("listening");
            try (SocketChannel peer = listener.accept()) {
                ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
                long total = 0;
                int count;
                while ((count = peer.read(buffer.clear())) >= 0) {
                    total += count;
                }
                System.out.println("end after " + total);
            }
        }
    }

    /** Writes so many bytes and ends the JVM without closing anything. */
    private static void give(String host, int port, int bytes) throws IOException {
        SocketChannel peer = SocketChannel.open(new InetSocketAddress(InetAddress.ofLiteral(host), port));
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining()) {
            peer.write(buffer);
        }
        System.exit(0);
    }

    private static void converse() throws IOException {
        System.out.println("provider " + SelectorProvider.provider().getClass().getName());
        System.out.println("sockets " + throughSockets());
        System.out.println("pipe " + throughPipe());
        System.out.println("internals " + seesInternals());
    }

    private static String throughSockets() throws IOException {
        try (ServerSocketChannel listener =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            try (SocketChannel client = SocketChannel.open(listener.getLocalAddress());
                    SocketChannel server = listener.accept()) {
                client.write(ByteBuffer.wrap("word".getBytes(StandardCharsets.UTF_8)));
                ByteBuffer received = ByteBuffer.allocate(4);
                while (received.hasRemaining() && server.read(received) >= 0) {}
                return new String(received.array(), StandardCharsets.UTF_8);
            }
        }
    }

    private static String throughPipe() throws IOException {
        Pipe pipe = Pipe.open();
        try (Selector selector = Selector.open();
                var source = pipe.source();
                var sink = pipe.sink()) {
            source.configureBlocking(false);
            source.register(selector, SelectionKey.OP_READ);
            sink.write(ByteBuffer.wrap(new byte[] {'w'}));
            return selector.select(10_000) == 1 ? "ready" : "not ready";
        }
    }

    /** The agent must not open the JDK to the application. */
    private static boolean seesInternals() {
        Module base = Object.class.getModule();
        return base.isExported("sun.nio.ch", Probe.class.getModule())
                || base.isOpen("java.lang", Probe.class.getModule());
    }
}
