package dev.millrace.benchmarks.echo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The CPU time that compiler threads of some JVMs have used, from {@code /proc/PID/task}. The JVM's own bean adds a compilation when it is done, and
 * one can last for seconds on a core that is shared with the program.
 */
final class CompilerThreads {
    private final long[] pids;

    /** @param pids of the JVMs, which run on this machine */
    CompilerThreads(long... pids) {
        this.pids = pids;
    }

    /** Nanoseconds since they began. */
    long cpuNs() {
        long sum = 0;
        for (long pid : pids) {
            try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
                for (Path thread : threads) {
                    sum += cpuNsOf(thread);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("the threads of process " + pid + " can't be read", e);
            }
        }
        return sum;
    }

    private static long cpuNsOf(Path thread) throws IOException {
        try {
            String name = Files.readString(thread.resolve("comm"));
            if (!name.startsWith("C1 Compiler") && !name.startsWith("C2 Compiler")) {
                return 0;
            }
            String times = Files.readString(thread.resolve("schedstat"));
            return Long.parseLong(times.substring(0, times.indexOf(' ')));
        } catch (NoSuchFileException e) {
            return 0; // it has ended meanwhile
        }
    }
}
