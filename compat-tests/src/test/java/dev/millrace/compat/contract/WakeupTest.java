package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_READ;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link Selector#wakeup}: one permit that sticks until a selection uses it. */
class WakeupTest extends ContractTest {
    @ParameterizedTest
    @EnumSource
    void endsASelectThatWaits(ThreadKind kind) throws Exception {
        Selector selector = selector();
        register(pair().client(), selector, OP_READ);
        Task<Integer> task = Task.start(kind, () -> selector.select()).awaitBlocked();
        assertSame(selector, selector.wakeup());
        assertEquals(0, task.result());
    }

    @Test
    void sticksUntilTheNextSelect() throws Exception {
        Selector selector = selector();
        selector.wakeup();
        assertEquals(0, selector.select());
    }

    @Test
    void permitsDoNotAddUp() throws Exception {
        Selector selector = selector();
        selector.wakeup();
        selector.wakeup();
        assertEquals(0, selector.select());
        assertWaits(selector);
    }

    @Test
    void selectNowUsesThePermitToo() throws Exception {
        Selector selector = selector();
        selector.wakeup();
        assertEquals(0, selector.selectNow());
        assertWaits(selector);
    }

    private static void assertWaits(Selector selector) throws Exception {
        long startNs = System.nanoTime();
        assertEquals(0, selector.select(100));
        long waitedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
        assertTrue(waitedMs >= 99, "a permit was left: waited " + waitedMs + " ms");
    }

    @ParameterizedTest
    @EnumSource
    void noneIsLost(ThreadKind kind) throws Exception {
        Selector selector = selector();
        register(pair().client(), selector, OP_READ);
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger();
        int rounds = 5000;
        Task<Void> selecting = Task.start(kind, () -> {
            while (seen.get() < rounds) {
                selector.select();
                seen.set(asked.get());
            }
            return null;
        });
        for (int i = 1; i <= rounds; i++) {
            asked.set(i);
            selector.wakeup();
            while (seen.get() < i) {
                Thread.yield();
            }
        }
        selecting.result();
    }
}
