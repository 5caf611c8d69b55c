package dev.millrace.io.sleep;

import dev.millrace.stack.port.Sleeper;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Sleeps where a device cannot call: it gives way to other threads at first, for its caller polls again in between, and then takes naps that grow while
 * nothing comes, so that an idle core costs little and a busy one notices a frame soon. The shortest nap takes a hundred microseconds where a
 * virtual CPU must be woken from its halt, and two ends that wait for each other's answers would nap in turn. {@link #wake} ends a
 * nap at once, by the same protocol as in {@link ParkingSleeper}.
 */
public final class NapSleeper implements Sleeper {
    /** Before the first nap after a frame; with the usual 50 µs of polling before each, a millisecond. */
    private static final int YIELDS = 20;

    private static final long SHORTEST_NS = 20_000;
    private static final long LONGEST_NS = 500_000;

    private volatile boolean signalled;
    private volatile @Nullable Thread sleeper;
    // sleeper's own
    private int yields;
    private long napNs = SHORTEST_NS;

    /** A frame has come: the next is expected soon. Sleeper. */
    public void onTraffic() {
        yields = 0;
        napNs = SHORTEST_NS;
    }

    @Override
    public void await(long timeoutNs) {
        if (yields < YIELDS) {
            yields++;
            Thread.yield();
            return; // whoever has called meanwhile is seen by the caller's next look, or ends its next sleep
        }
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
