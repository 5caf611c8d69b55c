package dev.millrace.stack.tcp;

/**
 * Receive-buffer auto-tuning (Dynamic Right-Sizing, Fisk and Feng 2001): the buffer grows to twice what the application reads in one
 * round trip, so that the window never limits a sender whose bytes are read as they come. Core thread only.
 */
final class ReceiveTuning {
    private final int maxBytes;
    private final boolean enabled;
    private long beganNs;
    private long beganAt;
    private long readPerRoundTripBytes;

    ReceiveTuning(int maxBytes, boolean enabled) {
        this.maxBytes = maxBytes;
        this.enabled = enabled;
    }

    /**
     * @param head position up to which the application has read
     * @return the capacity to have from now on, never less than {@code capacity}
     */
    int onConsumed(long head, int capacity, int mss, long roundTripNs, long nowNs) {
        if (!enabled || capacity >= maxBytes || roundTripNs == 0 || nowNs - beganNs < roundTripNs) {
            return capacity;
        }
        long read = head - beganAt;
        boolean firstRound = beganNs == 0;
        beganNs = nowNs;
        beganAt = head;
        if (firstRound) {
            return capacity;
        }
        readPerRoundTripBytes = read;
        long wanted = 2 * read + 16L * mss;
        return Math.clamp(wanted, capacity, maxBytes);
    }

    /** What the application read in the last round trip measured; 0 before the first. */
    long readPerRoundTripBytes() {
        return readPerRoundTripBytes;
    }
}
