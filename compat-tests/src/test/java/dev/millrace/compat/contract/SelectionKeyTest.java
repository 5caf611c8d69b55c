package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_ACCEPT;
import static java.nio.channels.SelectionKey.OP_CONNECT;
import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Iterator;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Registration, interest sets, cancellation, and the selector's key sets. */
class SelectionKeyTest extends ContractTest {
    @Test
    void aKeyKnowsWhatItWasMadeOf() throws Exception {
        Selector selector = selector();
        SocketChannel channel = pair().client();
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector, OP_READ, "attachment");
        assertSame(channel, key.channel());
        assertSame(selector, key.selector());
        assertSame("attachment", key.attachment());
        assertEquals(OP_READ, key.interestOps());
        assertEquals(0, key.readyOps());
        assertTrue(key.isValid());
        assertTrue(channel.isRegistered());
        assertSame(key, channel.keyFor(selector));
        assertEquals(Set.of(key), selector.keys());
        assertSame(provider, selector.provider());
        assertSame(provider, channel.provider());
    }

    @Test
    void registeringAgainChangesTheKey() throws Exception {
        Selector selector = selector();
        SocketChannel channel = pair().client();
        SelectionKey key = register(channel, selector, OP_READ);
        assertSame(key, channel.register(selector, OP_WRITE, "second"));
        assertEquals(OP_WRITE, key.interestOps());
        assertEquals("second", key.attachment());
    }

    @Test
    void severalSelectorsShareAChannel() throws Exception {
        Pair pair = pair();
        SelectionKey first = register(pair.client(), selector(), OP_READ);
        SelectionKey second = register(pair.client(), selector(), OP_READ);
        assertNotSame(first, second);
        send(pair.server(), "x");
        awaitReady(first, OP_READ);
        awaitReady(second, OP_READ);
        second.cancel();
        second.selector().selectNow();
        first.selector().selectedKeys().clear();
        awaitReady(first, OP_READ);
        assertTrue(pair.client().isRegistered());
    }

    @Test
    void wrongRegistrationsAreRefused() throws Exception {
        Selector selector = selector();
        SocketChannel channel = pair().client();
        assertThrows(IllegalBlockingModeException.class, () -> channel.register(selector, OP_READ));
        channel.configureBlocking(false);
        assertThrows(IllegalArgumentException.class, () -> channel.register(selector, OP_ACCEPT));
        assertThrows(IllegalArgumentException.class, () -> channel.register(selector, 2));
        ServerSocketChannel listener = listen();
        listener.configureBlocking(false);
        assertThrows(IllegalArgumentException.class, () -> listener.register(selector, OP_READ));
        assertEquals(OP_ACCEPT, listener.validOps());
        assertEquals(OP_CONNECT | OP_READ | OP_WRITE, channel.validOps());
        channel.close();
        assertThrows(ClosedChannelException.class, () -> channel.register(selector, OP_READ));
    }

    @Test
    void aRegisteredChannelCannotBlock() throws Exception {
        SocketChannel channel = pair().client();
        SelectionKey key = register(channel, selector(), OP_READ);
        assertThrows(IllegalBlockingModeException.class, () -> channel.configureBlocking(true));
        key.cancel();
        key.selector().selectNow();
        channel.configureBlocking(true);
        assertTrue(channel.isBlocking());
    }

    @Test
    void interestIsChecked() throws Exception {
        SelectionKey key = register(pair().client(), selector(), 0);
        assertThrows(IllegalArgumentException.class, () -> key.interestOps(OP_ACCEPT));
        assertEquals(0, key.interestOpsOr(OP_READ | OP_WRITE));
        assertEquals(OP_READ | OP_WRITE, key.interestOpsAnd(~OP_WRITE));
        assertEquals(OP_READ, key.interestOps());
        assertThrows(IllegalArgumentException.class, () -> key.interestOpsOr(OP_ACCEPT));
    }

    @Test
    void cancellationWaitsForTheNextSelection() throws Exception {
        Selector selector = selector();
        SocketChannel channel = pair().client();
        SelectionKey key = register(channel, selector, OP_WRITE);
        awaitReady(key, OP_WRITE);
        key.cancel();
        key.cancel();
        assertFalse(key.isValid());
        assertTrue(selector.keys().contains(key));
        assertTrue(channel.isRegistered());
        assertThrows(CancelledKeyException.class, () -> channel.register(selector, OP_READ));
        assertThrows(CancelledKeyException.class, key::interestOps);
        assertThrows(CancelledKeyException.class, () -> key.interestOps(0));
        assertThrows(CancelledKeyException.class, key::readyOps);
        assertThrows(CancelledKeyException.class, key::isWritable);
        assertEquals(0, selector.selectNow());
        assertFalse(selector.keys().contains(key));
        assertFalse(selector.selectedKeys().contains(key));
        assertFalse(channel.isRegistered());
        assertNull(channel.keyFor(selector));
        SelectionKey fresh = channel.register(selector, OP_WRITE);
        awaitReady(fresh, OP_WRITE);
    }

    @Test
    void keySetsAreLiveAndGuarded() throws Exception {
        Selector selector = selector();
        Set<SelectionKey> keys = selector.keys();
        Set<SelectionKey> selected = selector.selectedKeys();
        SelectionKey key = register(pair().client(), selector, OP_WRITE);
        assertTrue(keys.contains(key));
        awaitReady(key, OP_WRITE);
        assertEquals(1, selected.size());
        assertThrows(UnsupportedOperationException.class, () -> keys.remove(key));
        assertThrows(UnsupportedOperationException.class, keys::clear);
        assertThrows(UnsupportedOperationException.class, () -> selected.add(key));
        Iterator<SelectionKey> iterator = selected.iterator();
        assertSame(key, iterator.next());
        iterator.remove();
        assertTrue(selected.isEmpty());
        assertSame(selected, selector.selectedKeys());
    }

    @Test
    void closingAChannelCancelsItsKeys() throws Exception {
        Selector selector = selector();
        Selector other = selector();
        SocketChannel channel = pair().client();
        SelectionKey key = register(channel, selector, OP_READ);
        SelectionKey otherKey = register(channel, other, OP_READ);
        channel.close();
        assertFalse(key.isValid());
        assertFalse(otherKey.isValid());
        selector.selectNow();
        other.selectNow();
        assertTrue(selector.keys().isEmpty());
        assertTrue(other.keys().isEmpty());
    }

    @Test
    void registeringDoesNotWaitForARunningSelect() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        send(pair.server(), "x");
        Task<Integer> selecting = Task.start(() -> {
                    int count = selector.select();
                    return count == 0 ? selector.select() : count;
                })
                .awaitBlocked();
        SelectionKey key = register(pair.client(), selector, 0);
        key.interestOps(OP_READ);
        selector.wakeup();
        assertEquals(1, selecting.result());
        assertTrue(key.isReadable());
    }
}
