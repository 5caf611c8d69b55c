package dev.millrace.provider.nio;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.SelectorProvider;
import java.util.function.Consumer;

/**
 * A JDK selector inside one of ours, looked at in two ways: polled now and then while stack traffic keeps the thread busy, and slept in
 * when there is nothing to do. Ready keys go to a consumer, so no selected-key set is kept.
 *
 * <p>Polling and sleeping: the selecting thread. {@link #wakeup} and {@link #register}: any thread, neither waits for a sleep.
 */
final class KernelPoller {
    /** A look costs about as much as this many empty turns of a core. */
    private static final int LOOKS_PER_POLL = 32;

    /** Kernel channels wait no longer than this behind stack traffic. */
    private static final long POLL_INTERVAL_NS = 50_000;

    private final Selector inner;
    private final Consumer<SelectionKey> onReady;
    private int looks;
    private long polledAtNs;
    private boolean flushDue;

    KernelPoller(SelectorProvider kernel, Consumer<SelectionKey> onReady) throws IOException {
        this.inner = kernel.openSelector();
        this.onReady = onReady;
        this.polledAtNs = System.nanoTime();
    }

    SelectionKey register(SelectableChannel channel, int ops, Object attachment) throws ClosedChannelException {
        return channel.register(inner, ops, attachment);
    }

    /** Polls if it is time. */
    void pollSometimes() throws IOException {
        if (++looks >= LOOKS_PER_POLL || ((looks & 3) == 0 && System.nanoTime() - polledAtNs > POLL_INTERVAL_NS)) {
            poll();
        }
    }

    /** Hands over what is ready now, and lets go of cancelled keys. */
    void poll() throws IOException {
        inner.selectNow(onReady);
        hasPolled();
    }

    private void hasPolled() {
        looks = 0;
        polledAtNs = System.nanoTime();
        flushDue = false;
    }

    /** A key was cancelled: the next poll or sleep lets go of it. */
    void requestFlush() {
        flushDue = true;
    }

    /** Lets go of cancelled keys, unless that has been done on the way. */
    void flush() throws IOException {
        if (flushDue) {
            poll();
        }
    }

    /** Sleeps until a channel is ready, {@link #wakeup}, interrupt or timeout; Long.MAX_VALUE for none. */
    void sleep(long timeoutNs) throws IOException {
        if (timeoutNs == Long.MAX_VALUE) {
            inner.select(onReady);
        } else {
            inner.select(onReady, Math.max(1, (timeoutNs + 999_999) / 1_000_000));
        }
        hasPolled();
    }

    void wakeup() {
        inner.wakeup();
    }

    void close() throws IOException {
        inner.close();
    }
}
