package dev.millrace.compat.simulate;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** One world lived through, and how it went; whatever is thrown in it counts as its failure. */
public final class SeedRun {
    private final long seed;
    private final String description;
    private final Tally tally;
    private final @Nullable Throwable failure;

    SeedRun(long seed, @Nullable WireLog log) {
        this.seed = seed;
        Throwable thrown = null;
        PlannedTalks talks = new PlannedTalks(seed, log);
        World world = talks.world;
        try (world) {
            talks.live();
        } catch (RuntimeException | AssertionError e) {
            thrown = e;
        }
        this.failure = thrown;
        this.tally = world.tally;
        this.description = world.toString();
    }

    /** Lives through the world of this seed. */
    public static SeedRun of(long seed) {
        return new SeedRun(seed, null);
    }

    public boolean failed() {
        return failure != null;
    }

    /** What failed, and the command that shows it again. */
    public String message() {
        return "seed " + seed + " failed, ./millrace simulate --seed " + seed + " --trace shows how: "
                + (failure instanceof WorldFailure ? failure.getMessage() : String.valueOf(failure));
    }

    /** Where it was thrown, if not by a check of the world itself. */
    public void printCause(PrintStream out) {
        Throwable cause = failure instanceof WorldFailure ? failure.getCause() : failure;
        if (cause != null) {
            cause.printStackTrace(out);
        }
    }

    Tally tally() {
        return tally;
    }

    String description() {
        return description;
    }
}
