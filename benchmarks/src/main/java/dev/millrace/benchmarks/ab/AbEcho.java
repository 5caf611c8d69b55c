package dev.millrace.benchmarks.ab;

import dev.millrace.benchmarks.echo.EchoServer;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./millrace ab echo}: how many 64-byte exchanges per second does an unmodified NIO server give its client, with the flag and
 * without it? Two JVMs on a core each; rounds interleaved A B B A.
 */
@Command(
        name = "ab echo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "A 64-byte NIO echo between two JVMs, on Millrace and on the kernel's loopback, side by side.")
public final class AbEcho implements Callable<Integer> {
    @Option(names = "--link", paramLabel = "LINK", description = "memif (default), vhost, or '<server> <client>' links")
    private String link = "memif";

    @Option(
            names = "--connections",
            split = ",",
            paramLabel = "N|short",
            description = "phases: so many connections, or short ones (default 1,32,256,short)")
    private List<String> phases = List.of("1", "32", "256", Phase.SHORT);

    @Option(names = "--rounds", description = "visits to each side (default 4)")
    private int rounds = 4;

    @Option(names = "--seconds", description = "measured seconds of a phase (default 2)")
    private double seconds = 2;

    @Option(
            names = "--warm-up",
            description = "longest warm-up of a phase in seconds (default 20); it ends when the JVM has done compiling")
    private double warmUp = 20;

    @Option(names = "--quick", description = "one round of one second a phase: a check, not a measurement")
    private boolean quick;

    @Option(names = "--only", description = "millrace or kernel: one side alone")
    private @Nullable Side only;

    @Option(names = "--settings", description = "more settings for Millrace: 'key=value;key=value'")
    private String settings = "";

    @Option(names = "--jvm-args", description = "for all JVMs (default -Xms256m -Xmx256m)")
    private String jvmArguments = "-Xms256m -Xmx256m";

    @Option(names = "--enforce", description = "exit with 3 when a target is missed")
    private boolean enforce;

    @Option(names = "--port", description = "the server's port; the next one is used too (default 7007)")
    private int port = 7007;

    @Option(names = "--jar", required = true, hidden = true, description = "millrace.jar")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path jar;

    private final PrintStream out = System.out;

    public static void main(String[] args) {
        CommandLine command = new CommandLine(new AbEcho()).setCaseInsensitiveEnumValuesAllowed(true);
        command.setExecutionExceptionHandler((failure, line, result) -> {
            line.getErr().println("ab echo: " + (failure.getMessage() == null ? failure : failure.getMessage()));
            return 1;
        });
        System.exit(command.execute(args));
    }

    @Override
    public Integer call() throws IOException {
        EchoPlan plan = plan();
        List<Integer> cpus = Machine.cpus();
        if (cpus.size() < 2) {
            throw new IOException("two CPUs are needed, one for each JVM; this process may use " + cpus.size());
        }
        Path directory = Files.createTempDirectory("millrace-ab");
        Cleanup cleanup = new Cleanup(directory);
        Runtime.getRuntime().addShutdownHook(new Thread(cleanup::run));
        try {
            describe(cpus);
            String more = settings.isEmpty() ? "" : ";" + settings;
            if (only != Side.KERNEL && LinkPair.of(link, directory).isDpdk()) {
                if (HugePages.mayReserve()) {
                    cleanup.pages = HugePages.reserve();
                } else {
                    out.println("memory    ordinary pages: only root may reserve huge ones");
                }
            }
            Figures figures = visitAll(plan, cpus, directory, more);
            out.println();
            out.print(only == null ? new Table(figures).toString() : new Table(figures).oneSide(only));
            return only == null ? verdict(figures) : 0;
        } finally {
            cleanup.run();
        }
    }

    private EchoPlan plan() {
        for (String phase : phases) {
            if (!phase.equals(Phase.SHORT) && !phase.matches("[1-9][0-9]{0,4}")) {
                throw new IllegalArgumentException("--connections=" + phase + ": expected a number or " + Phase.SHORT);
            }
        }
        if (quick) {
            rounds = 1;
            seconds = 1;
            warmUp = Math.min(warmUp, 3);
        }
        return new EchoPlan(phases, (long) (warmUp * 1000), (long) (seconds * 1000));
    }

    private void describe(List<Integer> cpus) throws IOException {
        out.println("machine   " + Machine.describe());
        out.println("programs  64-byte NIO echo, server on CPU " + cpus.get(0) + ", client on CPU " + cpus.get(1)
                + ", JVM arguments " + jvmArguments);
        out.println("sides     Millrace over " + link + (settings.isEmpty() ? "" : " with " + settings)
                + "; the kernel's loopback");
        out.println("rounds    " + rounds + " of each side, interleaved; " + seconds
                + " s once the JVM has done compiling, " + warmUp + " s at most; median (min..max)");
    }

    private Figures visitAll(EchoPlan plan, List<Integer> cpus, Path directory, String more) throws IOException {
        EchoCommands commands = new EchoCommands(
                jar.toAbsolutePath(),
                locationOf(EchoServer.class) + File.pathSeparator + locationOf(Histogram.class),
                List.of(jvmArguments.split(" ", -1)),
                cpus,
                port);
        Figures figures = new Figures();
        for (int i = 0; i < 2 * rounds; i++) {
            Side side = Side.ofVisit(i);
            if (only == null || only == side) {
                visit(i, side, commands, plan, directory, more, figures);
            }
        }
        return figures;
    }

    /** The echo programs get their own classes and nothing of Millrace: that comes with the flag. */
    private static Path locationOf(Class<?> type) {
        return Path.of(URI.create(
                type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    private void visit(
            int index, Side side, EchoCommands commands, EchoPlan plan, Path parent, String more, Figures figures)
            throws IOException {
        Path directory = Files.createDirectory(parent.resolve("visit-" + index));
        LinkPair pair = LinkPair.of(link, directory);
        Visit visit = new Visit(directory, plan.limitSeconds());
        List<PhaseResult> results =
                visit.run(commands.server(side, pair, more), pid -> commands.client(side, pair, more, plan, pid));
        if (results.size() != plan.phases().size()) {
            throw new IOException("the client reported " + results.size() + " of "
                    + plan.phases().size() + " phases");
        }
        String said = visit.announcement("server.err");
        if (index == 0 && !said.isEmpty()) {
            out.println("server    " + said);
        }
        figures.add(side, results);
        StringBuilder line = new StringBuilder(String.format("visit %-3d %-9s", index + 1, side));
        results.forEach(
                result -> line.append(String.format(" %s: %,d /s ", result.phase(), (long) result.perSecond())));
        out.println(line.toString().stripTrailing());
    }

    private int verdict(Figures figures) {
        boolean met = figures.phases().stream().allMatch(phase -> figures.ratio(phase) >= Phase.target(phase));
        return met || !enforce ? 0 : 3;
    }

    /** Ends the two JVMs, gives the huge pages back and removes the files, once, also when the user stops the rig. */
    private static final class Cleanup {
        private final Path directory;
        private volatile @Nullable HugePages pages;
        private boolean done;

        Cleanup(Path directory) {
            this.directory = directory;
        }

        synchronized void run() {
            if (done) {
                return;
            }
            done = true;
            ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
            try {
                HugePages reserved = pages;
                if (reserved != null) {
                    reserved.close();
                }
                try (Stream<Path> files = Files.walk(directory)) {
                    for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(path);
                    }
                }
            } catch (IOException e) {
                System.err.println("ab echo: left behind: " + directory + ": " + e);
            }
        }
    }
}
