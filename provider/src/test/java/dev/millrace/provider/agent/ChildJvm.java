package dev.millrace.provider.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A JVM of its own that runs {@link Probe}, an application that knows nothing of Millrace, with chosen flags. */
final class ChildJvm {
    /** Made by the package phase, before the tests whose names end in IT. */
    static final Path JAR = Path.of("target", "millrace.jar").toAbsolutePath();

    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final int DEADLINE_SECONDS = 60;

    private final List<String> command = new ArrayList<>(List.of(JAVA.toString()));
    private final List<String> prefix = new ArrayList<>();

    /** How it ended. */
    record Result(int exitCode, List<String> out, List<String> err) {}

    ChildJvm flag(String flag) {
        command.add(flag);
        return this;
    }

    /** @param argument of the agent, without the {@code =} */
    ChildJvm agent(String argument) {
        return flag("-javaagent:" + JAR + (argument.isEmpty() ? "" : "=" + argument));
    }

    /** Runs the whole command through another one, e.g. {@code ip netns exec x}. */
    ChildJvm through(String... words) {
        prefix.addAll(List.of(words));
        return this;
    }

    /** The folder of the probe's class and, if wanted, Millrace's jar. */
    ChildJvm classPath(Path probe, boolean withJar) {
        command.addAll(List.of("-cp", withJar ? probe + ":" + JAR : probe.toString()));
        return this;
    }

    /** Starts it with pipes to its input and output; stderr is discarded. */
    Process start(String... arguments) throws IOException {
        List<String> all = new ArrayList<>(prefix);
        all.addAll(command);
        all.addAll(List.of(arguments));
        return new ProcessBuilder(all)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    Result run(String... arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("probe", ".out");
        Path err = Files.createTempFile("probe", ".err");
        try {
            List<String> all = new ArrayList<>(prefix);
            all.addAll(command);
            all.addAll(List.of(arguments));
            ProcessBuilder builder = new ProcessBuilder(all)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            Map<String, String> environment = builder.environment();
            environment.remove("JAVA_TOOL_OPTIONS"); // the JVM would announce it on stderr
            environment.remove("JDK_JAVA_OPTIONS");
            Process process = builder.start();
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("no end after " + DEADLINE_SECONDS + " s: " + all + "\n"
                        + Files.readString(out) + Files.readString(err));
            }
            return new Result(process.exitValue(), Files.readAllLines(out), Files.readAllLines(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
