package dev.millrace.stack.tcp;

/**
 * Whether the congestion window is what limits a connection, so that its acknowledgments show it to be too small (RFC 7661 §4.1, RFC 9438
 * §4.2). As Linux does: judged over a window of data, for the acknowledgments of a flight that filled the window arrive when no more is
 * waiting; and in slow start, which doubles, a window that was half used counts as used. Core thread only.
 */
final class CwndUsage {
    private boolean limited;
    private long largestFlightBytes;
    /** The judgment stands until this is acknowledged. */
    private long windowEnd;

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

    boolean isLimited(long cwndBytes, long ssthreshBytes) {
        return limited || (cwndBytes < ssthreshBytes && cwndBytes <= 2 * largestFlightBytes);
    }
}
