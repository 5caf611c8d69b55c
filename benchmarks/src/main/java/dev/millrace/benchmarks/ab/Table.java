package dev.millrace.benchmarks.ab;

import java.util.Locale;
import java.util.function.ToLongFunction;

/** The figures as text for a terminal. */
final class Table {
    private final Figures figures;
    private final StringBuilder text = new StringBuilder();

    Table(Figures figures) {
        this.figures = figures;
    }

    @Override
    public String toString() {
        text.setLength(0);
        row("", "Millrace", "kernel", "ratio", "target");
        for (String phase : figures.phases()) {
            row(
                    Phase.title(phase),
                    rate(phase, Side.MILLRACE),
                    rate(phase, Side.KERNEL),
                    String.format(Locale.ROOT, "%.2f x", figures.ratio(phase)),
                    target(phase));
        }
        for (String phase : figures.phases()) {
            if (figures.hasLatency(phase)) {
                latency(phase, "p50", PhaseResult.Latency::p50);
                latency(phase, "p90", PhaseResult.Latency::p90);
                latency(phase, "p99", PhaseResult.Latency::p99);
                latency(phase, "p99.9", PhaseResult.Latency::p999);
                latency(phase, "max", PhaseResult.Latency::max);
            }
        }
        return text.toString();
    }

    /** The figures of one side when only one was measured. */
    String oneSide(Side side) {
        text.setLength(0);
        for (String phase : figures.phases()) {
            text.append(String.format(Locale.ROOT, "%-22s %32s%n", Phase.title(phase), rate(phase, side)));
        }
        return text.toString();
    }

    private void latency(String phase, String name, ToLongFunction<PhaseResult.Latency> percentile) {
        Spread millrace = figures.latency(phase, Side.MILLRACE, percentile);
        Spread kernel = figures.latency(phase, Side.KERNEL, percentile);
        row(
                "latency " + name + ", " + phase + " conn.",
                micros(millrace),
                micros(kernel),
                String.format(Locale.ROOT, "%.2f x", kernel.median() / millrace.median()),
                "");
    }

    private String target(String phase) {
        double target = Phase.target(phase);
        if (target == 0) {
            return "";
        }
        return String.format(Locale.ROOT, "%.0f x %s", target, figures.ratio(phase) >= target ? "met" : "MISSED");
    }

    private String rate(String phase, Side side) {
        Spread spread = figures.rate(phase, side);
        return String.format(
                Locale.ROOT,
                "%,d /s (%.1f..%.1f k)",
                Math.round(spread.median()),
                spread.min() / 1000,
                spread.max() / 1000);
    }

    private static String micros(Spread spread) {
        return String.format(
                Locale.ROOT, "%.1f us (%.1f..%.1f)", spread.median() / 1000, spread.min() / 1000, spread.max() / 1000);
    }

    private void row(String name, String millrace, String kernel, String ratio, String target) {
        text.append(String.format(Locale.ROOT, "%-22s %32s %32s %8s  %s", name, millrace, kernel, ratio, target)
                        .stripTrailing())
                .append(System.lineSeparator());
    }
}
