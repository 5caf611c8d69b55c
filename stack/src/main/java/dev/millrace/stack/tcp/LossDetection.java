package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;

/**
 * Which segments in flight are lost: by RACK with SACK; without it the first one, once duplicates say so, and after it each next hole; after timeouts those
 * that have had time enough. Marks them in the log, and remembers what the acknowledgment or timer in hand has brought to light. Core thread only.
 */
final class LossDetection {
    final Rack rack = new Rack();
    /** Without SACK: each is taken to say that one segment has left the network. */
    final DuplicateAcks duplicates = new DuplicateAcks();

    private final SentSegments log;
    private final RttEstimator rtt;
    private final Counters counters;
    private final boolean sack;

    /** Bytes found lost since the last acknowledgment's sample. */
    private long newlyLost;

    /** By the acknowledgment, or timer, in hand. */
    private boolean retransmissionLost;

    LossDetection(SentSegments log, RttEstimator rtt, Counters counters, boolean sack) {
        this.log = log;
        this.rtt = rtt;
        this.counters = counters;
        this.sack = sack;
    }

    /** Another acknowledgment or timer. */
    void begin() {
        retransmissionLost = false;
    }

    // ---- finding ----

    /**
     * Looks for what is overdue, with SACK.
     *
     * @param repairing losses are being repaired, so what is found is no surprise
     */
    void find(boolean repairing, long nowNs) {
        if (!sack) {
            return;
        }
        long retransmitted = log.retransmittedBytes();
        onLost(rack.detect(log, windowNs(repairing), nowNs), retransmitted);
    }

    /** The reordering timer has fired. */
    void onTimer(boolean inRecovery, long nowNs) {
        long retransmitted = log.retransmittedBytes();
        onLost(rack.onTimer(log, windowNs(inRecovery), nowNs), retransmitted);
    }

    private void onLost(long lost, long retransmittedBefore) {
        newlyLost += lost;
        if (log.retransmittedBytes() < retransmittedBefore) {
            retransmissionLost = true;
            counters.increment(Counter.TCP_LOST_RETRANSMISSIONS);
        }
    }

    private long windowNs(boolean recovering) {
        return rack.windowNs(rtt, recovering, log.sackedSegments());
    }

    /** The retransmission timer has fired; what was SACKed before the peer {@code reneged} tells nothing. */
    void onTimeout(boolean reneged, boolean inRecovery, long nowNs) {
        if (sack && !reneged) {
            newlyLost += rack.onTimeout(log, windowNs(inRecovery), nowNs);
        } else {
            for (long number = log.first(); number < log.next(); number++) {
                markLost(number);
            }
        }
    }

    /** The first segment not acknowledged. */
    void markFirst() {
        markLost(log.first());
    }

    /** What is larger than the path takes. */
    void markLarger(int segmentBytes) {
        for (long number = log.first(); number < log.next(); number++) {
            if (log.bytes(number) > segmentBytes) {
                markLost(number);
            }
        }
    }

    private void markLost(long number) {
        if (number < log.next() && !log.isSacked(number)) {
            newlyLost += log.markLost(number);
        }
    }

    /** The losses were none. */
    void forgetLosses() {
        log.forgetLosses();
        rack.lookAgain();
    }

    // ---- what was found ----

    /**
     * RACK has found losses, or, without SACK, there were three duplicates. Duplicates that a timeout's needless retransmissions caused must
     * not count: the acknowledgment has to cover more than the last recovery's data (RFC 6582 §3.2 (1)).
     *
     * @param newer it does, or nothing was sent again
     */
    boolean saysLoss(boolean newer) {
        if (log.isEmpty()) {
            return false;
        }
        return sack ? log.lostBytes() > 0 : duplicates.sayLoss() && newer;
    }

    boolean isRetransmissionLost() {
        return retransmissionLost;
    }

    long newlyLostBytes() {
        return newlyLost;
    }

    /** They have been reported. */
    void forgetNewlyLost() {
        newlyLost = 0;
    }

    /** Bytes in the network, as far as is known. */
    long pipe() {
        return Math.max(0, log.pipe() - duplicates.bytes());
    }
}
