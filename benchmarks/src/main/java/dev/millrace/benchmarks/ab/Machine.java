package dev.millrace.benchmarks.ab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What the figures were measured on. */
final class Machine {
    private Machine() {}

    static String describe() throws IOException {
        return String.format(
                Locale.ROOT,
                "%s, %d CPUs; %s; Java %s",
                field("/proc/cpuinfo", "model name"),
                Runtime.getRuntime().availableProcessors(),
                Files.readString(Path.of("/proc/version")).replaceFirst("(Linux version \\S+).*\\n", "$1"),
                Runtime.version());
    }

    /** CPUs this process may use, those on different physical cores first. */
    static List<Integer> cpus() throws IOException {
        List<Integer> first = new ArrayList<>();
        List<Integer> siblings = new ArrayList<>();
        for (int cpu : list(field("/proc/self/status", "Cpus_allowed_list"))) {
            Path threads = Path.of("/sys/devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list");
            boolean second = Files.exists(threads)
                    && list(Files.readString(threads).strip()).stream().anyMatch(first::contains);
            (second ? siblings : first).add(cpu);
        }
        first.addAll(siblings);
        return first;
    }

    /** The kernel's list format: {@code 0-3,8}. */
    private static List<Integer> list(String text) {
        List<Integer> numbers = new ArrayList<>();
        for (String range : text.split(",", -1)) {
            String[] ends = range.split("-", -1);
            for (int n = Integer.parseInt(ends[0]); n <= Integer.parseInt(ends[ends.length - 1]); n++) {
                numbers.add(n);
            }
        }
        return numbers;
    }

    private static String field(String file, String name) throws IOException {
        try (var lines = Files.lines(Path.of(file))) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown " + name);
        }
    }
}
