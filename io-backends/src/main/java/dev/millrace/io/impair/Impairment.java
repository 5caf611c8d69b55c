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
 * @param pauseNs for which the line stands still once a second, one direction half a second after the other; what comes meanwhile arrives at the end, at once
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
        long pauseNs,
        long seed) {

    /** A reordered frame is overtaken by 1 to this many frames. */
    public static final int MAX_OVERTAKERS = 4;

    /** From the beginning of one pause to that of the next. */
    public static final long PAUSE_PERIOD_NS = 1_000_000_000L;

    private static final String ALLOWED =
            "allowed are loss, duplicate, corrupt, reorder (1% or 0.01), delay, jitter (20ms, 500us), pause (200ms, at most 500ms), rate (10mbit), seed (a number)";

    public static final Impairment NONE = new Impairment(0, 0, 0, 0, 0, 0, 0, 0, 1);

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
            case "delay", "jitter", "pause" -> n = nanoseconds(value);
            case "rate" -> n = bitsPerSecond(value);
            case "seed" -> n = Long.parseLong(value);
            default -> throw new IllegalArgumentException(key);
        }
        return switch (key) {
            case "loss" ->
                new Impairment(p, duplicate, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, pauseNs, seed);
            case "duplicate" ->
                new Impairment(loss, p, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, pauseNs, seed);
            case "corrupt" ->
                new Impairment(loss, duplicate, p, reorder, delayNs, jitterNs, bitsPerSecond, pauseNs, seed);
            case "reorder" ->
                new Impairment(loss, duplicate, corrupt, p, delayNs, jitterNs, bitsPerSecond, pauseNs, seed);
            case "delay" ->
                new Impairment(loss, duplicate, corrupt, reorder, n, jitterNs, bitsPerSecond, pauseNs, seed);
            case "jitter" ->
                new Impairment(loss, duplicate, corrupt, reorder, delayNs, n, bitsPerSecond, pauseNs, seed);
            case "rate" -> new Impairment(loss, duplicate, corrupt, reorder, delayNs, jitterNs, n, pauseNs, seed);
            case "pause" ->
                new Impairment(loss, duplicate, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, pause(n), seed);
            default -> new Impairment(loss, duplicate, corrupt, reorder, delayNs, jitterNs, bitsPerSecond, pauseNs, n);
        };
    }

    /** Both directions never stand still at once. */
    private static long pause(long ns) {
        if (ns > PAUSE_PERIOD_NS / 2) {
            throw new IllegalArgumentException(Long.toString(ns));
        }
        return ns;
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
