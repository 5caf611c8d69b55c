package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Waiter;
import dev.millrace.stack.tcp.TcpObserver;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Who wants to know when a channel's readiness changes: its keys in any number of selectors, and the threads blocked in it. The
 * stack's observer, called on a core's thread; everything else by any thread.
 */
final class Registrations implements TcpObserver {
    private static final MillraceKey[] NONE = {};

    /** Copied on write, under this object's monitor; read without. */
    private volatile MillraceKey[] keys = NONE;

    private volatile @Nullable Waiter reader;
    private volatile @Nullable Waiter writer;

    synchronized void add(MillraceKey key) {
        MillraceKey[] wider = Arrays.copyOf(keys, keys.length + 1);
        wider[keys.length] = key;
        keys = wider;
    }

    synchronized void remove(MillraceKey key) {
        MillraceKey[] old = keys;
        for (int i = 0; i < old.length; i++) {
            if (old[i] == key) {
                MillraceKey[] fewer = Arrays.copyOf(old, old.length - 1);
                System.arraycopy(old, i + 1, fewer, i, fewer.length - i);
                keys = fewer;
                return;
            }
        }
    }

    MillraceKey[] keys() {
        return keys;
    }

    /** The thread that reads, accepts or connects in blocking mode; set before it first waits. */
    void reader(Waiter waiter) {
        reader = waiter;
    }

    /** The thread that writes in blocking mode; set before it first waits. */
    void writer(Waiter waiter) {
        writer = waiter;
    }

    /** Cancels the inner keys of cancelled keys, so that a JDK channel behind ours may become blocking again. */
    void leaveKernelIfCancelled() {
        for (MillraceKey key : keys) {
            if (!key.isValid()) {
                key.leaveKernel();
            }
        }
    }

    /** Whether this thread selects on one of the channel's selectors, and so will soon drive the stack again. */
    boolean isSelectedBy(Thread thread) {
        for (MillraceKey key : keys) {
            if (key.owner().isSelectedBy(thread)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void onReadiness() {
        // the endpoint may have changed with release order only; keys and waiters must be read after that
        VarHandle.fullFence();
        for (MillraceKey key : keys) {
            key.onReadiness();
        }
        signalWaiters();
    }

    /** Makes blocked threads look again, after a close or a shutdown too. */
    void signalWaiters() {
        Waiter waitingReader = reader;
        if (waitingReader != null) {
            waitingReader.signal();
        }
        Waiter waitingWriter = writer;
        if (waitingWriter != null) {
            waitingWriter.signal();
        }
    }
}
