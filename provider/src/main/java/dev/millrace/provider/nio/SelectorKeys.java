package dev.millrace.provider.nio;

import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The keys that are registered with a selector, and on which side each of them is to be looked for. Any thread; registering never waits for a
 * selection.
 */
final class SelectorKeys {
    private final MillraceSelector selector;
    private final Set<SelectionKey> all = ConcurrentHashMap.newKeySet();
    private final Set<SelectionKey> view = Collections.unmodifiableSet(all);
    /** Keys of channels in which the stack has, or may get, a part. */
    private final AtomicInteger stackKeys = new AtomicInteger();

    SelectorKeys(MillraceSelector selector) {
        this.selector = selector;
    }

    /** For the application. */
    Set<SelectionKey> view() {
        return view;
    }

    boolean anyOnStack() {
        return stackKeys.get() != 0;
    }

    /** @param channel the key's */
    void add(MillraceKey key, AbstractSelectableChannel channel) {
        StackEndpoint endpoint = key.endpoint();
        if (endpoint == null) {
            enroll(key, channel);
            all.add(key);
        } else {
            key.usesStack = true;
            stackKeys.incrementAndGet();
            all.add(key);
            endpoint.registrations().add(key);
            selector.kernelMayHaveCome(key, endpoint);
            key.requestUpdate();
        }
    }

    /** Registers the kernel's part in an endpoint, if it has one, with the inner selector; whether it has. */
    boolean enrollKernel(MillraceKey key, StackEndpoint endpoint) {
        if (!(endpoint.kernelChannel() instanceof AbstractSelectableChannel kernelChannel)) {
            return false;
        }
        enroll(key, kernelChannel);
        if (!endpoint.mayUseStack()) {
            leaveStack(key);
        }
        return true;
    }

    private static void enroll(MillraceKey key, AbstractSelectableChannel kernelChannel) {
        try {
            key.enroll(kernelChannel);
        } catch (ClosedChannelException e) {
            // closed meanwhile, and with it the channel that this key is for: its close cancels the key
            assert !kernelChannel.isOpen();
        }
    }

    /** @return whether the inner selector has to let go of it too */
    boolean remove(MillraceKey key) {
        all.remove(key);
        StackEndpoint endpoint = key.endpoint();
        if (endpoint != null) {
            endpoint.registrations().remove(key);
        }
        boolean hadKernelKey = key.withdraw();
        leaveStack(key);
        return hadKernelKey;
    }

    private void leaveStack(MillraceKey key) {
        synchronized (key) {
            if (key.usesStack) {
                key.usesStack = false;
                stackKeys.decrementAndGet();
            }
        }
    }
}
