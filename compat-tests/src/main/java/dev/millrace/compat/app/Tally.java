package dev.millrace.compat.app;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What a load did: requests answered rightly, errors, the first error's text, and the latency of each request. Any thread may add to
 * it; it is read when all have ended.
 */
public final class Tally {
    private final long[] latenciesNs;
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicInteger errors = new AtomicInteger();
    private final AtomicReference<@Nullable String> firstError = new AtomicReference<>();
    private final AtomicLong startNs = new AtomicLong(System.nanoTime());

    /** A tally for at most {@code requests} requests. */
    public Tally(int requests) {
        latenciesNs = new long[requests];
    }

    /** Lets time count from now: connections that a load opens beforehand are no part of its rate. */
    public void restartClock() {
        startNs.set(System.nanoTime());
    }

    public void onAnswer(long latencyNs) {
        latenciesNs[answered.getAndIncrement()] = latencyNs;
    }

    public void onError(Object error) {
        errors.incrementAndGet();
        firstError.compareAndSet(null, String.valueOf(error));
    }

    public boolean isComplete() {
        return errors.get() == 0 && answered.get() == latenciesNs.length;
    }

    /** One line: {@code requests=… errors=… seconds=… perSecond=… p50us=… p99us=…}, and the first error's text. */
    public String summary() {
        double seconds = (System.nanoTime() - startNs.get()) / 1e9;
        int count = answered.get();
        long[] sorted = Arrays.copyOf(latenciesNs, count);
        Arrays.sort(sorted);
        String line = String.format(
                Locale.ROOT,
                "requests=%d errors=%d seconds=%.3f perSecond=%.0f p50us=%.0f p99us=%.0f",
                count,
                errors.get(),
                seconds,
                count / seconds,
                quantileUs(sorted, 0.50),
                quantileUs(sorted, 0.99));
        String error = firstError.get();
        return error == null ? line : line + " firstError=" + error;
    }

    private static double quantileUs(long[] sorted, double quantile) {
        return sorted.length == 0 ? 0 : sorted[(int) (quantile * (sorted.length - 1))] / 1e3;
    }
}
