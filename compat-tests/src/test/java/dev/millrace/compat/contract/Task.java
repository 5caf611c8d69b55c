package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** A call in a thread of its own, that a test can wait to see blocked, and whose result or exception it then takes. */
final class Task<T> {
    private final FutureTask<T> future;
    private final Thread thread;

    private Task(Callable<T> body, ThreadKind kind) {
        future = new FutureTask<>(body);
        thread = kind.start(future);
    }

    static <T> Task<T> start(Callable<T> body) {
        return new Task<>(body, ThreadKind.PLATFORM);
    }

    static <T> Task<T> start(ThreadKind kind, Callable<T> body) {
        return new Task<>(body, kind);
    }

    Thread thread() {
        return thread;
    }

    boolean isDone() {
        return future.isDone();
    }

    /** Returns once the thread waits inside a channel or selector: in the kernel, parked, or driving the stack until its turn comes. */
    Task<T> awaitBlocked() {
        while (!isBlocked()) {
            if (future.isDone()) {
                try {
                    fail("returned instead of blocking: " + future.get());
                } catch (ExecutionException e) {
                    fail("threw instead of blocking", e.getCause());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    fail("interrupted", e);
                }
            }
            Thread.yield();
        }
        return this;
    }

    private boolean isBlocked() {
        Thread.State state = thread.getState();
        boolean parked = state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
        StackTraceElement[] stack = thread.getStackTrace();
        if (stack.length == 0) {
            return false;
        }
        boolean inKernel = stack[0].isNativeMethod() && stack[0].getClassName().startsWith("sun.nio.ch.");
        boolean inChannel = false;
        boolean driving = false;
        for (StackTraceElement frame : stack) {
            String type = frame.getClassName();
            inChannel |= type.startsWith("sun.nio.ch.") || type.startsWith("dev.millrace.provider.");
            driving |= type.startsWith("dev.millrace.provider.driver.")
                    && frame.getMethodName().equals("await");
        }
        return inKernel || driving || (parked && inChannel);
    }

    /** What the call returned; rethrows what it threw. */
    T result() throws Exception {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception exception) {
                throw exception;
            }
            throw e;
        }
    }

    /** What the call threw, which must be of the given type. */
    <X extends Throwable> X failure(Class<X> type) throws InterruptedException {
        try {
            return fail("returned " + future.get() + " instead of throwing " + type.getSimpleName());
        } catch (ExecutionException e) {
            return assertInstanceOf(type, e.getCause());
        }
    }
}
