package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Calls from several threads at once, in rounds of bounded number: nothing hangs, is lost, or throws what it may not. */
class RaceTest extends ContractTest {
    @Test
    void registerCancelAndCloseBesideARunningSelect() throws Exception {
        Selector selector = selector();
        AtomicBoolean over = new AtomicBoolean();
        Task<Void> selecting = Task.start(() -> {
            while (!over.get()) {
                selector.select(10);
                selector.selectedKeys().clear();
            }
            return null;
        });
        List<Task<Void>> others = new ArrayList<>();
        for (int thread = 0; thread < 2; thread++) {
            others.add(Task.start(() -> {
                for (int i = 0; i < 150; i++) {
                    Pair pair = pair();
                    SelectionKey key = register(pair.client(), selector, OP_READ | OP_WRITE);
                    key.interestOps(OP_READ);
                    send(pair.server(), "x");
                    if (i % 3 == 0) {
                        key.cancel();
                    }
                    selector.wakeup();
                    pair.client().close();
                    pair.server().close();
                }
                return null;
            }));
        }
        for (Task<Void> other : others) {
            other.result();
        }
        over.set(true);
        selector.wakeup();
        selecting.result();
        selector.selectNow();
        assertEquals(0, selector.keys().size(), "every key of a closed channel is gone");
    }

    @Test
    void closeOfTheSelectorBesideSelectAndRegister() throws Exception {
        for (int i = 0; i < 100; i++) {
            Selector selector = selector();
            Pair pair = pair();
            pair.client().configureBlocking(false);
            Task<Void> selecting = Task.start(() -> {
                try {
                    while (selector.isOpen()) {
                        selector.select();
                    }
                } catch (ClosedSelectorException closed) {
                    assertTrue(!selector.isOpen());
                }
                return null;
            });
            Task<Void> registering = Task.start(() -> {
                try {
                    pair.client().register(selector, OP_READ);
                } catch (ClosedSelectorException closed) {
                    assertTrue(!selector.isOpen());
                }
                return null;
            });
            selector.close();
            selecting.result();
            registering.result();
            pair.client().close();
            pair.server().close();
        }
    }

    @Test
    void closeBesideReadAndWrite() throws Exception {
        for (int i = 0; i < 200; i++) {
            Pair pair = pair();
            Task<Void> reader = Task.start(() -> useUntilClosed(pair.client(), true));
            Task<Void> writer = Task.start(() -> useUntilClosed(pair.client(), false));
            pair.server().write(bytes("x"));
            pair.client().close();
            reader.result();
            writer.result();
            pair.server().close();
        }
    }

    /** Reads or writes until the channel is closed; an {@code AsynchronousCloseException} is a {@code ClosedChannelException} too. */
    private static Void useUntilClosed(SocketChannel channel, boolean reads) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(16);
        try {
            while (true) {
                buffer.clear();
                int count = reads ? channel.read(buffer) : channel.write(buffer);
                assertTrue(count > 0, "a blocking call returned " + count);
            }
        } catch (ClosedChannelException closed) {
            assertTrue(!channel.isOpen());
            return null;
        }
    }

    @Test
    void closeOfTheListenerBesideAccept() throws Exception {
        for (int i = 0; i < 200; i++) {
            ServerSocketChannel listener = listen();
            Task<Void> accepter = Task.start(() -> {
                try {
                    while (true) {
                        listener.accept().close();
                    }
                } catch (ClosedChannelException closed) {
                    assertTrue(!listener.isOpen());
                    return null;
                }
            });
            connect(listener).close();
            listener.close();
            accepter.result();
        }
    }

    @Test
    void interestChangesFromOtherThreadsAreNotLost() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.server(), selector, 0);
        int rounds = 3000;
        AtomicInteger received = new AtomicInteger();
        Task<Void> selecting = Task.start(() -> {
            ByteBuffer buffer = ByteBuffer.allocate(16);
            while (received.get() < rounds) {
                selector.select();
                Iterator<SelectionKey> selected = selector.selectedKeys().iterator();
                while (selected.hasNext()) {
                    assertTrue(selected.next().isReadable());
                    selected.remove();
                    key.interestOps(0);
                    buffer.clear();
                    int count = pair.server().read(buffer);
                    assertTrue(count > 0, "selected as readable, but read returned " + count);
                    received.addAndGet(count);
                }
            }
            return null;
        });
        for (int i = 1; i <= rounds; i++) {
            send(pair.client(), "x");
            key.interestOps(OP_READ);
            selector.wakeup();
            while (received.get() < i) {
                if (selecting.isDone()) {
                    selecting.result();
                }
                Thread.yield();
            }
        }
        selecting.result();
    }

    @Test
    void anEchoThroughOneSelectorFromManyThreads() throws Exception {
        Selector selector = selector();
        ServerSocketChannel listener = listen();
        register(listener, selector, SelectionKey.OP_ACCEPT);
        AtomicBoolean over = new AtomicBoolean();
        Task<Void> server = Task.start(() -> {
            while (!over.get()) {
                selector.select(key -> EchoRound.onReady(key, selector));
            }
            return null;
        });
        List<Task<Void>> clients = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            clients.add(Task.start(i % 2 == 0 ? ThreadKind.PLATFORM : ThreadKind.VIRTUAL, () -> {
                for (int connection = 0; connection < 10; connection++) {
                    try (SocketChannel client = provider.openSocketChannel()) {
                        client.connect(listener.getLocalAddress());
                        for (int round = 0; round < 50; round++) {
                            send(client, "echo" + (round % 10));
                            assertEquals("echo" + (round % 10), receive(client, 5));
                        }
                    }
                }
                return null;
            }));
        }
        for (Task<Void> client : clients) {
            client.result();
        }
        over.set(true);
        selector.wakeup();
        server.result();
    }

    @Test
    void keysAreCancelledWhileTheyAreIterated() throws Exception {
        Selector selector = selector();
        for (int i = 0; i < 100; i++) {
            List<SelectionKey> keys = new ArrayList<>();
            for (int j = 0; j < 4; j++) {
                keys.add(register(pair().client(), selector, OP_WRITE));
            }
            Task<Void> cancelling = Task.start(() -> {
                for (SelectionKey key : keys) {
                    key.cancel();
                }
                return null;
            });
            selector.select(10);
            for (SelectionKey key : selector.selectedKeys()) {
                try {
                    assertEquals(OP_WRITE, key.readyOps());
                } catch (CancelledKeyException cancelled) {
                    assertTrue(!key.isValid());
                }
            }
            cancelling.result();
            selector.selectedKeys().clear();
            selector.selectNow();
            assertEquals(0, selector.keys().size());
            closeAll(keys);
        }
    }

    private static void closeAll(List<SelectionKey> keys) throws IOException {
        for (SelectionKey key : keys) {
            key.channel().close();
        }
    }
}
