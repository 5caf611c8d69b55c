package dev.millrace.io.sleep;

import dev.millrace.stack.port.Sleeper;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Sleeps parked, for links that have nothing in the kernel to wait on.
 *
 * <p>No wake is lost: the sleeper announces itself, then looks at {@code signalled}; the waker sets {@code signalled}, then looks for a sleeper. All
 * four are volatile, so at least one sees the other.
 */
public final class ParkingSleeper implements Sleeper {
    private volatile boolean signalled;
    private volatile @Nullable Thread sleeper;

    @Override
    public void await(long timeoutNs) {
        sleeper = Thread.currentThread();
        if (!signalled && timeoutNs > 0) {
            if (timeoutNs == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, timeoutNs);
            }
        }
        sleeper = null;
        signalled = false;
    }

    @Override
    public void wake() {
        signalled = true;
        Thread thread = sleeper;
        if (thread != null) {
            LockSupport.unpark(thread);
        }
    }
}
