package dev.millrace.provider.agent;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A network namespace of this test's own; {@link #remove} removes it with everything in it. Needs root. */
final class Namespace {
    private static final AtomicInteger NEXT = new AtomicInteger();

    private final String name;

    Namespace() throws IOException, InterruptedException {
        name = "mrcfg" + ProcessHandle.current().pid() + "x" + NEXT.incrementAndGet();
        command("ip", "netns", "add", name);
    }

    static boolean possible() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** What a command in this namespace begins with. */
    String[] prefix() {
        return new String[] {"ip", "netns", "exec", name};
    }

    /** Runs a command inside and returns its output; its failure fails the test. */
    List<String> inside(String... words) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(prefix()));
        all.addAll(List.of(words));
        return command(all.toArray(String[]::new));
    }

    /** The names of its interfaces. */
    List<String> interfaces() throws IOException, InterruptedException {
        return inside("ls", "/sys/class/net");
    }

    static List<String> command(String... words) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        List<String> output = process.inputReader().lines().toList();
        if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new AssertionError(String.join(" ", words) + ": " + String.join("\n", output));
        }
        return output;
    }

    void remove() throws IOException, InterruptedException {
        command("ip", "netns", "del", name);
    }
}
