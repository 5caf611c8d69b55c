package dev.millrace.benchmarks.jmh;

import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.Main;

/**
 * {@code ./millrace bench [name] [JMH options]}: runs the JMH benchmarks whose name contains {@code name}, with the allocation profiler,
 * in a JVM each. Two forks of five one-second iterations unless told otherwise.
 */
public final class Bench {
    private Bench() {}

    public static void main(String[] args) throws Exception {
        List<String> options = new ArrayList<>(List.of(args));
        if (options.isEmpty() || options.getFirst().startsWith("-")) {
            options.addFirst("dev.millrace.benchmarks.jmh");
        }
        add(options, "-f", "2");
        add(options, "-wi", "4");
        add(options, "-w", "1s");
        add(options, "-i", "5");
        add(options, "-r", "1s");
        options.addAll(List.of("-prof", "gc", "-jvmArgsAppend", jvmArguments()));
        Main.main(options.toArray(String[]::new));
    }

    private static void add(List<String> options, String name, String value) {
        if (!options.contains(name)) {
            options.addAll(List.of(name, value));
        }
    }

    private static String jvmArguments() {
        return "--enable-native-access=ALL-UNNAMED --add-exports java.base/sun.nio.ch=ALL-UNNAMED"
                + " -XX:+UseSerialGC -Xms256m -Xmx256m -Dmillrace.quiet=true";
    }
}
