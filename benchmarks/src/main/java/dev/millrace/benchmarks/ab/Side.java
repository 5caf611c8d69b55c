package dev.millrace.benchmarks.ab;

/** The two things compared. */
enum Side {
    /** With the flag. */
    MILLRACE,
    /** The same command without it. */
    KERNEL;

    /** The side of the {@code index}-th visit: A B B A A B B A …, so that a drift of the machine falls on both alike. */
    static Side ofVisit(int index) {
        return (index + 1) / 2 % 2 == 0 ? MILLRACE : KERNEL;
    }
}
