package dev.millrace.compat.simulate;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * {@code ./millrace simulate}: lives through worlds. {@code --seed N [--trace] [--capture FILE]} through one, {@code --seeds COUNT [--from N]} through
 * many. The exit code is 1 when a world failed.
 */
public final class Simulate {
    private static final String USAGE = """
            usage: ./millrace simulate --seed N [--trace] [--capture FILE]   one world; its segments printed, or written as pcapng
                   ./millrace simulate --seeds COUNT [--from N]              worlds N to N + COUNT - 1, N = 1 unless told""";

    private long seed = 1;
    private long seeds;
    private boolean trace;
    private @Nullable Path capture;

    private Simulate() {}

    public static void main(String[] args) throws IOException {
        if (!Simulate.class.desiredAssertionStatus()) {
            System.err.println(
                    "simulate: assertions are off, so most invariants would go unchecked: run java with -ea");
            System.exit(2);
        }
        Simulate simulate = new Simulate();
        try {
            simulate.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("simulate: " + e.getMessage() + System.lineSeparator() + USAGE);
            System.exit(2);
        }
        System.exit(simulate.run() ? 0 : 1);
    }

    private void parse(String[] args) {
        boolean told = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--trace" -> trace = true;
                case "--capture" -> capture = Path.of(value(args, ++i));
                case "--seed", "--from" -> {
                    seed = number(args, ++i);
                    told |= args[i - 1].equals("--seed");
                }
                case "--seeds" -> seeds = number(args, ++i);
                default -> throw new IllegalArgumentException("'" + args[i] + "' is no option");
            }
        }
        if (!told && seeds <= 0) {
            throw new IllegalArgumentException("which seed, or how many?");
        }
    }

    private static String value(String[] args, int at) {
        if (at == args.length) {
            throw new IllegalArgumentException("'" + args[at - 1] + "' needs a value");
        }
        return args[at];
    }

    private static long number(String[] args, int at) {
        String text = value(args, at);
        try {
            return Long.parseLong(text.replace("_", "").replace(",", ""));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + args[at - 1] + "' needs a number, not '" + text + "'", e);
        }
    }

    private boolean run() throws IOException {
        if (seeds > 0) {
            return many();
        }
        return one();
    }

    private boolean one() throws IOException {
        if (capture == null) {
            return report(new SeedRun(seed, trace ? new SegmentTrace(System.out) : null));
        }
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(capture))) {
            WireLog file = new WireCapture(out);
            WireLog print = new SegmentTrace(System.out);
            return report(new SeedRun(seed, (at, from, to, frame, fate) -> {
                file.onFrame(at, from, to, frame, fate);
                if (trace) {
                    print.onFrame(at, from, to, frame, fate);
                }
            }));
        }
    }

    private static boolean report(SeedRun run) {
        System.out.println(run.tally().report(1));
        System.out.println(run.description());
        if (run.failed()) {
            System.out.println(run.message());
            run.printCause(System.out);
        }
        return !run.failed();
    }

    private boolean many() {
        Tally all = new Tally();
        long failed = 0;
        long startNs = System.nanoTime();
        for (long each = seed; each < seed + seeds; each++) {
            SeedRun run = new SeedRun(each, null);
            all.add(run.tally());
            if (run.failed()) {
                failed++;
                System.out.println(run.message());
            }
        }
        double seconds = (System.nanoTime() - startNs) / 1e9;
        System.out.println(all.report(seeds));
        System.out.printf(
                Locale.ROOT,
                "%d passed, %d failed: seeds %d to %d in %.1f s, %.1f a second, %.0f virtual seconds in each%n",
                seeds - failed,
                failed,
                seed,
                seed + seeds - 1,
                seconds,
                seeds / seconds,
                all.virtualNs / 1e9 / seeds);
        return failed == 0;
    }
}
