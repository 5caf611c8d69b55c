package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The selection methods: what they return, how long they wait, and what ends the wait. */
class SelectTest extends ContractTest {
    @Test
    void withoutChannelsSelectNowReturnsZero() throws Exception {
        assertEquals(0, selector().selectNow());
    }

    @Test
    void returnsTheNumberOfKeysThatWereUpdated() throws Exception {
        Selector selector = selector();
        SelectionKey first = register(pair().client(), selector, OP_WRITE);
        SelectionKey second = register(pair().client(), selector, OP_WRITE);
        awaitReady(first, OP_WRITE);
        awaitReady(second, OP_WRITE);
        assertEquals(Set.of(first, second), selector.selectedKeys());
        assertEquals(0, selector.select(), "a key that was selected before with the same operations is no update");
        selector.selectedKeys().remove(second);
        assertEquals(1, selector.select());
        selector.selectedKeys().clear();
        assertEquals(2, selector.select());
    }

    @Test
    void readyOperationsAddUpInTheSelectedSet() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.client(), selector, OP_WRITE);
        assertEquals(1, selector.select());
        assertEquals(OP_WRITE, key.readyOps());
        send(pair.server(), "x");
        key.interestOps(OP_READ);
        assertEquals(1, selector.select());
        assertEquals(OP_READ | OP_WRITE, key.readyOps(), "bits of an earlier selection stay");
        selector.selectedKeys().clear();
        assertEquals(1, selector.select());
        assertEquals(OP_READ, key.readyOps(), "and start anew once the key was removed");
    }

    @ParameterizedTest
    @EnumSource
    void timeoutIsKept(ThreadKind kind) throws Exception {
        Selector selector = selector();
        register(pair().client(), selector, OP_READ);
        Task<Long> task = Task.start(kind, () -> {
            long startNs = System.nanoTime();
            assertEquals(0, selector.select(150));
            return System.nanoTime() - startNs;
        });
        long waitedMs = TimeUnit.NANOSECONDS.toMillis(task.result());
        assertTrue(waitedMs >= 149 && waitedMs < 10_000, "waited " + waitedMs + " ms");
    }

    @ParameterizedTest
    @EnumSource
    void withoutTimeoutItWaitsForReadiness(ThreadKind kind) throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        register(pair.client(), selector, OP_READ);
        Task<Integer> task = Task.start(kind, () -> selector.select(0)).awaitBlocked();
        send(pair.server(), "x");
        assertEquals(1, task.result());
    }

    @Test
    void negativeTimeoutIsRefused() throws Exception {
        Selector selector = selector();
        assertThrows(IllegalArgumentException.class, () -> selector.select(-1));
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsTheWaitAndLeavesTheFlag(ThreadKind kind) throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        register(pair.client(), selector, OP_READ);
        Task<Boolean> task = Task.start(kind, () -> {
                    assertEquals(0, selector.select());
                    return Thread.currentThread().isInterrupted();
                })
                .awaitBlocked();
        task.thread().interrupt();
        assertTrue(task.result());
        assertTrue(selector.isOpen());
        assertTrue(pair.client().isOpen(), "an interrupted select closes nothing");
    }

    @Test
    void anInterruptedThreadDoesNotWait() throws Exception {
        Selector selector = selector();
        Task<Boolean> task = Task.start(() -> {
            Thread.currentThread().interrupt();
            assertEquals(0, selector.select());
            assertEquals(0, selector.select());
            return Thread.currentThread().isInterrupted();
        });
        assertTrue(task.result());
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsTheWait(ThreadKind kind) throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey key = register(pair.client(), selector, OP_READ);
        Task<Integer> task = Task.start(kind, () -> {
                    try {
                        return selector.select();
                    } catch (ClosedSelectorException e) {
                        return 0;
                    }
                })
                .awaitBlocked();
        selector.close();
        assertEquals(0, task.result());
        assertFalse(key.isValid());
        assertFalse(pair.client().isRegistered());
        assertTrue(pair.client().isOpen(), "closing a selector closes no channel");
    }

    @Test
    void aClosedSelectorRefusesEverything() throws Exception {
        Selector selector = selector();
        selector.close();
        selector.close();
        assertFalse(selector.isOpen());
        assertThrows(ClosedSelectorException.class, selector::selectNow);
        assertThrows(ClosedSelectorException.class, selector::select);
        assertThrows(ClosedSelectorException.class, selector::keys);
        assertThrows(ClosedSelectorException.class, selector::selectedKeys);
        assertThrows(ClosedSelectorException.class, () -> register(pair().client(), selector, OP_READ));
        assertSame(selector, selector.wakeup(), "wakeup of a closed selector does nothing");
    }

    @Test
    void consumerIsGivenTheReadyKeys() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        SelectionKey writable = register(pair.client(), selector, OP_WRITE);
        SelectionKey idle = register(pair().client(), selector, OP_READ);
        List<SelectionKey> given = new ArrayList<>();
        while (given.isEmpty()) {
            int count = selector.select(key -> {
                assertEquals(OP_WRITE, key.readyOps());
                given.add(key);
            });
            assertEquals(given.size(), count);
        }
        assertEquals(List.of(writable), given);
        assertTrue(selector.selectedKeys().isEmpty(), "the selected-key set is not touched");
        assertTrue(selector.keys().contains(idle));
    }

    @Test
    void consumerMayCancelCloseAndThrow() throws Exception {
        Selector selector = selector();
        SelectionKey cancelled = register(pair().client(), selector, OP_WRITE);
        assertEquals(1, selector.select(SelectionKey::cancel));
        assertFalse(cancelled.isValid());
        Pair pair = pair();
        register(pair.client(), selector, OP_WRITE);
        assertThrows(
                IllegalCallerException.class,
                () -> selector.select(key -> {
                    throw new IllegalCallerException("from the action");
                }));
        assertThrows(
                IllegalStateException.class,
                () -> selector.select(key -> {
                    try {
                        selector.selectNow();
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                }),
                "no selection inside a selection");
    }

    @Test
    void dataThatWasThereBeforeRegistrationIsSeen() throws Exception {
        Selector selector = selector();
        Pair pair = pair();
        send(pair.server(), "early");
        assertEquals(1, pair.client().read(ByteBuffer.allocate(1)));
        SelectionKey key = register(pair.client(), selector, OP_READ);
        awaitReady(key, OP_READ);
    }
}
