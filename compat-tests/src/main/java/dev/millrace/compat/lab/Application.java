package dev.millrace.compat.lab;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a JVM with one of the applications is started: with Millrace as its agent, or without. The application's class path holds itself,
 * Netty and Jetty, and nothing of Millrace.
 *
 * @param classPath the folder or jar with the applications, and the folder with their libraries
 * @param agentJar the jar of the agent
 */
public record Application(List<Path> classPath, Path agentJar) {
    /** The command for a JVM on the kernel's network. */
    public List<String> onKernel(String mainClass, String... arguments) {
        return command(null, List.of(), mainClass, arguments);
    }

    /** The command for a JVM on Millrace; {@code settings} is what follows the jar's name in the agent's argument. */
    public List<String> onMillrace(String settings, String mainClass, String... arguments) {
        return command(settings, List.of(), mainClass, arguments);
    }

    /** As {@link #onMillrace}, with further flags for the JVM. */
    public List<String> onMillrace(String settings, List<String> flags, String mainClass, String... arguments) {
        return command(settings, flags, mainClass, arguments);
    }

    private List<String> command(@Nullable String settings, List<String> flags, String mainClass, String... arguments) {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (settings != null) {
            words.add("-javaagent:" + agentJar.toAbsolutePath() + (settings.isEmpty() ? "" : "=" + settings));
        }
        words.add("-Xmx512m");
        words.add("-XX:+UseSerialGC");
        words.addAll(flags);
        words.add("-cp");
        words.add(String.join(
                File.pathSeparator,
                classPath.stream().map(path -> path.toAbsolutePath().toString()).toList()));
        words.add(mainClass);
        words.addAll(List.of(arguments));
        return words;
    }
}
