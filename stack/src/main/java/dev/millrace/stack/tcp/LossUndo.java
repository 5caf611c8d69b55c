package dev.millrace.stack.tcp;

/**
 * Whether the retransmissions of the present episode of loss were all needless: each has been reported as a duplicate (D-SACK, RFC 3708 §2), or
 * an acknowledgment echoes a timestamp from before the first of them (Eifel, RFC 3522 §3.2). Then the reduction is to be undone
 * (RFC 4015), as Linux does. Core thread only.
 */
final class LossUndo {
    private static final long NONE = -1;

    /** SND.UNA when the episode began; {@link #NONE} when there is nothing to undo. */
    private long marker = NONE;

    /** Segments sent again and not reported as duplicates; {@link #NONE} before the first. */
    private long outstanding = NONE;

    private long firstRetransmissionNs = NONE;

    /** Segments sent again, and reported as duplicates, on the whole connection: nobody can report more than there were. */
    private long totalRetransmissions;

    private long totalReported;

    void begin(long una) {
        marker = una;
        outstanding = NONE;
        firstRetransmissionNs = NONE;
    }

    void cancel() {
        marker = NONE;
    }

    void onRetransmitted(long nowNs) {
        totalRetransmissions++;
        outstanding = Math.max(outstanding, 0) + 1;
        if (firstRetransmissionNs == NONE) {
            firstRetransmissionNs = nowNs;
        }
    }

    /**
     * The peer reports {@code [from, to)}, worth so many segments, as received twice.
     *
     * @param priorUna SND.UNA before this acknowledgment
     * @return false when that cannot be true of what was sent, or the network made the copy
     */
    boolean onDuplicateReported(long to, long priorUna, long segments) {
        totalReported += segments;
        if (totalReported > totalRetransmissions) {
            totalReported = totalRetransmissions;
            return false;
        }
        if (marker != NONE && outstanding > 0 && to <= priorUna && to > marker) {
            outstanding = Math.max(0, outstanding - segments);
        }
        return true;
    }

    /** All of it was needless, says this acknowledgment or those before it. */
    boolean isNeedless(long echoNs) {
        return marker != NONE && (outstanding == 0 || isEchoOlder(echoNs));
    }

    /** All duplicates have been reported. */
    boolean isAllReported() {
        return marker != NONE && outstanding == 0;
    }

    /** The acknowledgment answers a segment that left before the first retransmission did. */
    boolean isEchoOlder(long echoNs) {
        return marker != NONE
                && echoNs != Acknowledgment.NONE
                && firstRetransmissionNs != NONE
                && echoNs + Timestamps.TICK_NS <= firstRetransmissionNs;
    }
}
