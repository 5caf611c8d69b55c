package dev.millrace.provider.nio;

import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A JDK channel's keys in a {@link KernelSelector}.
 *
 * @param watched in the inner selector
 * @param reaped in the reaper, for a channel that the application registered itself; null for a channel that we delegate to
 */
record KernelEnrollment(SelectionKey watched, @Nullable SelectionKey reaped) {
    void interest(int ops) {
        try {
            watched.interestOps(ops);
        } catch (CancelledKeyException e) {
            // the JDK channel was closed just now; the outer key is being cancelled by the same close
            assert !watched.isValid();
        }
    }

    void cancel() {
        watched.cancel();
        if (reaped != null) {
            reaped.cancel();
        }
    }
}
