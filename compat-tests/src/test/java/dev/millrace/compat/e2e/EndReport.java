package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a JVM on Millrace reports at its end ({@code report=<file>}), and what must stand in it. */
record EndReport(String text) {
    /** Stops the server in the ordinary way and reads its report; its own output must show no exception. */
    static EndReport of(RunningProcess server, Path file) throws IOException {
        server.stop();
        assertFalse(server.output().contains("Exception"), server.output());
        return new EndReport(Applications.ORACLE ? "" : Files.readString(file));
    }

    /** The socket journal says that {@code socket} went to {@code route}. */
    EndReport routed(String socket, String route) {
        assertTrue(
                Applications.ORACLE
                        || text.lines().anyMatch(line -> line.contains(socket) && line.contains("-> " + route + ":")),
                "no " + socket + " -> " + route + " in\n" + text);
        return this;
    }

    /** A counter, 0 if it is not in the report. */
    long counter(String name) {
        return text.lines()
                .map(String::strip)
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> firstNumber(line.substring(name.length()).strip()))
                .findFirst()
                .orElse(0);
    }

    private static long firstNumber(String text) {
        return Long.parseLong(text.substring(0, text.indexOf(' ')).replace(",", ""));
    }
}
