package dev.millrace.compat.matrix;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.LabCommand;
import dev.millrace.compat.lab.LabException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
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
            paramLabel = "pairwise|full|CELL",
            description = "a subset with every pair of properties (default), every combination, or one")
    private String cells = "pairwise";

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
    public Integer call() throws IOException {
        lab.needsRoot();
        Application application = lab.application();
        List<String> missing = Cell.congestionControls().stream()
                .filter(name -> !isAvailable(name))
                .toList();
        int passed = 0;
        int failed = 0;
        int skipped = 0;
        for (Cell cell : chosen()) {
            if (missing.contains(cell.congestionControl())) {
                skipped++;
                continue;
            }
            CellRun.Amount amount = amount(cell);
            CellRun.Outcome outcome = run(application, amount, cell);
            System.out.printf("%-66s %s %s%n", cell, outcome.passed() ? "pass" : "FAIL", outcome.text());
            if (outcome.passed()) {
                passed++;
            } else {
                failed++;
                System.out.println("  again: ./millrace matrix --cells " + cell + " --bulk " + amount.bulkBytes()
                        + " --short " + amount.connections());
            }
        }
        if (!missing.isEmpty()) {
            System.out.println("this kernel lacks " + String.join(", ", missing));
        }
        System.out.println(passed + " passed, " + failed + " failed, " + skipped + " skipped");
        return failed == 0 ? 0 : 1;
    }

    private List<Cell> chosen() {
        return switch (cells) {
            case "full" -> Cell.all();
            case "pairwise" -> pairwise();
            default -> List.of(Cell.parse(cells));
        };
    }

    /** A subset with every pair of properties that this kernel can have. */
    public static List<Cell> pairwise() {
        return Pairwise.of(Cell.all().stream()
                .filter(cell -> isAvailable(cell.congestionControl()))
                .toList());
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
