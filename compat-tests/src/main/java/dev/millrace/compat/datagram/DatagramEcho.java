package dev.millrace.compat.datagram;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Sends every datagram back to whom it came from: {@code DatagramEcho --address 0.0.0.0 --port 7 --mode selector|blocking}. One thread.
 */
public final class DatagramEcho {
    private static final int ROOM = 1 << 16;

    private DatagramEcho() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port", "mode"));
        InetSocketAddress address =
                new InetSocketAddress(arguments.text("address", "0.0.0.0"), arguments.number("port", 7));
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.bind(address);
            Site.announce("datagram echo", channel.getLocalAddress());
            ByteBuffer buffer = ByteBuffer.allocateDirect(ROOM);
            if (arguments.text("mode", "selector").equals("blocking")) {
                echoBlocking(channel, buffer);
            } else {
                echoSelecting(channel, buffer);
            }
        }
    }

    private static void echoBlocking(DatagramChannel channel, ByteBuffer buffer) throws IOException {
        while (true) {
            SocketAddress from = channel.receive(buffer.clear());
            channel.send(buffer.flip(), from);
        }
    }

    private static void echoSelecting(DatagramChannel channel, ByteBuffer buffer) throws IOException {
        channel.configureBlocking(false);
        try (Selector selector = Selector.open()) {
            SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
            SocketAddress unanswered = null;
            while (true) {
                selector.select();
                selector.selectedKeys().clear();
                unanswered = echoAll(channel, buffer, unanswered);
                key.interestOps(unanswered == null ? SelectionKey.OP_READ : SelectionKey.OP_WRITE);
            }
        }
    }

    /** Answers all there is; returns whom the buffer could not be sent to yet. */
    private static @Nullable SocketAddress echoAll(
            DatagramChannel channel, ByteBuffer buffer, @Nullable SocketAddress unanswered) throws IOException {
        SocketAddress to = unanswered;
        while (true) {
            if (to == null) {
                to = channel.receive(buffer.clear());
                if (to == null) {
                    return null;
                }
                buffer.flip();
            }
            boolean empty = !buffer.hasRemaining();
            if (channel.send(buffer, to) == 0 && !empty) {
                return to;
            }
            to = null;
        }
    }
}
