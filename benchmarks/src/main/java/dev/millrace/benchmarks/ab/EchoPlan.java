package dev.millrace.benchmarks.ab;

import java.util.List;

/**
 * What the client does in each visit.
 *
 * @param warmUpMs the longest before each phase
 */
record EchoPlan(List<String> phases, long warmUpMs, long measureMs) {
    /** Upper bound of a visit's duration, JVM starts included. */
    long limitSeconds() {
        return 30 + 2L * phases.size() * (warmUpMs + measureMs) / 1000;
    }
}
