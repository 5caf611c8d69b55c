package dev.millrace.provider.nio;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's side of a hybrid selector: every JDK channel among its keys is registered with an inner JDK selector, whose findings are
 * collected here until the selection takes them.
 *
 * <p>The reaper. A JDK channel that is closed while registered gives its descriptor back when the last selector lets go of it, and it is
 * JDK selectors that see to this. A channel that the application registered itself has our key too; if the inner selector let go first, nobody would
 * close the descriptor. So such a channel also has a key, of no interest, in a second JDK selector, the reaper, which is flushed
 * after our own key is gone: the last to let go is always the JDK's.
 */
final class KernelSelector {
    private final SelectorProvider kernel;
    private final KernelPoller poller;
    private volatile @Nullable Selector reaper;
    private volatile boolean closed;

    private MillraceKey[] ready = new MillraceKey[16];
    private int readyCount;

    KernelSelector(SelectorProvider kernel) throws IOException {
        this.kernel = kernel;
        this.poller = new KernelPoller(kernel, this::onReady);
    }

    /** Registers with the inner selector. Any thread; never waits for a selection. */
    KernelEnrollment enroll(AbstractSelectableChannel channel, int ops, MillraceKey key) throws ClosedChannelException {
        try {
            SelectionKey watched = poller.register(channel, ops, key);
            SelectionKey reaped = key.endpoint() == null ? channel.register(reaper(), 0) : null;
            return new KernelEnrollment(watched, reaped);
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private synchronized Selector reaper() throws IOException {
        Selector existing = reaper;
        if (existing == null) {
            existing = kernel.openSelector();
            reaper = existing;
            if (closed) {
                existing.close();
            }
        }
        return existing;
    }

    private void onReady(SelectionKey watched) {
        MillraceKey key = (MillraceKey) watched.attachment();
        if (key.kernelReady == 0) {
            if (readyCount == ready.length) {
                ready = Arrays.copyOf(ready, 2 * readyCount);
            }
            ready[readyCount++] = key;
        }
        key.kernelReady |= watched.readyOps();
    }

    KernelPoller poller() {
        return poller;
    }

    boolean hasReady() {
        return readyCount > 0;
    }

    int readyCount() {
        return readyCount;
    }

    MillraceKey ready(int index) {
        return ready[index];
    }

    /** Forgets what was collected. */
    void clearReady() {
        Arrays.fill(ready, 0, readyCount, null);
        readyCount = 0;
    }

    /** Makes the JDK's selectors let go of cancelled keys, after our own keys are gone. Selecting thread. */
    void flush() throws IOException {
        poller.poll();
        Selector last = reaper;
        if (last != null) {
            last.selectNow();
        }
    }

    void close() throws IOException {
        poller.close();
        synchronized (this) {
            closed = true;
            Selector last = reaper;
            if (last != null) {
                last.close();
            }
        }
    }
}
