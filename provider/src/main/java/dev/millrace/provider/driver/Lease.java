package dev.millrace.provider.driver;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The right to turn one core, held by one thread at a time. Taking it is one compare-and-set, giving it back one release store; nobody ever
 * waits inside. What a holder did to the core happens-before what the next one does.
 */
final class Lease {
    private static final VarHandle HOLDER;

    static {
        try {
            HOLDER = MethodHandles.lookup().findVarHandle(Lease.class, "holder", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private @Nullable Thread holder;

    boolean tryAcquire() {
        return HOLDER.getAcquire(this) == null && HOLDER.compareAndSet(this, null, Thread.currentThread());
    }

    void release() {
        assert Thread.currentThread().equals(holder) : "released by a thread that does not hold it";
        HOLDER.setRelease(this, null);
    }

    boolean isHeld() {
        return HOLDER.getAcquire(this) != null;
    }
}
