package dev.millrace.compat.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A process in the background whose output is collected, line by line, so that it can be waited for and shown. Any thread. */
public final class RunningProcess implements AutoCloseable {
    private static final Duration END_LIMIT = Duration.ofSeconds(20);

    private final String name;
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private final Thread reader;
    private boolean ended;

    private RunningProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        this.reader = Thread.ofPlatform().daemon().name("output of " + name).start(this::collect);
    }

    /** Starts {@code words}; standard output and error are collected as one. */
    static RunningProcess start(String name, List<String> words) {
        try {
            return new RunningProcess(
                    name, new ProcessBuilder(words).redirectErrorStream(true).start());
        } catch (IOException e) {
            throw new LabException("cannot run " + words.getFirst(), e);
        }
    }

    private void collect() {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                add(line);
            }
        } catch (IOException e) {
            // What a killed process had not yet written is lost with its pipe.
            add("(output ends: " + e.getMessage() + ")");
        } finally {
            synchronized (lines) {
                ended = true;
                lines.notifyAll();
            }
        }
    }

    private void add(String line) {
        synchronized (lines) {
            lines.add(line);
            lines.notifyAll();
        }
    }

    /** Waits for a line that {@code wanted} accepts, among those already printed or to come, and returns it. */
    public String awaitLine(Duration limit, Predicate<String> wanted) {
        return awaitLine(limit, 0, wanted);
    }

    /** As {@link #awaitLine(Duration, Predicate)}, without the first {@code skipped} lines; see {@link #lineCount}. */
    public String awaitLine(Duration limit, int skipped, Predicate<String> wanted) {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        synchronized (lines) {
            for (int next = skipped; ; next++) {
                while (next >= lines.size()) {
                    long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
                    if (ended || leftMs <= 0) {
                        throw new LabException(name + (ended ? " ended" : " did not, within " + limit + ",")
                                + " without the line that was awaited:\n" + output());
                    }
                    waitForMore(leftMs);
                }
                if (wanted.test(lines.get(next))) {
                    return lines.get(next);
                }
            }
        }
    }

    private void waitForMore(long limitMs) {
        try {
            lines.wait(limitMs);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted while waiting for " + name, e);
        }
    }

    /** Types a line into the process's standard input. */
    public void type(String line) {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException(name + ":\n" + output(), e);
        }
    }

    public int lineCount() {
        synchronized (lines) {
            return lines.size();
        }
    }

    /** What was printed until now. */
    public String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for the end of the process, and of its output; returns its exit code. */
    public int awaitEnd(Duration limit) {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new LabException(name + " did not end within " + limit + ":\n" + output());
            }
            reader.join();
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("interrupted while waiting for " + name, e);
        }
    }

    /** Ends the process as {@code kill -9} does, and then its children: the other way round a server replaces the worker it has lost. */
    public void kill() {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        awaitEnd(END_LIMIT);
    }

    /** Asks the process to end, so that its shutdown hooks run; kills it if it does not. */
    public void stop() {
        process.destroy();
        try {
            if (!process.waitFor(END_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                kill();
            }
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            kill();
        }
    }

    @Override
    public void close() {
        stop();
    }
}
