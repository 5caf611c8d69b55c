package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_ACCEPT;
import static java.nio.channels.SelectionKey.OP_CONNECT;
import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What makes a key ready: level-triggered, in the JDK's way. */
class ReadinessTest extends ContractTest {
    @Test
    void aNewConnectionIsWritableAndNotReadable() throws Exception {
        Selector selector = selector();
        SelectionKey key = register(pair().server(), selector, OP_READ | OP_WRITE);
        assertEquals(1, selector.select());
        assertEquals(OP_WRITE, key.readyOps());
        assertTrue(key.isWritable());
        assertFalse(key.isReadable());
    }

    @Test
    void unreadDataStaysReady() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.server(), selector, OP_READ);
        send(pair.client(), "ab");
        for (int i = 0; i < 3; i++) {
            selector.selectedKeys().clear();
            assertEquals(1, selector.select(), "again, since nothing was read");
        }
        assertEquals(1, pair.server().read(ByteBuffer.allocate(1)));
        selector.selectedKeys().clear();
        assertEquals(1, selector.select(), "again, since one byte is left");
        assertEquals(1, pair.server().read(ByteBuffer.allocate(1)));
        selector.selectedKeys().clear();
        assertEquals(0, selector.selectNow());
        assertEquals(0, pair.server().read(ByteBuffer.allocate(1)));
        send(pair.client(), "c");
        awaitReady(key, OP_READ);
    }

    @Test
    void theEndOfTheStreamStaysReady() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        register(pair.server(), selector, OP_READ);
        pair.client().close();
        for (int i = 0; i < 3; i++) {
            assertEquals(1, selector.select());
            selector.selectedKeys().clear();
            assertEquals(-1, pair.server().read(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void aResetSetsEveryInterest() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        pair.server().configureBlocking(false);
        fill(pair.server());
        SelectionKey key = register(pair.server(), selector, OP_READ | OP_WRITE);
        pair.client().setOption(StandardSocketOptions.SO_LINGER, 0);
        pair.client().close();
        awaitReady(key, OP_READ | OP_WRITE);
        assertThrows(IOException.class, () -> pair.server().read(ByteBuffer.allocate(1)));
    }

    @Test
    void writableEndsWhenTheBuffersAreFullAndReturnsWhenThePeerReads() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.client(), selector, OP_WRITE);
        awaitReady(key, OP_WRITE);
        long sent = fillCompletely(pair.client(), selector);
        selector.selectedKeys().clear();
        assertEquals(0, selector.selectNow());
        Task<Void> reader = Task.start(() -> {
            drain(pair.server(), sent);
            return null;
        });
        awaitReady(key, OP_WRITE);
        reader.result();
        assertTrue(fill(pair.client()) > 0);
    }

    /** Writes until the channel stays unwritable: what is on its way to the peer's buffer may make room for a while. */
    private static long fillCompletely(SocketChannel channel, Selector selector) throws IOException {
        long total = 0;
        long more;
        do {
            more = fill(channel);
            total += more;
            selector.selectedKeys().clear();
        } while (more > 0 || selector.select(100) > 0);
        return total;
    }

    @Test
    void aListenerIsReadyWhileConnectionsWait() throws Exception {
        Selector selector = selector();
        ServerSocketChannel listener = listen();
        SelectionKey key = register(listener, selector, OP_ACCEPT);
        assertNull(listener.accept());
        connect(listener);
        connect(listener);
        for (int i = 0; i < 2; i++) {
            awaitReady(key, OP_ACCEPT);
            assertTrue(key.isAcceptable());
            assertNotNull(closing(listener.accept()));
            selector.selectedKeys().clear();
        }
        assertNull(listener.accept());
        assertEquals(0, selector.selectNow());
    }

    @Test
    void connectIsReadyOnlyWhileItIsPending() throws Exception {
        Selector selector = selector();
        ServerSocketChannel listener = listen();
        SocketChannel client = open();
        client.configureBlocking(false);
        if (!client.connect(listener.getLocalAddress())) {
            assertTrue(client.isConnectionPending());
            SelectionKey key = client.register(selector, OP_CONNECT);
            awaitReady(key, OP_CONNECT);
            assertTrue(key.isConnectable());
            assertTrue(client.finishConnect());
            assertFalse(client.isConnectionPending());
            key.interestOps(OP_WRITE);
            selector.selectedKeys().clear();
            awaitReady(key, OP_WRITE);
            assertEquals(OP_WRITE, key.readyOps());
        }
        assertTrue(client.isConnected());
        assertTrue(client.finishConnect(), "once connected it says so again");
    }

    @Test
    void withoutInterestNothingIsReady() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.server(), selector, 0);
        send(pair.client(), "x");
        pair.client().close();
        assertEquals(0, selector.select(50));
        key.interestOps(OP_READ);
        assertEquals(1, selector.select());
    }

    @Test
    void idleConnectionsCauseNoEarlyReturn() throws Exception {
        Selector selector = selector();
        for (int i = 0; i < 50; i++) {
            Pair pair = pair();
            register(pair.client(), selector, OP_READ);
            register(pair.server(), selector, OP_READ);
        }
        for (int i = 0; i < 3; i++) {
            long startNs = System.nanoTime();
            assertEquals(0, selector.select(100));
            long waitedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            assertTrue(waitedMs >= 99, "waited " + waitedMs + " ms");
        }
    }
}
