package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A selector over stack channels and JDK channels alike. Its cost depends on what is ready, not on what is registered: cores put keys
 * that became ready into a many-to-one queue; the selecting thread moves them to its active list, where they stay for as long as
 * they are ready (level triggering). The thread that selects drives the stack while it waits.
 *
 * <p>Changes of interest travel through a queue of their own that is drained when a selection begins, so that, as with the JDK's
 * selectors, they count from the next selection on and never wait for a running one.
 *
 * <p>With JDK channels among the keys there is an inner JDK selector ({@link KernelSelector}): the thread sleeps in it when there is
 * nothing to do, and polls it now and then while stack traffic flows. A selector with nothing but kernel channels is just that inner one.
 *
 * <p>Its roles: {@link SelectorKeys} holds what is registered, {@link ActiveKeys} what is ready on the stack, {@link SelectionWaiter} waits and is
 * woken, {@link KeyCollector} updates the {@link SelectedKeys}.
 *
 * <p>Locks, in this order: the selector, then the selected-key set; both are held by a running selection. Registration, interest,
 * cancellation and wake-up take neither.
 */
public final class MillraceSelector extends AbstractSelector {
    // any thread
    private final SelectorKeys keys = new SelectorKeys(this);
    private final ActiveKeys active = new ActiveKeys();
    private final LazyKernelSelector kernel;
    private final SelectionWaiter waiter;

    /** The thread that selected last. */
    private volatile @Nullable Thread selecting;

    // the selecting thread's own, under the monitors
    private final SelectedKeys selected = new SelectedKeys(this);
    private final KeyCollector collector;
    private boolean inSelection;

    public MillraceSelector(Runtime runtime) {
        super(runtime.provider());
        this.kernel = new LazyKernelSelector(this, runtime);
        this.waiter = new SelectionWaiter(this, runtime.driver(), keys, active, kernel);
        this.collector = new KeyCollector(this, active, kernel, selected);
    }

    // ---- selection ----

    @Override
    public int select() throws IOException {
        return lockAndSelect(null, SelectionWaiter.FOREVER);
    }

    @Override
    public int select(long timeout) throws IOException {
        return lockAndSelect(null, toNanos(timeout));
    }

    @Override
    public int selectNow() throws IOException {
        return lockAndSelect(null, SelectionWaiter.NOT_WAITING);
    }

    @Override
    public int select(Consumer<SelectionKey> action) throws IOException {
        return lockAndSelect(Objects.requireNonNull(action), SelectionWaiter.FOREVER);
    }

    @Override
    public int select(Consumer<SelectionKey> action, long timeout) throws IOException {
        Objects.requireNonNull(action);
        return lockAndSelect(action, toNanos(timeout));
    }

    @Override
    public int selectNow(Consumer<SelectionKey> action) throws IOException {
        return lockAndSelect(Objects.requireNonNull(action), SelectionWaiter.NOT_WAITING);
    }

    private static long toNanos(long timeoutMs) {
        if (timeoutMs < 0) {
            throw new IllegalArgumentException("Negative timeout");
        }
        // beyond three hundred years the clock itself would wrap
        return timeoutMs == 0 || timeoutMs >= Long.MAX_VALUE / 1_000_000
                ? SelectionWaiter.FOREVER
                : timeoutMs * 1_000_000;
    }

    private int lockAndSelect(@Nullable Consumer<SelectionKey> action, long timeoutNs) throws IOException {
        synchronized (this) {
            ensureOpen();
            if (inSelection) {
                throw new IllegalStateException("select in progress");
            }
            inSelection = true;
            try {
                synchronized (selected) {
                    return doSelect(action, timeoutNs);
                }
            } finally {
                inSelection = false;
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // threads have identity
    private int doSelect(@Nullable Consumer<SelectionKey> action, long timeoutNs) throws IOException {
        Thread self = Thread.currentThread();
        if (selecting != self) {
            selecting = self;
        }
        flushCancelled();
        active.applyUpdates();
        boolean blocking = timeoutNs != SelectionWaiter.NOT_WAITING;
        try {
            if (blocking) {
                begin();
            }
            waiter.waitUntilReady(timeoutNs);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } finally {
            if (blocking) {
                end();
            }
        }
        waiter.clearWakeup();
        flushCancelled();
        KernelSelector inner = kernel.ifMade();
        if (inner != null) {
            inner.poller().flush();
        }
        return collector.collect(action);
    }

    // ---- keys ----

    @Override
    public Set<SelectionKey> keys() {
        ensureOpen();
        return keys.view();
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        ensureOpen();
        return selected;
    }

    void ensureOpen() {
        if (!isOpen()) {
            throw new ClosedSelectorException();
        }
    }

    @Override
    protected SelectionKey register(AbstractSelectableChannel channel, int ops, @Nullable Object attachment) {
        ensureOpen();
        StackEndpoint endpoint = channel instanceof StackEndpoint ours ? ours : null;
        MillraceKey key = new MillraceKey(this, channel, endpoint, ops);
        key.attach(attachment);
        keys.add(key, channel);
        if (!isOpen()) {
            // a close that is under way may have missed it
            keys.remove(key);
            key.cancel();
            throw new ClosedSelectorException();
        }
        return key;
    }

    /** The kernel may have got a part in an endpoint, or all of it. Any thread. */
    void kernelMayHaveCome(MillraceKey key, StackEndpoint endpoint) {
        if (keys.enrollKernel(key, endpoint)) {
            waiter.onKernelChannel();
        }
    }

    KernelSelector kernelSelector() {
        return kernel.get();
    }

    /** A core found this key ready. Core threads. */
    void offerReady(MillraceKey key) {
        active.offerReady(key);
        waiter.signal();
    }

    /** The interest set of this key changed. Any thread. */
    void offerUpdate(MillraceKey key) {
        active.offerUpdate(key);
    }

    @SuppressWarnings("ReferenceEquality") // as above
    boolean isSelectedBy(Thread thread) {
        return selecting == thread;
    }

    /** Removes cancelled keys from everything, as selections do before and after they wait. */
    private void flushCancelled() {
        Set<SelectionKey> cancelled = cancelledKeys();
        SelectionKey[] taken;
        synchronized (cancelled) {
            if (cancelled.isEmpty()) {
                return;
            }
            taken = cancelled.toArray(new SelectionKey[0]);
            cancelled.clear();
        }
        for (SelectionKey key : taken) {
            remove((MillraceKey) key);
        }
    }

    private void remove(MillraceKey key) {
        selected.removeSelected(key);
        active.remove(key);
        boolean hadKernelKey = keys.remove(key);
        deregister(key);
        KernelSelector inner = kernel.ifMade();
        if (hadKernelKey && inner != null) {
            inner.poller().requestFlush();
            if (key.endpoint() == null) {
                inner.onDeregistered(key.channel());
            }
        }
    }

    // ---- waking and closing ----

    @Override
    public Selector wakeup() {
        waiter.wakeup();
        return this;
    }

    /** Wakes first, and takes the monitors when the running selection has left. */
    @Override
    protected void implCloseSelector() throws IOException {
        wakeup();
        synchronized (this) {
            synchronized (selected) {
                for (SelectionKey key : keys.view()) {
                    remove((MillraceKey) key);
                }
            }
        }
        kernel.close();
    }

    @Override
    public String toString() {
        return "MillraceSelector[" + (isOpen() ? keys.view().size() + " keys" : "closed") + "]";
    }
}
