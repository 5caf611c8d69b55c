package dev.millrace.compat.simulate;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * {@code ./millrace simulate}: lives through worlds. {@code --seed N [--trace] [--capture FILE]} through one, {@code --seeds COUNT [--from N]
 * [--threads N]} through many, on as many threads as there are processors unless told; {@code --cycles COUNT} through one in which connections
 * come and go. The exit code is 1 when a world failed.
 */
public final class Simulate {
    private static final String USAGE = """
            usage: ./millrace simulate --seed N [--trace] [--capture FILE]   one world; its segments printed, or written as pcapng
                   ./millrace simulate --seeds COUNT [--from N] [--threads N]   worlds N to N + COUNT - 1, N = 1 unless told
                   ./millrace simulate --cycles COUNT [--seed N]   one world in which COUNT connections come and go, and nothing may grow""";

    private static final int REPORT_EACH = 5_000;
    private static final int MAX_THREADS = 256;

    private long seed = 1;
    private long seeds;
    private long cycles;
    private int threads = Runtime.getRuntime().availableProcessors();
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
                case "--cycles" -> cycles = number(args, ++i);
                case "--threads" -> threads = Math.clamp(number(args, ++i), 1, MAX_THREADS);
                case "--seeds" -> seeds = number(args, ++i);
                default -> throw new IllegalArgumentException("'" + args[i] + "' is no option");
            }
        }
        if (!told && seeds <= 0 && cycles <= 0) {
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
        if (cycles > 0) {
            return new Cycles(seed, cycles, System.out).run();
        }
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
        long startNs = System.nanoTime();
        Tally all = new Tally();
        AtomicLong next = new AtomicLong(seed);
        AtomicLong failed = new AtomicLong();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(Thread.ofPlatform().name("worlds-" + i).start(() -> {
                for (long each = next.getAndIncrement(); each < seed + seeds; each = next.getAndIncrement()) {
                    SeedRun run = SeedRun.of(each);
                    synchronized (all) {
                        all.add(run.tally());
                        if (run.failed()) {
                            failed.incrementAndGet();
                            System.out.println(run.message());
                        }
                        report(each - seed + 1, startNs);
                    }
                }
            }));
        }
        workers.forEach(Simulate::join);
        System.out.println(all.report(seeds));
        double seconds = (System.nanoTime() - startNs) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "%d passed, %d failed: seeds %d to %d in %.1f s, %.1f a second on %d threads, %.0f virtual seconds in"
                        + " each%n",
                seeds - failed.get(),
                failed.get(),
                seed,
                seed + seeds - 1,
                seconds,
                seeds / seconds,
                threads,
                all.virtualNs / 1e9 / seeds);
        return failed.get() == 0;
    }

    /** Now and then a line that it is alive. */
    private static void report(long done, long startNs) {
        if (done % REPORT_EACH == 0) {
            System.out.printf(Locale.ROOT, "%d worlds in %.0f s%n", done, (System.nanoTime() - startNs) / 1e9);
        }
    }

    private static void join(Thread worker) {
        try {
            worker.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while worlds are lived through", e);
        }
    }
}
