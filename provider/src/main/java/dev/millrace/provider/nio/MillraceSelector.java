package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.util.Collections;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
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
 * <p>Locks, in this order: the selector, then the selected-key set; both are held by a running selection. Registration, interest,
 * cancellation and wake-up take neither.
 */
public final class MillraceSelector extends AbstractSelector {
    private static final long NOT_WAITING = 0;
    private static final long FOREVER = -1;

    /** Some time that has passed. */
    private static final long PAST = System.nanoTime();

    private final Runtime runtime;
    private final Driver driver;

    // any thread
    private final Set<SelectionKey> keys = ConcurrentHashMap.newKeySet();
    private final Set<SelectionKey> keysView = Collections.unmodifiableSet(keys);
    private final SelectedKeys selected = new SelectedKeys(this);
    private final ActiveKeys active = new ActiveKeys();
    /** Keys of channels in which the stack has, or may get, a part. */
    private final AtomicInteger stackKeys = new AtomicInteger();

    private final Object kernelLock = new Object();
    private volatile @Nullable KernelSelector kernel;
    private volatile boolean woken;
    /** A kernel channel came while a selection was running that can't see it yet. */
    private volatile boolean kernelJoined;

    private volatile boolean sleepsInKernel;
    private volatile @Nullable Thread selecting;

    // the selecting thread's own, under the monitors
    private final SelectionWaiter waiter = new SelectionWaiter(this);
    private boolean inSelection;

    public MillraceSelector(Runtime runtime) {
        super(runtime.provider());
        this.runtime = runtime;
        this.driver = runtime.driver();
    }

    // ---- selection ----

    @Override
    public int select() throws IOException {
        return lockAndSelect(null, FOREVER);
    }

    @Override
    public int select(long timeout) throws IOException {
        return lockAndSelect(null, toNanos(timeout));
    }

    @Override
    public int selectNow() throws IOException {
        return lockAndSelect(null, NOT_WAITING);
    }

    @Override
    public int select(Consumer<SelectionKey> action) throws IOException {
        return lockAndSelect(Objects.requireNonNull(action), FOREVER);
    }

    @Override
    public int select(Consumer<SelectionKey> action, long timeout) throws IOException {
        Objects.requireNonNull(action);
        return lockAndSelect(action, toNanos(timeout));
    }

    @Override
    public int selectNow(Consumer<SelectionKey> action) throws IOException {
        return lockAndSelect(Objects.requireNonNull(action), NOT_WAITING);
    }

    private static long toNanos(long timeoutMs) {
        if (timeoutMs < 0) {
            throw new IllegalArgumentException("Negative timeout");
        }
        // beyond three hundred years the clock itself would wrap
        return timeoutMs == 0 || timeoutMs >= Long.MAX_VALUE / 1_000_000 ? FOREVER : timeoutMs * 1_000_000;
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
        boolean blocking = timeoutNs != NOT_WAITING;
        try {
            if (blocking) {
                begin();
            }
            waitUntilReady(timeoutNs);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } finally {
            if (blocking) {
                end();
            }
        }
        woken = false;
        flushCancelled();
        KernelSelector inner = kernel;
        if (inner != null) {
            inner.poller().flush();
        }
        return collect(action);
    }

    private void waitUntilReady(long timeoutNs) throws IOException {
        long deadlineNs = timeoutNs < 0 ? Long.MAX_VALUE : System.nanoTime() + timeoutNs;
        boolean first = true;
        while (true) {
            kernelJoined = false;
            KernelSelector inner = kernel;
            boolean mayWait = timeoutNs != NOT_WAITING && !(first && somethingReady());
            first = false;
            if (inner != null && stackKeys.get() == 0) {
                selectInKernel(inner, mayWait ? deadlineNs : PAST);
            } else {
                driver.await(waiter.on(inner), mayWait ? deadlineNs : PAST);
                if (inner != null && !mayWait) {
                    pollKernel(inner, timeoutNs == NOT_WAITING);
                }
            }
            if (!mayWait
                    || woken
                    || somethingReady()
                    || !isOpen()
                    || Thread.currentThread().isInterrupted()) {
                return;
            }
            if (deadlineNs != Long.MAX_VALUE && System.nanoTime() - deadlineNs >= 0) {
                return;
            }
        }
    }

    private static void pollKernel(KernelSelector inner, boolean now) throws IOException {
        if (now) {
            inner.poller().poll();
        } else {
            inner.poller().pollSometimes();
        }
    }

    /** Everything is the kernel's: the inner selector does it all. */
    private void selectInKernel(KernelSelector inner, long deadlineNs) throws IOException {
        long timeoutNs = deadlineNs == Long.MAX_VALUE ? Long.MAX_VALUE : deadlineNs - System.nanoTime();
        sleepsInKernel = true; // before the look at woken: wakeup() writes that, then reads this
        try {
            if (timeoutNs <= 0 || woken || kernelJoined || inner.hasReady() || !isOpen()) {
                inner.poller().poll();
            } else {
                inner.poller().sleep(timeoutNs);
            }
        } finally {
            sleepsInKernel = false;
        }
    }

    /** Whether a selection would find something now. */
    private boolean somethingReady() {
        if (active.anyReady()) {
            return true;
        }
        KernelSelector inner = kernel;
        return inner != null && inner.hasReady();
    }

    /** Whether the selection that waits is to look, or to end. The selecting thread. */
    boolean endsWait() {
        // a driver may ask again after a yes, when the queue is drained already
        return woken || kernelJoined || !isOpen() || active.mayBeReady() && somethingReady();
    }

