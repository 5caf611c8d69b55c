package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.LabException;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** What a lab leaves behind when it ends while others still use it, as when a run of many labs is told to end: nothing. */
@RequiresLab
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "nothing of Millrace is in it")
class LabIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void commandsThatOthersWaitForEndWithTheLab() throws Exception {
        CompletableFuture<Command.Result> waiting;
        try (Lab lab = new Lab()) {
            Namespace namespace = lab.namespace("n");
            RunningProcess announcer = namespace.start("announcer", List.of("sh", "-c", "echo here; exec sleep 50"));
            waiting = CompletableFuture.supplyAsync(() -> namespace.run(LIMIT, List.of("sleep", "50")));
            announcer.awaitLine(LIMIT, line -> line.equals("here"));
            awaitProcesses(namespace, 2);
        }
        int killed = 128 + 9;
        assertEquals(killed, waiting.get(10, TimeUnit.SECONDS).exitCode());
    }

    @Test
    void nothingStartsInALabThatHasEnded() {
        Namespace namespace;
        try (Lab lab = new Lab()) {
            namespace = lab.namespace("n");
        }
        assertThrows(LabException.class, () -> namespace.start("late", List.of("sleep", "50")));
    }

    private static void awaitProcesses(Namespace namespace, long count) {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (processes(namespace) < count) {
            if (System.nanoTime() - end >= 0) {
                throw new AssertionError("fewer than " + count + " processes after " + LIMIT);
            }
            Thread.onSpinWait();
        }
    }

    private static long processes(Namespace namespace) {
        return Command.succeed(LIMIT, List.of("ip", "netns", "pids", namespace.name()))
                .lines()
                .count();
    }
}
