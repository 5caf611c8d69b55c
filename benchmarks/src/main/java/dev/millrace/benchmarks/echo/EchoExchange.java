package dev.millrace.benchmarks.echo;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/** One connection of the client and the message it has under way. */
final class EchoExchange {
    private final long id;
    /** Whether the server closes after one exchange, which is then part of the exchange. */
    private final boolean single;

    private final ByteBuffer out = ByteBuffer.allocateDirect(EchoMessage.BYTES);
    private final ByteBuffer in = ByteBuffer.allocateDirect(EchoMessage.BYTES + 1);
    private long count;
    private SocketChannel channel;

    EchoExchange(long id, boolean single, Selector selector, InetSocketAddress server) throws IOException {
        this.id = id;
        this.single = single;
        this.channel = open(selector, server);
    }

    /** Begins a new connection in place of a closed one. */
    void connect(Selector selector, InetSocketAddress server) throws IOException {
        channel = open(selector, server);
    }

    private SocketChannel open(Selector selector, InetSocketAddress server) throws IOException {
        SocketChannel opened = SocketChannel.open();
        opened.configureBlocking(false);
        opened.setOption(StandardSocketOptions.TCP_NODELAY, true);
        SelectionKey key = opened.register(selector, SelectionKey.OP_CONNECT, this);
        channel = opened;
        if (opened.connect(server)) {
            send(key);
        }
        return opened;
    }

    /** Goes on with the exchange; true when it is complete. */
    boolean onReady(SelectionKey key) throws IOException {
        if (key.isConnectable()) {
            if (channel.finishConnect()) {
                send(key);
            }
            return false;
        }
        if (out.hasRemaining()) {
            write(key);
            return false;
        }
        return receive();
    }

    /** Sends the next message. */
    void send(SelectionKey key) throws IOException {
        EchoMessage.fill(out, id, ++count);
        in.clear();
        write(key);
    }

    private void write(SelectionKey key) throws IOException {
        channel.write(out);
        int interest = out.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ;
        if (key.interestOps() != interest) {
            key.interestOps(interest);
        }
    }

    private boolean receive() throws IOException {
        boolean ended = channel.read(in) < 0;
        int received = in.position();
        if (received > EchoMessage.BYTES) {
            throw new IOException("more was echoed than sent");
        }
        if (ended && (received < EchoMessage.BYTES || !single)) {
            throw new EOFException("the server closed after " + received + " bytes");
        }
        boolean complete = single ? ended : received == EchoMessage.BYTES;
        if (complete && !EchoMessage.matches(in, id, count)) {
            throw new IOException("connection " + id + ", exchange " + count + ": the echoed bytes are wrong");
        }
        return complete;
    }

    void close() throws IOException {
        channel.close();
    }
}
