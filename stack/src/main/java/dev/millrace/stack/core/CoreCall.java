package dev.millrace.stack.core;

import dev.millrace.stack.tcp.TcpError;
import org.jspecify.annotations.Nullable;

/**
 * A request to a core with an answer: listen, connect. The application submits it with {@link StackCore#submit} and waits (driving
 * the core if it can) until {@link #isDone}; then either {@link #error} tells why not, or {@link #result} is there.
 */
public abstract class CoreCall<T> implements CoreCommand {
    private @Nullable T result;
    private TcpError error = TcpError.NONE;
    private Runnable whenDone = () -> {};
    private volatile boolean done;

    /** Runs on the core; {@code nowNs} is its clock. Calls {@link #succeed} or {@link #fail}. */
    @Override
    public abstract void execute(long nowNs);

    protected final void succeed(T value) {
        result = value;
        finish();
    }

    protected final void fail(TcpError why) {
        error = why;
        finish();
    }

    private void finish() {
        done = true;
        whenDone.run();
    }

    /** Called on the core's thread once done; set before submitting. */
    public final void whenDone(Runnable action) {
        whenDone = action;
    }

    public final boolean isDone() {
        return done;
    }

    /** Valid once done. */
    public final TcpError error() {
        return error;
    }

    /** Valid once done without error. */
    public final T result() {
        T value = result;
        if (value == null) {
            throw new IllegalStateException("no result: " + error);
        }
        return value;
    }
}