    private int collect(@Nullable Consumer<SelectionKey> action) {
        active.drain();
        int count = 0;
        int i = 0;
        while (i < active.count()) {
            MillraceKey key = active.get(i);
            int ops = active.readyOrLeave(key);
            if (ops != 0) {
                count += select(key, ops | key.takeKernelReady(), action);
                i++;
            }
        }
        KernelSelector inner = kernel;
        if (inner != null && inner.hasReady()) {
            count += collectKernel(inner, action);
        }
        return count;
    }

    private int collectKernel(KernelSelector inner, @Nullable Consumer<SelectionKey> action) {
        int count = 0;
        try {
            for (int i = 0; i < inner.readyCount(); i++) {
                MillraceKey key = inner.ready(i);
                int ops = key.takeKernelReady();
                if (ops != 0 && key.isValid()) {
                    count += select(key, ops, action);
                }
            }
        } finally {
            for (int i = 0; i < inner.readyCount(); i++) {
                inner.ready(i).kernelReady = 0;
            }
            inner.clearReady();
        }
        return count;
    }

    private int select(MillraceKey key, int ops, @Nullable Consumer<SelectionKey> action) {
        if (action != null) {
            key.ready(ops);
            action.accept(key);
            ensureOpen();
            return 1;
        }
        if (selected.holds(key)) {
            int before = key.lastReady();
            key.ready(before | ops);
            return (ops & ~before) != 0 ? 1 : 0;
        }
        key.ready(ops);
        selected.addSelected(key);
        return 1;
    }

    // ---- keys ----

    @Override
    public Set<SelectionKey> keys() {
        ensureOpen();
        return keysView;
    }

    @Override
    public Set<SelectionKey> selectedKeys() {
        ensureOpen();
        return selected;
    }

    private void ensureOpen() {
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
        if (endpoint == null) {
            enroll(key, channel);
            keys.add(key);
        } else {
            key.usesStack = true;
            stackKeys.incrementAndGet();
            keys.add(key);
            endpoint.registrations().add(key);
            kernelMayHaveCome(key, endpoint);
            key.requestUpdate();
        }
        if (!isOpen()) {
            // a close that is under way may have missed it
            keys.remove(key);
            forget(key);
            key.cancel();
            throw new ClosedSelectorException();
        }
        return key;
    }

    /** The kernel has got a part in an endpoint, or all of it. Any thread. */
    void kernelMayHaveCome(MillraceKey key, StackEndpoint endpoint) {
        if (endpoint.kernelChannel() instanceof AbstractSelectableChannel kernelChannel) {
            enroll(key, kernelChannel);
            synchronized (key) {
                if (key.usesStack && !endpoint.mayUseStack()) {
                    key.usesStack = false;
                    stackKeys.decrementAndGet();
                }
            }
            kernelJoined = true;
            endWait();
        }
    }

    private void enroll(MillraceKey key, AbstractSelectableChannel kernelChannel) {
        try {
            key.enroll(kernelChannel);
        } catch (ClosedChannelException e) {
            // closed meanwhile, and with it the channel that this key is for: its close cancels the key
            assert !kernelChannel.isOpen();
        }
    }

    KernelSelector kernelSelector() {
        KernelSelector existing = kernel;
        if (existing != null) {
            return existing;
        }
        synchronized (kernelLock) {
            if (kernel == null) {
                try {
                    KernelSelector created = new KernelSelector(runtime.kernel(), runtime.jdk());
                    if (!isOpen()) {
                        created.close();
                        throw new ClosedSelectorException();
                    }
                    kernel = created;
                } catch (IOException e) {
                    throw new UncheckedIOException("no JDK selector for a kernel channel", e);
                }
            }
            return Objects.requireNonNull(kernel);
        }
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
        keys.remove(key);
        selected.removeSelected(key);
        active.remove(key);
        boolean hadKernelKey = forget(key);
        deregister(key);
        KernelSelector inner = kernel;
        if (hadKernelKey && inner != null) {
            inner.poller().requestFlush();
            if (key.endpoint() == null) {
                inner.onDeregistered(key.channel());
            }
        }
    }

    /** @return whether the inner selector has to let go of it too */
    private boolean forget(MillraceKey key) {
        StackEndpoint endpoint = key.endpoint();
        if (endpoint != null) {
            endpoint.registrations().remove(key);
        }
        boolean hadKernelKey = key.withdraw();
        synchronized (key) {
            if (key.usesStack) {
                key.usesStack = false;
                stackKeys.decrementAndGet();
            }
        }
        return hadKernelKey;
    }

    // ---- waking and closing ----

    @Override
    public Selector wakeup() {
        if (!woken) {
            woken = true;
            endWait();
        }
        return this;
    }

    private void endWait() {
        KernelSelector inner = kernel;
        if (sleepsInKernel && inner != null) {
            inner.poller().wakeup();
        }
        waiter.signal();
    }

    /** Wakes first, and takes the monitors when the running selection has left. */
    @Override
    protected void implCloseSelector() throws IOException {
        wakeup();
        synchronized (this) {
            synchronized (selected) {
                for (SelectionKey key : keys) {
                    remove((MillraceKey) key);
                }
            }
        }
        KernelSelector inner;
        synchronized (kernelLock) {
            inner = kernel;
        }
        if (inner != null) {
            inner.close();
        }
    }

    @Override
    public String toString() {
        return "MillraceSelector[" + (isOpen() ? keys.size() + " keys" : "closed") + "]";
    }
}
