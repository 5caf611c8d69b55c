package dev.millrace.benchmarks.ab;

/** The phases of a visit, by the word that the client takes for them. */
final class Phase {
    static final String SHORT = "short";

    private Phase() {}

    /** What it is called in the table. */
    static String title(String phase) {
        return switch (phase) {
            case SHORT -> "short connections";
            case "1" -> "echo, 1 connection";
            default -> "echo, " + phase + " connections";
        };
    }

    /** How many times the kernel's rate the execution model has to reach, or 0 when nothing was promised. */
    static double target(String phase) {
        return switch (phase) {
            case "1" -> 4;
            case "32", "256" -> 2;
            case SHORT -> 3;
            default -> 0;
        };
    }
}
