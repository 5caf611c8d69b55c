package dev.millrace.io.impair;

import dev.millrace.stack.port.LinkException;
import java.util.Locale;

/**
 * How bad a line is. Probabilities are of each frame, in each direction.
 *
 * @param loss probability that a frame vanishes
 * @param duplicate probability that it comes twice
 * @param corrupt probability that one bit of it flips
 * @param reorder probability that up to {@link #MAX_OVERTAKERS} later frames overtake it
 * @param delayNs that every frame takes longer
 * @param jitterNs most that a frame takes longer than that; may reorder
 * @param bitsPerSecond rate of the line, 0 for no limit
 * @param seed of all chance
 */
public record Impairment(
        double loss,
        double duplicate,
        double corrupt,
        double reorder,
        long delayNs,
        long jitterNs,
        long bitsPerSecond,
        long seed) {

    /** A reordered frame is overtaken by 1 to this many frames. */
    public static final int MAX_OVERTAKERS = 4;

    private static final String ALLOWED =
            "allowed are loss, duplicate, corrupt, reorder (1% or 0.01), delay, jitter (20ms, 500us), rate (10mbit), seed (a number)";

    public static final Impairment NONE = new Impairment(0, 0, 0, 0, 0, 0, 0, 1);

    /**
     * Reads {@code loss=1%,reorder=2%,delay=20ms,seed=7}.
     *
     * @throws LinkException naming the part that is wrong and what is allowed
     */
    public static Impairment parse(String spec) throws LinkException {
        Impairment result = NONE;
        for (String part : spec.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals <= 0) {
                throw wrong(part);
            }
            String value = part.substring(equals + 1).strip().toLowerCase(Locale.ROOT);
            try {
                result = result.with(part.substring(0, equals).strip().toLowerCase(Locale.ROOT), value);
            } catch (IllegalArgumentException e) {
                throw wrong(part);
            }
        }
        return result;
    }

    private static LinkException wrong(String part) {
        return new LinkException("impair: '" + part + "' is not understood: " + ALLOWED);
    }

    private Impairment with(String key, String value) {
        double p = 0;
        long n = 0;
        switch (key) {
            case "loss", "duplicate", "corrupt", "reorder" -> p = probability(value);
            case "delay", "jitter" -> n = nanoseconds(value);
            case "rate" -> n = bitsPerSecond(value);
            case "seed" -> n = Long.parseLong(value);
            default -> throw new IllegalArgumentException(key);
        }
        return switch (key) {
            case "loss" -> new Impairment(p, duplicate, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, seed);
            case "duplicate" -> new Impairment(loss, p, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, seed);
            case "corrupt" -> new Impairment(loss, duplicate, p, reorder, delayNs, jitterNs, bitsPerSecond, seed);
            case "reorder" -> new Impairment(loss, duplicate, corrupt, p, delayNs, jitterNs, bitsPerSecond, seed);
            case "delay" -> new Impairment(loss, duplicate, corrupt, reorder, n, jitterNs, bitsPerSecond, seed);
            case "jitter" -> new Impairment(loss, duplicate, corrupt, reorder, delayNs, n, bitsPerSecond, seed);
            case "rate" -> new Impairment(loss, duplicate, corrupt, reorder, delayNs, jitterNs, n, seed);
            default -> new Impairment(loss, duplicate, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, n);
        };
    }

    private static double probability(String value) {
        double p = value.endsWith("%")
                ? Double.parseDouble(value.substring(0, value.length() - 1)) / 100
                : Double.parseDouble(value);
        if (!(p >= 0 && p <= 1)) {
            throw new IllegalArgumentException(value);
        }
        return p;
    }

    private static long nanoseconds(String value) {
        return scaled(value, new String[] {"ns", "us", "ms", "s"}, new long[] {1, 1_000, 1_000_000, 1_000_000_000});
    }

    private static long bitsPerSecond(String value) {
        return scaled(
                value, new String[] {"kbit", "mbit", "gbit", "bit"}, new long[] {1_000, 1_000_000, 1_000_000_000, 1});
    }

    private static long scaled(String value, String[] units, long[] factors) {
        for (int i = 0; i < units.length; i++) {
            if (value.endsWith(units[i])) {
                double number = Double.parseDouble(value.substring(0, value.length() - units[i].length()));
                double result = number * factors[i];
                if (!(result >= 0 && result <= 1e15)) {
                    break;
                }
                return (long) result;
            }
        }
        throw new IllegalArgumentException(value);
    }
}
