package dev.millrace.compat.packetdrill;

/**
 * When an event happens.
 *
 * @param kind what the times count from
 * @param fromNs the earliest moment
 * @param toNs the latest; equal unless the script gives a range
 * @param blockingUntilNs when a blocking call is to return, counted as {@code fromNs} is; −1 for one that does not block
 */
record When(Kind kind, long fromNs, long toNs, long blockingUntilNs) {
    enum Kind {
        /** From the script's beginning. */
        ABSOLUTE,
        /** From the event before. */
        RELATIVE,
        /** At any time: {@code *}. */
        ANY
    }

    /** At once after the event before. */
    static final When NOW = new When(Kind.RELATIVE, 0, 0, -1);

    boolean isRange() {
        return toNs != fromNs;
    }

    boolean isBlocking() {
        return blockingUntilNs >= 0;
    }
}
