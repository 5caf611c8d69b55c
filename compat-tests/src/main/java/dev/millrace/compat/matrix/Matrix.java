package dev.millrace.compat.matrix;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.LabCommand;
import dev.millrace.compat.lab.LabException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./millrace matrix}: a line for each cell, what failed with the command that repeats it, and the closing line. Skipped is what this kernel has no congestion control for. */
@Command(
        name = "matrix",
        description = "Exchanges checked bytes with the Linux kernel over links of every kind.",
        footer = {
            "",
            "A cell: server/v4/tap/cubic/timestamps/sack/1500/loss=1%%",
            "Needs root, to make network namespaces."
        })
public final class Matrix implements Callable<Integer> {
    private static final Path CONGESTION_CONTROLS = Path.of("/proc/sys/net/ipv4/tcp_available_congestion_control");

    @Mixin
    private final LabCommand lab = new LabCommand();

    @Option(
            names = "--cells",
            paramLabel = "pairwise|triples|full|CELL",
            description =
                    "a subset with every pair of properties (default), or every three, or every combination, or one")
    private String cells = "pairwise";

    @Option(
            names = "--parallel",
            paramLabel = "N",
            description = "cells at a time, each in namespaces of its own: most wait for timers (default: 1)")
    private int parallel = 1;

    @Option(
            names = "--full-size",
            description = "64 MiB each way and 5,000 short connections a cell, not a hundredth of it")
    private boolean fullSize;

    @Option(names = "--bulk", paramLabel = "BYTES", description = "each way")
    private @Nullable Long bulk;

    @Option(names = "--short", paramLabel = "N", description = "connections with one exchange each")
    private @Nullable Integer connections;

    public static void main(String[] args) {
        System.exit(LabCommand.execute(new Matrix(), args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException, ExecutionException {
        lab.needsRoot();
        Application application = lab.application();
        List<String> missing = Cell.congestionControls().stream()
                .filter(name -> !isAvailable(name))
                .toList();
        List<Cell> chosen = chosen();
        List<Cell> possible = chosen.stream()
                .filter(cell -> !missing.contains(cell.congestionControl()))
                .toList();
        int passed = 0;
        try (ExecutorService cellThreads = Executors.newFixedThreadPool(Math.max(1, parallel))) {
            List<Future<Boolean>> results = possible.stream()
                    .map(cell -> cellThreads.submit(() -> runAndPrint(application, cell)))
                    .toList();
            for (Future<Boolean> result : results) {
                passed += result.get() ? 1 : 0;
            }
        }
        if (!missing.isEmpty()) {
            System.out.println("this kernel lacks " + String.join(", ", missing));
        }
        int failed = possible.size() - passed;
        System.out.println(
                passed + " passed, " + failed + " failed, " + (chosen.size() - possible.size()) + " skipped");
        return failed == 0 ? 0 : 1;
    }

    /** Answers whether it passed. */
    private boolean runAndPrint(Application application, Cell cell) {
        CellRun.Amount amount = amount(cell);
        CellRun.Outcome outcome = run(application, amount, cell);
        String line = "%-66s %s %s".formatted(cell, outcome.passed() ? "pass" : "FAIL", outcome.text());
        String again = "\n  again: ./millrace matrix --cells " + cell + " --bulk " + amount.bulkBytes() + " --short "
                + amount.connections();
        System.out.println(outcome.passed() ? line : line + again);
        return outcome.passed();
    }

    private List<Cell> chosen() {
        return switch (cells) {
            case "full" -> Cell.all();
            case "pairwise" -> pairwise();
            case "triples" -> covering(3);
            default -> List.of(Cell.parse(cells));
        };
    }

    /** A subset with every pair of properties that this kernel can have. */
    public static List<Cell> pairwise() {
        return covering(2);
    }

    private static List<Cell> covering(int strength) {
        return CoveringArray.of(
                Cell.all().stream()
                        .filter(cell -> isAvailable(cell.congestionControl()))
                        .toList(),
                strength);
    }

    private static boolean isAvailable(String congestionControl) {
        try {
            return List.of(Files.readString(CONGESTION_CONTROLS).strip().split(" ", -1))
                    .contains(congestionControl);
        } catch (IOException e) {
            throw new LabException("cannot read " + CONGESTION_CONTROLS, e);
        }
    }

    private CellRun.Amount amount(Cell cell) {
        CellRun.Amount usual = fullSize ? CellRun.Amount.FULL : CellRun.Amount.small(cell);
        return new CellRun.Amount(
                bulk == null ? usual.bulkBytes() : bulk,
                connections == null ? usual.connections() : connections,
                bulk == null && connections == null ? usual.limit() : CellRun.Amount.FULL.limit());
    }

    private static CellRun.Outcome run(Application application, CellRun.Amount amount, Cell cell) {
        try {
            return new CellRun(application, amount).run(cell);
        } catch (LabException e) {
            return new CellRun.Outcome(false, String.valueOf(e.getMessage()));
        }
    }
}
