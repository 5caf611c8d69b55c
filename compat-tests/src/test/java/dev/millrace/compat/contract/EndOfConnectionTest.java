package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_READ;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.junit.jupiter.api.Test;

/** Half-close, close and reset, as both ends see them. */
class EndOfConnectionTest extends ContractTest {
    @Test
    void shutdownOutputEndsThePeersStreamOnly() throws Exception {
        Pair pair = pair();
        send(pair.client(), "last words");
        pair.client().shutdownOutput();
        pair.client().shutdownOutput();
        assertEquals("last words", receive(pair.server(), 100));
        assertEquals(-1, pair.server().read(ByteBuffer.allocate(1)));
        assertEquals(-1, pair.server().read(ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, () -> pair.client().write(ByteBuffer.allocate(1)));
        send(pair.server(), "the other way is open");
        assertEquals("the other", receive(pair.client(), 9));
        assertTrue(pair.client().isOpen());
        assertTrue(pair.client().socket().isOutputShutdown());
    }

    @Test
    void shutdownInputReadsTheEnd() throws Exception {
        Pair pair = pair();
        pair.client().shutdownInput();
        assertEquals(-1, pair.client().read(ByteBuffer.allocate(1)));
        send(pair.client(), "still writable");
        assertEquals("still", receive(pair.server(), 5));
        assertTrue(pair.client().socket().isInputShutdown());
    }

    @Test
    void dataBeforeCloseArrives() throws Exception {
        Pair pair = pair();
        ByteBuffer bytes = ByteBuffer.allocate(1 << 20);
        Task<Void> writer = Task.start(() -> {
            while (bytes.hasRemaining()) {
                pair.client().write(bytes);
            }
            pair.client().close();
            return null;
        });
        drain(pair.server(), 1 << 20);
        assertEquals(-1, pair.server().read(ByteBuffer.allocate(1)));
        writer.result();
    }

    @Test
    void closeSendsTheEndEvenWhileRegistered() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.client(), selector, OP_READ);
        pair.client().close();
        assertEquals(-1, pair.server().read(ByteBuffer.allocate(1)), "before the selector was run again");
        assertFalse(key.isValid());
    }

    @Test
    void lingerZeroResets() throws Exception {
        Pair pair = pair();
        pair.client().setOption(StandardSocketOptions.SO_LINGER, 0);
        pair.client().close();
        assertReset(pair.server());
    }

    @Test
    void closeWithUnreadDataResets() throws Exception {
        Pair pair = pair();
        send(pair.server(), "never read");
        assertEquals("never", receive(pair.client(), 5), "the rest came with it");
        pair.client().close();
        assertReset(pair.server());
    }

    private static void assertReset(SocketChannel channel) {
        SocketException first = assertThrows(SocketException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertEquals("Connection reset", first.getMessage());
        SocketException second = assertThrows(SocketException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertEquals("Connection reset", second.getMessage(), "a reset is reported again and again");
        assertTrue(channel.isOpen());
    }

    @Test
    void aResetEndsARead() throws Exception {
        Pair pair = pair();
        Task<Integer> reader =
                Task.start(() -> pair.server().read(ByteBuffer.allocate(1))).awaitBlocked();
        pair.client().setOption(StandardSocketOptions.SO_LINGER, 0);
        pair.client().close();
        assertEquals("Connection reset", reader.failure(SocketException.class).getMessage());
    }

    @Test
    void writingToAClosedPeerFails() throws Exception {
        Pair pair = pair();
        pair.client().close();
        IOException failure = assertThrows(IOException.class, () -> {
            // The first bytes are taken, and answered with a reset; only then can a write fail.
            while (true) {
                pair.server().write(bytes("into the void"));
            }
        });
        assertTrue(
                "Broken pipe".equals(failure.getMessage()) || "Connection reset by peer".equals(failure.getMessage()),
                failure.toString());
    }

    @Test
    void lingerWaitsForTheDataToBeTaken() throws Exception {
        Pair pair = pair();
        pair.client().setOption(StandardSocketOptions.SO_LINGER, 30);
        pair.client().configureBlocking(false);
        long sent = fill(pair.client());
        pair.client().configureBlocking(true);
        Task<Void> closer = Task.start(() -> {
            pair.client().close();
            return null;
        });
        drain(pair.server(), sent);
        assertEquals(-1, pair.server().read(ByteBuffer.allocate(1)));
        closer.result();
    }

    @Test
    void closingAListenerResetsWhatWasNotAccepted() throws Exception {
        var listener = listen();
        SocketChannel client = connect(listener);
        listener.close();
        assertReset(client);
    }

    @Test
    void closeIsIdempotent() throws Exception {
        Pair pair = pair();
        pair.client().close();
        pair.client().close();
        assertFalse(pair.client().isOpen());
        assertFalse(pair.client().isConnected() && pair.client().isOpen());
        assertThrows(ClosedChannelException.class, () -> pair.client().write(ByteBuffer.allocate(1)));
    }

    @Test
    void thousandsOfShortConnectionsLeaveNothingBehind() throws Exception {
        var listener = listen();
        Selector selector = selector();
        for (int i = 0; i < 3000; i++) {
            SocketChannel client = connect(listener);
            SocketChannel server = listener.accept();
            register(server, selector, OP_READ);
            client.close();
            server.close();
            if (i % 100 == 0) {
                selector.selectNow();
            }
        }
        selector.selectNow();
        assertTrue(selector.keys().isEmpty());
    }
}
