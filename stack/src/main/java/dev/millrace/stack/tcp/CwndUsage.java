package dev.millrace.stack.tcp;

/**
 * Whether the congestion window is what limits a connection, so that its acknowledgments show it to be too small (RFC 7661 §4.1, RFC 9438
 * §4.2). As Linux does: judged over a window of data, for the acknowledgments of a flight that filled the window arrive when no more is
 * waiting; and in slow start, which doubles, a window that was more than half used counts as used. Core thread only.
 */
final class CwndUsage {
    private boolean limited;
    private long largestFlightBytes;
    /** The judgment stands until this is acknowledged. */
    private long windowEnd;

    /** Since when the window was not filled, and the most that was in flight since then. */
    private long unusedSinceNs;

    private long usedBytes;

    /**
     * A transmission has ended.
     *
     * @param stopped the congestion window, and nothing else, has kept it from being larger
     */
    void onTransmitted(boolean stopped, long inFlightBytes, long una, long nxt) {
        if (una >= windowEnd || stopped || (!limited && inFlightBytes > largestFlightBytes)) {
            limited = stopped;
            largestFlightBytes = inFlightBytes;
            windowEnd = nxt;
        }
    }

    /**
     * New data was sent; {@link #onTransmitted} has been told.
     *
     * @return whether the window was not filled for a retransmission timeout, by a connection that was not idle: once each timeout
     */
    boolean isUnused(boolean limited, long inFlightBytes, long nowNs, long rtoNs) {
        if (limited) {
            usedBytes = 0;
            unusedSinceNs = nowNs;
            return false;
        }
        usedBytes = Math.max(usedBytes, inFlightBytes);
        return nowNs - unusedSinceNs >= rtoNs;
    }

    /** The most that was in flight while the window was not filled; counted anew from now on. */
    long takeUsedBytes(long nowNs) {
        long used = usedBytes;
        usedBytes = 0;
        unusedSinceNs = nowNs;
        return used;
    }

    boolean isLimited(long cwndBytes, long ssthreshBytes) {
        return limited || (cwndBytes < ssthreshBytes && cwndBytes < 2 * largestFlightBytes);
    }
}
