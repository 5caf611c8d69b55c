package dev.millrace.stack.tcp;

/**
 * Spreads a connection's segments over time: each has an earliest departure time, the one before it plus the time its bytes take at the
 * pacing rate. What was not sent while there was nothing to send earns no credit beyond what makes up for late timers, so no burst
 * follows an idle time. Core thread only.
 *
 * <pre>
 *   now ──┬── quantum ──┬
 *         departures up to here leave in one go; the timer wheel is no finer
 * </pre>
 */
final class Pacer {
    /** No rate is known, so nothing is held back. */
    static final long UNPACED = Long.MAX_VALUE;

    /**
     * Segments whose departure is at most this far off leave together: the wheel's tick is 131 µs, and a timer per segment would cost more than
     * it smooths. Linux joins a millisecond's worth into one send (tcp_tso_autosize); this is half of that.
     */
    static final long QUANTUM_NS = 500_000;

    /** How late the core may come back, from the wheel's tick and from other work, without the rate falling. */
    static final long CREDIT_NS = QUANTUM_NS;

    private static final long NS_PER_SECOND = 1_000_000_000L;

    private long departureNs = Long.MIN_VALUE / 2;

    /** Whether a segment may leave now. */
    boolean permits(long nowNs) {
        return departureNs <= nowNs + QUANTUM_NS;
    }

    /** When the next may, after {@link #permits} has refused: the whole of what is ahead has been worked off then. */
    long permittedNs() {
        return departureNs;
    }

    /** A segment with {@code bytes} of text has left. */
    void onSent(int bytes, long bytesPerSecond, long nowNs) {
        if (bytesPerSecond != UNPACED) {
            departureNs = Math.max(departureNs, nowNs - CREDIT_NS) + bytes * NS_PER_SECOND / bytesPerSecond;
        }
    }
}
