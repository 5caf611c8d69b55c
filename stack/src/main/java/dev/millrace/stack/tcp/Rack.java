package dev.millrace.stack.tcp;

/**
 * RACK (RFC 8985 §6): a segment is lost when one sent later has arrived and there has been time enough for it to arrive, too. That holds for
 * retransmissions as for originals. The time is a round trip and a window for reordering, which begins as nothing while no reordering has been seen and
 * three segments are SACKed (RFC 6675's DupThresh in RACK's terms), and widens by a quarter of the smallest round trip with each
 * round trip in which D-SACKs show that reordering was mistaken for loss. Where Linux and the RFC differ, as Linux. Core thread only.
 */
final class Rack {
    static final long NEVER = Long.MAX_VALUE;

    /** RFC 6675 §2's DupThresh. */
    static final int DUP_THRESH = 3;

    /** §6.2 step 4: recoveries without D-SACK after which a widened window is narrow again. */
    private static final int PERSISTENCE_RECOVERIES = 16;

    /** Linux counts the steps in a byte. */
    private static final int MAX_STEPS = 255;

    // RACK.segment, sent last of all that is known to have arrived
    private long sentNs = Long.MIN_VALUE;
    private long end;
    /** RACK.rtt: of the segment that arrived last. */
    private long rttNs;
    /** Something has arrived since losses were looked for. */
    private boolean advanced;

    private boolean reorderingSeen;
    /** RACK.reo_wnd_mult */
    private int steps = 1;
    /** RACK.reo_wnd_persist */
    private int persistence;

    private boolean dsackSeen;
    /** Bytes delivered when the window was widened last: once per round trip. */
    private long widenedAtDelivered;

    private long deadlineNs = NEVER;

    /** §6.2 steps 1 and 2: this segment has arrived. */
    void onDelivered(SentSegments log, long number, long minRttNs, long nowNs) {
        long sent = log.sentNs(number);
        long rtt = nowNs - sent;
        if (log.isRetransmitted(number) && rtt < minRttNs) {
            return; // the original has arrived, not the retransmission
        }
        advanced = true;
        rttNs = rtt;
        if (isSentAfter(sent, log.end(number), sentNs, end)) {
            sentNs = sent;
            end = log.end(number);
        }
    }

    private static boolean isSentAfter(long sentNs, long end, long otherSentNs, long otherEnd) {
        return sentNs > otherSentNs || sentNs == otherSentNs && end > otherEnd;
    }

    /** §6.2 step 3: a segment never sent again has arrived after one of a higher number. */
    void onReordering() {
        reorderingSeen = true;
    }

    boolean reorderingSeen() {
        return reorderingSeen;
    }

    /** What was sent again had arrived; a tail loss probe was not the reason. */
    void onDuplicateReported() {
        dsackSeen |= reorderingSeen;
    }

    /** §6.2 step 4, once per acknowledgment that delivers something; the arguments as in {@link AckSample}. */
    void adaptWindow(long priorDeliveredBytes, long totalDeliveredBytes) {
        if (priorDeliveredBytes < widenedAtDelivered) {
            dsackSeen = false; // the answer to a window that has been widened meanwhile
        }
        if (dsackSeen) {
            dsackSeen = false;
            steps = Math.min(steps + 1, MAX_STEPS);
            persistence = PERSISTENCE_RECOVERIES;
            widenedAtDelivered = totalDeliveredBytes;
        } else if (persistence == 0) {
            steps = 1;
        }
    }

    /** A recovery has ended in which what was deemed lost had been lost. */
    void onRecovered() {
        if (persistence > 0) {
            persistence--;
        }
    }

    /** Losses are to be looked for again, though nothing has arrived. */
    void lookAgain() {
        advanced = true;
    }

    /** What has arrived was sent before all that is still out, so it tells of no loss. */
    void onInOrder() {
        advanced = false;
    }

    /** RACK.reo_wnd. */
    long windowNs(RttEstimator rtt, boolean inRecovery, int sackedSegments) {
        if (!reorderingSeen && (inRecovery || sackedSegments >= DUP_THRESH) || !rtt.hasSample()) {
            return 0;
        }
        return Math.min(rtt.minimumRttNs() / 4 * steps, rtt.smoothedRttNs());
    }

    /**
     * §6.2 step 5: marks as lost what was sent before RACK.segment and is overdue. It looks at no more than it marks, and one: the
     * deadline is that of the segment overdue next, where the RFC takes the last one's, to walk less.
     *
     * @return bytes newly deemed lost
     */
    long detect(SentSegments log, long windowNs, long nowNs) {
        if (!advanced) {
            return 0;
        }
        advanced = false;
        return markOverdue(log, windowNs, nowNs);
    }

    /** {@link #deadlineNs} has come. */
    long onTimer(SentSegments log, long windowNs, long nowNs) {
        return deadlineNs <= nowNs ? markOverdue(log, windowNs, nowNs) : 0;
    }

    private long markOverdue(SentSegments log, long windowNs, long nowNs) {
        deadlineNs = NEVER;
        long bytes = 0;
        for (long number = log.longestOut(); number != SentSegments.NONE; number = log.longestOut()) {
            long sent = log.sentNs(number);
            if (!isSentAfter(sentNs, end, sent, log.end(number))) {
                break;
            }
            long overdueNs = sent + rttNs + windowNs;
            if (overdueNs > nowNs) {
                deadlineNs = overdueNs;
                break;
            }
            bytes += log.markLost(number);
        }
        return bytes;
    }

    /**
     * §6.3: the retransmission timer has fired: the first segment is lost, and those which were not sent within the last round trip.
     *
     * @return bytes newly deemed lost
     */
    long onTimeout(SentSegments log, long windowNs, long nowNs) {
        deadlineNs = NEVER;
        long bytes = log.markLost(log.first());
        for (long number = log.longestOut();
                number != SentSegments.NONE && log.sentNs(number) + rttNs + windowNs <= nowNs;
                number = log.longestOut()) {
            bytes += log.markLost(number);
        }
        return bytes;
    }

    /** When {@link #onTimer} is due, or {@link #NEVER}. */
    long deadlineNs() {
        return deadlineNs;
    }

    /** Nothing is in flight. */
    void onEmpty() {
        deadlineNs = NEVER;
    }
}
