package dev.millrace.compat.matrix;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.LabException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * {@code ./millrace matrix [--cells pairwise|full|CELL] [--bulk BYTES] [--short CONNECTIONS]}: a line for each cell, what failed with the command that repeats it, and the
 * closing line {@code N passed, N failed, N skipped}. Skipped is what this kernel has no congestion control for.
 */
public final class Matrix {
    private static final Path CONGESTION_CONTROLS = Path.of("/proc/sys/net/ipv4/tcp_available_congestion_control");

    private Matrix() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("jar", "cells", "bulk", "short"));
        if (!Lab.isPermitted()) {
            System.err.println("matrix: needs root, to make network namespaces");
            System.exit(2);
        }
        String cells = arguments.text("cells", "pairwise");
        Application application =
                new Application(classPath(), Path.of(arguments.text("jar", "provider/target/millrace.jar")));
        int passed = 0;
        int failed = 0;
        List<String> missing = Cell.congestionControls().stream()
                .filter(name -> !isAvailable(name))
                .toList();
        int skipped = 0;
        for (Cell cell : chosen(cells)) {
            if (missing.contains(cell.congestionControl())) {
                skipped++;
                continue;
            }
            CellRun.Amount amount = amount(arguments, cell);
            CellRun.Outcome outcome = run(application, amount, cell);
            System.out.printf("%-60s %s %s%n", cell, outcome.passed() ? "pass" : "FAIL", outcome.text());
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
        System.exit(failed == 0 ? 0 : 1);
    }

    private static List<Cell> chosen(String cells) {
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

    private static CellRun.Amount amount(Arguments arguments, Cell cell) {
        CellRun.Amount usual =
                arguments.text("cells", "").equals("full") ? CellRun.Amount.FULL : CellRun.Amount.small(cell);
        return new CellRun.Amount(
                Long.parseLong(arguments.text("bulk", Long.toString(usual.bulkBytes()))),
                arguments.number("short", usual.connections()),
                arguments.has("bulk") || arguments.has("short") ? CellRun.Amount.FULL.limit() : usual.limit());
    }

    private static CellRun.Outcome run(Application application, CellRun.Amount amount, Cell cell) {
        try {
            return new CellRun(application, amount).run(cell);
        } catch (LabException e) {
            return new CellRun.Outcome(false, String.valueOf(e.getMessage()));
        }
    }

    /** The class path this program was started with: applications and libraries, nothing of Millrace. */
    static List<Path> classPath() throws IOException {
        String whole = System.getProperty("java.class.path");
        Path classes = Path.of(whole.substring(0, whole.indexOf(File.pathSeparatorChar)));
        Path libraries = classes.resolveSibling("lib");
        if (!Files.isDirectory(libraries)) {
            throw new IOException(libraries + " is missing: ./millrace build makes it");
        }
        return List.of(classes, libraries.resolve("*"));
    }
}
