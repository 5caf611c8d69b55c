package dev.millrace.benchmarks.ab;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Kills the processes it watches when it is not closed in time, so that whoever reads from them is never stuck. */
final class Watchdog implements AutoCloseable {
    private final List<Process> watched = new CopyOnWriteArrayList<>();
    private final CountDownLatch done = new CountDownLatch(1);
    private volatile boolean fired;

    Watchdog(long limitSeconds) {
        Thread.ofVirtual().name("watchdog").start(() -> guard(limitSeconds));
    }

    private void guard(long limitSeconds) {
        try {
            if (!done.await(limitSeconds, TimeUnit.SECONDS)) {
                fired = true;
                watched.forEach(Process::destroyForcibly);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void watch(Process process) {
        watched.add(process);
        if (fired) {
            process.destroyForcibly();
        }
    }

    boolean hasFired() {
        return fired;
    }

    @Override
    public void close() {
        done.countDown();
    }
}
