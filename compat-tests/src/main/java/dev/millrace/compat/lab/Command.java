package dev.millrace.compat.lab;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Commands that end by themselves: run, waited for within a bound, and judged by their exit code. */
public final class Command {
    private Command() {}

    /** Exit code and what was printed, standard output and error in one. */
    public record Result(int exitCode, String output) {}

    /** Runs {@code words} to their end; a command that takes longer than {@code limit} is killed, which is an error. */
    public static Result run(Duration limit, List<String> words) {
        try {
            Process process =
                    new ProcessBuilder(words).redirectErrorStream(true).start();
            process.getOutputStream().close();
            try (Watchdog watchdog = new Watchdog(process, limit)) {
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int exitCode = process.waitFor();
                if (watchdog.hasFired()) {
                    throw new LabException(String.join(" ", words) + ": took longer than " + limit + ":\n" + output);
                }
                return new Result(exitCode, output);
            }
        } catch (IOException e) {
            throw new LabException("cannot run " + words.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted in " + String.join(" ", words), e);
        }
    }

    /** As {@link #run}; throws unless the exit code is 0. Returns the output. */
    public static String succeed(Duration limit, List<String> words) {
        Result result = run(limit, words);
        if (result.exitCode() != 0) {
            throw new LabException(
                    String.join(" ", words) + ": exit code " + result.exitCode() + ":\n" + result.output());
        }
        return result.output();
    }

    /** Runs {@code words} and returns the SHA-256 of standard output; throws unless the exit code is 0. */
    public static String digest(Duration limit, List<String> words) {
        try {
            Process process = new ProcessBuilder(words)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            process.getOutputStream().close();
            try (Watchdog watchdog = new Watchdog(process, limit);
                    InputStream output = process.getInputStream()) {
                MessageDigest digest = MessageDigest.getInstance("SHA-256");
                byte[] piece = new byte[1 << 16];
                long total = 0;
                for (int read = output.read(piece); read >= 0; read = output.read(piece)) {
                    digest.update(piece, 0, read);
                    total += read;
                }
                int exitCode = process.waitFor();
                if (watchdog.hasFired() || exitCode != 0) {
                    throw new LabException(String.join(" ", words) + ": exit code " + exitCode + " after " + total
                            + " bytes" + (watchdog.hasFired() ? ", stopped after " + limit : ""));
                }
                return HexFormat.of().formatHex(digest.digest());
            }
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new LabException("cannot run " + words.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted in " + String.join(" ", words), e);
        }
    }

    /** Kills a process that has not ended within its limit. */
    private static final class Watchdog implements AutoCloseable {
        private final Thread thread;
        private volatile boolean fired;

        Watchdog(Process process, Duration limit) {
            thread = Thread.ofVirtual().start(() -> {
                try {
                    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                        fired = true;
                        process.descendants().forEach(ProcessHandle::destroyForcibly);
                        process.destroyForcibly();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }

        boolean hasFired() {
            return fired;
        }

        @Override
        public void close() {
            thread.interrupt();
        }
    }
}
