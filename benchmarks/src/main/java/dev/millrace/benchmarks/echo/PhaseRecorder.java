package dev.millrace.benchmarks.echo;

import java.util.Locale;
import org.HdrHistogram.Histogram;

/** Counts the exchanges of one phase between the end of its warm-up and its end, and the time each took if asked to. */
final class PhaseRecorder {
    private static final long LONGEST_NS = 10_000_000_000L;

    private final WarmUp warmUp;
    private final long measureNs;
    private final boolean each;
    private final Histogram histogram = new Histogram(LONGEST_NS, 3);

    private long measureFromNs;
    private long endNs;
    private long lastNs;
    private long exchanges;
    private boolean measuring;
    private boolean over;

    /** @param each whether the time of each exchange is recorded; meaningful for one connection only */
    PhaseRecorder(WarmUp warmUp, long measureNs, boolean each) {
        this.warmUp = warmUp;
        this.measureNs = measureNs;
        this.each = each;
    }

    void begin(long nowNs) {
        warmUp.begin(nowNs);
        lastNs = nowNs;
    }

    /** After each exchange. */
    void onExchange() {
        exchanges++;
        if (each) {
            long nowNs = System.nanoTime();
            histogram.recordValue(Math.min(nowNs - lastNs, LONGEST_NS));
            lastNs = nowNs;
        }
    }

    /** After each turn of the loop. */
    void onTime(long nowNs) {
        if (measuring) {
            if (nowNs - measureFromNs >= measureNs) {
                endNs = nowNs;
                over = true;
            }
        } else if (warmUp.isOver(nowNs, exchanges)) {
            measuring = true;
            measureFromNs = nowNs;
            exchanges = 0;
            histogram.reset();
        }
    }

    boolean isOver() {
        return over;
    }

    /** What {@code dev.millrace.benchmarks.ab.PhaseResult} reads. */
    String line(String phase) {
        String counted = "result phase=" + phase + " exchanges=" + exchanges + " nanos=" + (endNs - measureFromNs);
        if (!each) {
            return counted;
        }
        return counted
                + String.format(
                        Locale.ROOT,
                        " p50=%d p90=%d p99=%d p999=%d max=%d",
                        histogram.getValueAtPercentile(50),
                        histogram.getValueAtPercentile(90),
                        histogram.getValueAtPercentile(99),
                        histogram.getValueAtPercentile(99.9),
                        histogram.getMaxValue());
    }
}
