package dev.millrace.provider.nio;

import dev.millrace.provider.agent.JdkAccess;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.spi.SelectorProvider;
import java.util.Arrays;

/**
 * The JDK's side of a hybrid selector: every JDK channel among its keys is registered with an inner JDK selector, whose findings are
 * collected here until the selection takes them.
 */
final class KernelSelector {
    private final KernelPoller poller;
    private final JdkAccess jdk;

    private MillraceKey[] ready = new MillraceKey[16];
    private int readyCount;

    KernelSelector(SelectorProvider kernel, JdkAccess jdk) throws IOException {
        this.jdk = jdk;
        this.poller = new KernelPoller(kernel, this::onReady);
    }

    /** Registers with the inner selector. Any thread; never waits for a selection. */
    SelectionKey enroll(SelectableChannel channel, int ops, MillraceKey key) throws ClosedChannelException {
        return poller.register(channel, ops, key);
    }

    /**
     * Our key is gone from a channel that is none of ours. A JDK channel that is closed while registered keeps its descriptor until the
     * last selector lets go of it, and that selector has to tell it so. JDK selectors do, but this channel is let go by the inner
     * one and by ours, in any order: each, after its own key is gone, looks whether it was the last.
     */
    void onDeregistered(SelectableChannel channel) {
        if (!channel.isOpen() && !channel.isRegistered()) {
            jdk.endDeferredClose(channel);
        }
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

    void close() throws IOException {
        poller.close();
    }
}
