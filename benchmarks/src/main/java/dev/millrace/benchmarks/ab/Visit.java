package dev.millrace.benchmarks.ab;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * One server JVM and one client JVM, each on a core of its own, from start to end. Whatever goes wrong in either is an exception that
 * carries the end of what they printed.
 */
final class Visit {
    private static final int TAIL_LINES = 25;
    private static final int STOP_SECONDS = 15;

    private final Path directory;
    private final long limitSeconds;

    /**
     * @param directory for the standard error of the two, as {@code server.err} and {@code client.err}
     * @param limitSeconds after which the two are killed and the visit has failed
     */
    Visit(Path directory, long limitSeconds) {
        this.directory = directory;
        this.limitSeconds = limitSeconds;
    }

    /**
     * Runs both to their end.
     *
     * @param clientCommand the client's, by the server's process id
     */
    List<PhaseResult> run(List<String> serverCommand, LongFunction<List<String>> clientCommand) throws IOException {
        Process server = start(serverCommand, "server.err");
        Process client = null;
        try (Watchdog watchdog = new Watchdog(limitSeconds)) {
            watchdog.watch(server);
            BufferedReader ready = server.inputReader();
            if (!"ready".equals(ready.readLine())) {
                throw failure("the server did not start", watchdog);
            }
            client = start(clientCommand.apply(server.pid()), "client.err");
            watchdog.watch(client);
            List<PhaseResult> results = results(client);
            if (stopped(client) != 0) {
                throw failure("the client failed", watchdog);
            }
            server.outputWriter().close();
            int status = stopped(server);
            if (status != 0) {
                throw failure("the server ended with status " + status, watchdog);
            }
            return results;
        } finally {
            kill(client);
            kill(server);
        }
    }

    private Process start(List<String> command, String errors) throws IOException {
        Files.deleteIfExists(directory.resolve(errors));
        return new ProcessBuilder(command)
                .redirectError(directory.resolve(errors).toFile())
                .start();
    }

    private static List<PhaseResult> results(Process client) throws IOException {
        List<PhaseResult> results = new ArrayList<>();
        BufferedReader lines = client.inputReader();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (PhaseResult.isResult(line)) {
                results.add(PhaseResult.parse(line));
            }
        }
        return results;
    }

    private static int stopped(Process process) throws IOException {
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("process " + process.pid() + " did not end within " + STOP_SECONDS + " s");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static void kill(@Nullable Process process) {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    private IOException failure(String what, Watchdog watchdog) throws IOException {
        String cause = watchdog.hasFired() ? what + " (stopped after " + limitSeconds + " s)" : what;
        return new IOException(cause + "\n" + tail("server.err") + tail("client.err"));
    }

    /** The first line of a process' standard error that says what Millrace does, or an empty string. */
    String announcement(String file) throws IOException {
        return Files.readAllLines(directory.resolve(file)).stream()
                .filter(line -> line.startsWith("millrace"))
                .findFirst()
                .orElse("");
    }

    private String tail(String file) throws IOException {
        Path path = directory.resolve(file);
        if (!Files.exists(path)) {
            return "";
        }
        List<String> lines = Files.readAllLines(path);
        List<String> end = lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size());
        return "--- " + file + "\n" + String.join("\n", end) + "\n";
    }
}
