package dev.millrace.benchmarks.ab;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the client measured in one phase of one visit.
 *
 * @param phase number of connections, or {@code short}
 * @param perSecond exchanges per second
 * @param latency nanoseconds per exchange at percentiles, or null when not recorded
 */
record PhaseResult(String phase, double perSecond, @Nullable Latency latency) {
    private static final String PREFIX = "result ";

    /** Nanoseconds from the message's first byte out to its last byte back. */
    record Latency(long p50, long p90, long p99, long p999, long max) {}

    static boolean isResult(String line) {
        return line.startsWith(PREFIX);
    }

    /** Reads the line that the client printed. */
    static PhaseResult parse(String line) {
        Map<String, String> fields = Stream.of(line.substring(PREFIX.length()).split(" ", -1))
                .map(field -> field.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        double seconds = number(fields, "nanos") / 1e9;
        Latency latency = !fields.containsKey("p50")
                ? null
                : new Latency(
                        number(fields, "p50"),
                        number(fields, "p90"),
                        number(fields, "p99"),
                        number(fields, "p999"),
                        number(fields, "max"));
        return new PhaseResult(text(fields, "phase"), number(fields, "exchanges") / seconds, latency);
    }

    private static long number(Map<String, String> fields, String name) {
        return Long.parseLong(text(fields, name));
    }

    private static String text(Map<String, String> fields, String name) {
        String value = fields.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the client's result lacks " + name + ": " + fields);
        }
        return value;
    }
}
