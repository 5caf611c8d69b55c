package dev.millrace.compat.packetdrill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * {@code ./millrace packetdrill FILE|DIR…}: plays scripts, prints a line for each, and exits 1 when one fails, 2 when the arguments are
 * wrong.
 */
public final class Packetdrill {
    private static final String USAGE = """
            usage: ./millrace packetdrill [options] FILE|DIR...
              --personality linux|freebsd   whose defaults the scripts take for granted (linux)
              --failures                    print only what did not pass
              --define=NAME,...             what #ifdef finds defined, instead of Linux or FreeBSD
              -D NAME=VALUE                 what a word of the scripts stands for, as for packetdrill itself
              --name=value                  an option of packetdrill's, for every script: --ip_version=ipv6, --tolerance_usecs=10000""";

    private Personality personality = Personality.LINUX;
    private boolean failuresOnly;
    private final Map<String, String> options = new LinkedHashMap<>();
    private final List<Path> scripts = new ArrayList<>();

    private Packetdrill() {}

    /** See the class. */
    public static void main(String[] arguments) throws IOException {
        Packetdrill packetdrill = new Packetdrill();
        try {
            packetdrill.read(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println("packetdrill: " + e.getMessage() + "\n" + USAGE);
            System.exit(2);
        }
        System.exit(packetdrill.run());
    }

    private void read(String[] arguments) throws IOException {
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            if (argument.equals("--personality") && i + 1 < arguments.length) {
                personality(arguments[++i]);
            } else if (argument.startsWith("--personality=")) {
                personality(argument.substring("--personality=".length()));
            } else if (argument.equals("--failures")) {
                failuresOnly = true;
            } else if (argument.equals("-D") && i + 1 < arguments.length) {
                define(arguments[++i]);
            } else if (argument.startsWith("--") && argument.contains("=")) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(2, equals).replace('-', '_'), argument.substring(equals + 1));
            } else if (argument.startsWith("-")) {
                throw new IllegalArgumentException("unknown option " + argument);
            } else {
                add(Path.of(argument));
            }
        }
        if (scripts.isEmpty()) {
            throw new IllegalArgumentException("no scripts: name files, or directories that hold *.pkt");
        }
    }

    private void define(String definition) {
        int equals = definition.indexOf('=');
        if (equals <= 0) {
            throw new IllegalArgumentException("-D " + definition + ": NAME=VALUE is needed");
        }
        options.put(Verdict.DEFINE + definition.substring(0, equals), definition.substring(equals + 1));
    }

    private void personality(String name) {
        try {
            personality = Personality.of(name);
        } catch (ScriptException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private void add(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new IllegalArgumentException(path + " does not exist");
        }
        if (!Files.isDirectory(path)) {
            scripts.add(path);
            return;
        }
        scripts.addAll(in(path));
    }

    /** The scripts in a directory and those below it, by name. */
    static List<Path> in(Path directory) throws IOException {
        try (Stream<Path> found = Files.walk(directory)) {
            return found.filter(each -> each.toString().endsWith(".pkt"))
                    .sorted()
                    .toList();
        }
    }

    private int run() {
        EnumMap<Verdict.Kind, Integer> counts = new EnumMap<>(Verdict.Kind.class);
        for (Path script : scripts) {
            Verdict verdict = Verdict.of(script, personality, options);
            counts.merge(verdict.kind(), 1, Integer::sum);
            if (!failuresOnly || verdict.kind() != Verdict.Kind.PASSED) {
                System.out.println(verdict.line());
            }
        }
        int failed = counts.getOrDefault(Verdict.Kind.FAILED, 0);
        System.out.println(counts.getOrDefault(Verdict.Kind.PASSED, 0) + " passed, " + failed + " failed, "
                + counts.getOrDefault(Verdict.Kind.UNSUPPORTED, 0) + " skipped");
        return failed == 0 ? 0 : 1;
    }
}
