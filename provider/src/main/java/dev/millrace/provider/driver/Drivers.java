package dev.millrace.provider.driver;

import dev.millrace.stack.core.Stack;

/** Makes the driver that the setting {@code driver} names. */
public final class Drivers {
    /** Allowed values of the setting. */
    public static final java.util.List<String> NAMES = java.util.List.of("inline", "caretaker", "dedicated", "manual");

    private Drivers() {}

    /**
     * @param name one of {@link #NAMES}
     * @param spinNs how long an idle thread polls before it sleeps; Long.MAX_VALUE for ever; {@code dedicated} always polls
     * @param cpus CPUs that {@code dedicated} pins its threads to, one per shard in turn; empty: the highest-numbered ones
     */
    public static Driver create(String name, Stack stack, long spinNs, int[] cpus) {
        return switch (name) {
            case "inline" -> new InlineDriver(stack, spinNs);
            case "caretaker" -> new BackgroundDriver(stack, spinNs, "caretaker", new int[0]);
            case "dedicated" ->
                new BackgroundDriver(
                        stack, Long.MAX_VALUE, "dedicated", cpus.length == 0 ? lastCpus(stack.shards()) : cpus);
            case "manual" -> new ManualDriver(stack);
            default -> throw new IllegalArgumentException("driver=" + name + " is not one of " + NAMES);
        };
    }

    private static int[] lastCpus(int shards) {
        int cpus = Runtime.getRuntime().availableProcessors();
        int[] chosen = new int[Math.min(shards, cpus)];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = cpus - 1 - i;
        }
        return chosen;
    }
}
