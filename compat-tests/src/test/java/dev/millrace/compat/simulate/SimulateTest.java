package dev.millrace.compat.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.metrics.Counter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Many worlds, the worlds that once found something, and that a seed means the same world each time. */
class SimulateTest {
    /** {@code -Dmillrace.seeds=N} lives through another number of worlds. */
    private static final long SEEDS = Long.getLong("millrace.seeds", 2_000);

    /** Seeds from which on everything that a world may hold has to have occurred. */
    private static final long ENOUGH = 2_000;

    private static final int MESSAGES = 20;

    @Test
    @Timeout(value = 40, unit = TimeUnit.MINUTES) // a bound for machines that others use, too
    void nothingBreaksInAnyWorld() {
        Tally all = new Tally();
        List<String> failures = new ArrayList<>();
        LongStream.rangeClosed(1, SEEDS).parallel().mapToObj(SeedRun::of).forEach(run -> {
            synchronized (all) {
                all.add(run.tally());
                if (run.failed()) {
                    failures.add(run.message());
                }
            }
        });
        System.out.println(all.report(SEEDS));
        assertTrue(
                failures.isEmpty(),
                () -> failures.size() + " of " + SEEDS + " worlds failed:\n"
                        + String.join("\n", failures.subList(0, Math.min(MESSAGES, failures.size()))));
        assertTrue(
                SEEDS < ENOUGH || exercises(all), "the worlds no longer do what they are for:\n" + all.report(SEEDS));
    }

    /** Every fault and every attack occurs, and most talks succeed all the same. */
    private static boolean exercises(Tally all) {
        long[] faults = {
            all.lost,
            all.cutOff,
            all.corrupted,
            all.duplicated,
            all.delayed,
            all.overflowed,
            all.tooBig,
            all.ringFull,
            all.crashes,
            all.pauses,
            all.aborted,
            all.strangers,
            all.forged,
            all.replayed,
            all.icmpForged,
            all.fragmented,
            all.answers
        };
        Counter[] rules = {
            Counter.TCP_TIMEOUTS,
            Counter.TCP_WINDOW_PROBES,
            Counter.TCP_KEEPALIVE_PROBES,
            Counter.TCP_CHALLENGE_ACKS,
            Counter.TCP_OUT_OF_ORDER,
            Counter.TCP_TIME_WAIT,
            Counter.TCP_SYN_COOKIES_RECEIVED,
            Counter.TCP_FAST_OPEN_ACTIVE,
            Counter.TCP_FAST_OPEN_PASSIVE,
            Counter.TCP_LOSS_PROBES,
            Counter.TCP_REDUCTIONS_UNDONE,
            Counter.TCP_ECN_REDUCTIONS,
            Counter.TCP_MTU_PROBES_DELIVERED,
            Counter.TCP_MTU_BLACK_HOLES,
            Counter.TCP_ICMP_OUT_OF_WINDOW,
            Counter.PACKETS_REASSEMBLED,
            Counter.DROP_TCP_LISTEN_OVERFLOW,
            Counter.DROP_TCP_OLD_TIMESTAMP,
            Counter.DROP_TCP_BAD_ACK,
            Counter.DROP_TCP_BAD_RESET,
            Counter.DROP_TCP_CHECKSUM
        };
        return Arrays.stream(faults).allMatch(count -> count > 0)
                && Arrays.stream(rules).allMatch(rule -> all.get(rule) > 0)
                && all.completed * 3 > all.conversations;
    }

    static List<Long> regressionSeeds() throws IOException {
        InputStream list = Objects.requireNonNull(
                SimulateTest.class.getResourceAsStream("/simulate/regression-seeds.txt"), "regression-seeds.txt");
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(list, StandardCharsets.UTF_8))) {
            return lines.lines()
                    .map(line -> line.replaceFirst("#.*", "").strip())
                    .filter(line -> !line.isEmpty())
                    .map(Long::valueOf)
                    .toList();
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("regressionSeeds")
    void whatASeedOnceFoundStaysMended(long seed) {
        SeedRun run = SeedRun.of(seed);
        assertFalse(run.failed(), run::message);
    }

    /** A hash over every frame, where and when it was sent, and what became of it. */
    private static long fingerprint(long seed) {
        long[] hash = {seed};
        SeedRun run = new SeedRun(seed, (sinceNs, from, to, frame, fate) -> {
            long mixed = sinceNs * 31 + from * 7L + to;
            hash[0] =
                    (hash[0] ^ mixed ^ (long) Arrays.hashCode(frame) << 16 ^ fate.hashCode()) * 0x9e37_79b9_7f4a_7c15L;
        });
        assertFalse(run.failed(), run::message);
        return hash[0];
    }

    @Test
    void aSeedGivesTheSameRunEachTime() {
        for (long seed = 1; seed <= 12; seed++) {
            assertEquals(fingerprint(seed), fingerprint(seed), "seed " + seed);
        }
    }
}
