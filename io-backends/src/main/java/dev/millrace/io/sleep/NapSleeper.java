package dev.millrace.io.sleep;

import dev.millrace.stack.port.Sleeper;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Sleeps where a device cannot call: naps that grow while nothing comes, so that an idle core costs little and a busy one notices a frame
 * soon. {@link #wake} ends a nap at once, by the same protocol as in {@link ParkingSleeper}.
 */
public final class NapSleeper implements Sleeper {
    private static final long SHORTEST_NS = 20_000;
    private static final long LONGEST_NS = 500_000;

    private volatile boolean signalled;
    private volatile @Nullable Thread sleeper;
    private long napNs = SHORTEST_NS;

    /** A frame has come: the next nap is a short one. Sleeper. */
    public void onTraffic() {
        napNs = SHORTEST_NS;
    }

    @Override
    public void await(long timeoutNs) {
        sleeper = Thread.currentThread();
        if (!signalled && timeoutNs > 0) {
            LockSupport.parkNanos(this, Math.min(timeoutNs, napNs));
            napNs = Math.min(napNs * 2, LONGEST_NS);
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
