package dev.millrace.benchmarks.ab;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;

/** Everything measured, by phase and side. */
final class Figures {
    private final Map<String, Map<Side, List<PhaseResult>>> results = new LinkedHashMap<>();

    void add(Side side, List<PhaseResult> visit) {
        for (PhaseResult result : visit) {
            results.computeIfAbsent(result.phase(), phase -> new EnumMap<>(Side.class))
                    .computeIfAbsent(side, s -> new ArrayList<>())
                    .add(result);
        }
    }

    Set<String> phases() {
        return results.keySet();
    }

    boolean hasLatency(String phase) {
        return of(phase, Side.KERNEL).stream().anyMatch(result -> result.latency() != null);
    }

    private List<PhaseResult> of(String phase, Side side) {
        return results.getOrDefault(phase, Map.of()).getOrDefault(side, List.of());
    }

    /** Exchanges per second of all visits. */
    Spread rate(String phase, Side side) {
        return Spread.of(of(phase, side).stream().mapToDouble(PhaseResult::perSecond));
    }

    /** One percentile of all visits, in nanoseconds. */
    Spread latency(String phase, Side side, ToLongFunction<PhaseResult.Latency> percentile) {
        return Spread.of(of(phase, side).stream()
                .map(PhaseResult::latency)
                .filter(latency -> latency != null)
                .mapToDouble(latency -> percentile.applyAsLong(latency)));
    }

    /** Median Millrace over median kernel. */
    double ratio(String phase) {
        return rate(phase, Side.MILLRACE).median() / rate(phase, Side.KERNEL).median();
    }
}
