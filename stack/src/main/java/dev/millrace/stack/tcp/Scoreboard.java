package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;

/**
 * Enters into the log of sent segments what an acknowledgment says has arrived: cumulatively, by SACK blocks (RFC 6675's Update()), and twice (D-SACK, RFC
 * 2883). Feeds with it what measures: delivery rate, round trip, RACK, and the count of needless retransmissions. Core thread only.
 */
final class Scoreboard {
    private static final long NONE = Long.MAX_VALUE;

    /** Linux' tcp_max_reordering: what is further apart is no reordering that anybody would wait for. */
    private static final int MAX_REORDERING = 300;

    private final SentSegments log;
    private final DeliveryRate rate;
    private final Rack rack;
    private final TailLossProbe probe;
    private final LossUndo undo;
    private final RttEstimator rtt;
    private final Counters counters;
    private final boolean sack;

    // of the acknowledgment taken last
    private long oldestRttNs;
    private long youngestRttNs;
    private boolean originalArrived;
    private boolean somethingSacked;
    private boolean probeReported;
    /** Where the first segment begins that arrived after one sent later; {@link #NONE}. */
    private long overtakenFrom = NONE;

    // of all, for TCP_INFO
    private long deliveredSegments;
    private long deliveredMarkedSegments;
    private long duplicatesReported;
    private long reorderings;
    private int reorderingDegree = Rack.DUP_THRESH;

    Scoreboard(
            SentSegments log,
            DeliveryRate rate,
            Rack rack,
            TailLossProbe probe,
            LossUndo undo,
            RttEstimator rtt,
            Counters counters,
            boolean sack) {
        this.log = log;
        this.rate = rate;
        this.rack = rack;
        this.probe = probe;
        this.undo = undo;
        this.rtt = rtt;
        this.counters = counters;
        this.sack = sack;
    }

    /**
     * Takes an acknowledgment in.
     *
     * @param recoveryPoint SND.NXT when the last recovery began
     */
    void take(Acknowledgment ack, long recoveryPoint, int segmentBytes) {
        long priorUna = log.una();
        long priorDelivered = deliveredSegments;
        oldestRttNs = LossRecovery.NOTHING;
        youngestRttNs = LossRecovery.NOTHING;
        originalArrived = false;
        somethingSacked = false;
        probeReported = false;
        if (ack.una > priorUna) {
            advance(ack, recoveryPoint);
            judgeOrder(ack.una, segmentBytes);
        }
        if (sack && ack.sackBlocks > 0) {
            takeSacks(ack, priorUna, recoveryPoint, segmentBytes);
            judgeOrder(ack.una, segmentBytes);
        }
        measure(ack, ack.una > priorUna, segmentBytes);
        if (ack.ecnEcho) {
            deliveredMarkedSegments += deliveredSegments - priorDelivered;
        }
    }

    /** Fills in what it has counted. */
    void describe(RecoveryFigures into) {
        into.deliveredSegments = deliveredSegments;
        into.deliveredMarkedSegments = deliveredMarkedSegments;
        into.duplicatesReported = duplicatesReported;
        into.reorderings = reorderings;
        into.reorderingDegree = reorderingDegree;
    }

    // ---- what it said ----

    /** Round trip of the youngest segment that it covers and that was sent once, or as its timestamp says; {@link LossRecovery#NOTHING} for none. */
    long rttNs() {
        return youngestRttNs;
    }

    /** Something arrived that was sent once only, before the last recovery began (RFC 5682). */
    boolean originalArrived() {
        return originalArrived;
    }

    boolean somethingSacked() {
        return somethingSacked;
    }

    /** Its D-SACK reports the tail loss probe. */
    boolean probeReported() {
        return probeReported;
    }

    // ---- arrivals ----

    /** SND.UNA moves. */
    private void advance(Acknowledgment ack, long recoveryPoint) {
        long highest = log.highestSacked();
        boolean ambiguous = false;
        while (!log.isEmpty() && log.end(log.first()) <= ack.una) {
            if (!log.isSacked(log.first())) {
                ambiguous |= log.wasEverRetransmitted(log.first());
                onDelivered(log.first(), highest, recoveryPoint, ack.nowNs);
            }
            log.removeFirst();
        }
        long part = log.trim(ack.una);
        if (part > 0) {
            rate.onDelivered(part, ack.nowNs);
        }
        if (ambiguous) {
            // RFC 6298 §3: what waited behind a hole says as little of the round trip as what filled it; and without
            // SACK it may have arrived before the timeout (RFC 5682 §2.1).
            oldestRttNs = LossRecovery.NOTHING;
            youngestRttNs = LossRecovery.NOTHING;
            originalArrived &= sack;
        }
    }

    /** A segment has arrived, acknowledged or SACKed. */
    private void onDelivered(long number, long highestSacked, long recoveryPoint, long nowNs) {
        rate.onDelivered(log, number, nowNs);
        deliveredSegments++;
        if (!log.wasEverRetransmitted(number)) {
            // The estimator takes the oldest, in which the peer's delay of its acknowledgment counts; the smallest
            // round trip is that of the youngest.
            youngestRttNs = nowNs - log.sentNs(number);
            oldestRttNs = Math.max(oldestRttNs, youngestRttNs);
            originalArrived |= log.end(number) <= recoveryPoint;
            if (sack && log.start(number) < highestSacked) {
                overtakenFrom = Math.min(overtakenFrom, log.start(number));
            }
        }
        if (sack) {
            rack.onDelivered(log, number, Math.min(rtt.minimumRttNs(), minimumOf(youngestRttNs)), nowNs);
        }
    }

    /** How far, in segments, what has just arrived had been overtaken: once for what is acknowledged and once for what is SACKed, as Linux. */
    private void judgeOrder(long una, int segmentBytes) {
        if (overtakenFrom == NONE) {
            return;
        }
        rack.onReordering();
        reorderings++;
        long distance = Math.max(log.highestSacked(), una) - overtakenFrom;
        long segments = Math.min((distance + segmentBytes - 1) / segmentBytes, MAX_REORDERING);
        reorderingDegree = Math.max(reorderingDegree, (int) segments);
        overtakenFrom = NONE;
    }

    private static long minimumOf(long rttNs) {
        return rttNs == LossRecovery.NOTHING ? Long.MAX_VALUE : rttNs;
    }

    private void takeSacks(Acknowledgment ack, long priorUna, long recoveryPoint, int segmentBytes) {
        int first = 0;
        if (reportsDuplicate(ack)) {
            onDuplicateReported(ack.sackFrom[0], ack.sackTo[0], priorUna, segmentBytes);
            first = 1;
        }
        long highest = Math.max(log.highestSacked(), ack.una);
        for (int i = first; i < ack.sackBlocks; i++) {
            long from = ack.sackFrom[i];
            long to = ack.sackTo[i];
            if (from < to && from >= ack.una && to <= log.end()) {
                takeSack(from, to, highest, recoveryPoint, ack.nowNs);
            }
        }
    }

    /** Segments that the block covers as a whole have arrived; what is known to have is skipped. */
    private void takeSack(long from, long to, long highest, long recoveryPoint, long nowNs) {
        long number = log.firstEndingAfter(from);
        if (number < log.next() && log.start(number) < from) {
            number++;
        }
        for (number = log.nextNotSacked(number);
                number < log.next() && log.end(number) <= to;
                number = log.nextNotSacked(number + 1)) {
            onDelivered(number, highest, recoveryPoint, nowNs);
            log.markSacked(number);
            somethingSacked = true;
        }
    }

    /** RFC 2883 §4: the first block lies below SEG.ACK, or inside the second. */
    private static boolean reportsDuplicate(Acknowledgment ack) {
        return ack.sackFrom[0] < ack.acknowledged
                || ack.sackBlocks > 1 && ack.sackFrom[1] <= ack.sackFrom[0] && ack.sackTo[0] <= ack.sackTo[1];
    }

    private void onDuplicateReported(long from, long to, long priorUna, int segmentBytes) {
        if (from >= to || to > log.end()) {
            return;
        }
        counters.increment(Counter.TCP_DSACKS_RECEIVED);
        duplicatesReported++;
        if (!undo.onDuplicateReported(to, priorUna, (to - from + segmentBytes - 1) / segmentBytes)) {
            return;
        }
        if (probe.isReportedBy(to)) {
            probeReported = true;
        } else {
            rack.onDuplicateReported();
        }
    }

    // ---- round trips ----

    private void measure(Acknowledgment ack, boolean advanced, int segmentBytes) {
        if (oldestRttNs == LossRecovery.NOTHING && advanced && ack.echoNs != Acknowledgment.NONE) {
            long ticks = Math.max(1, (ack.nowNs - ack.echoNs) / Timestamps.TICK_NS);
            oldestRttNs = ticks * Timestamps.TICK_NS;
            youngestRttNs = oldestRttNs;
        }
        if (oldestRttNs != LossRecovery.NOTHING) { // otherwise a back-off stays in force (Karn's algorithm)
            rtt.onSample(oldestRttNs, youngestRttNs, samplesPerRoundTrip(segmentBytes), ack.nowNs);
        }
    }

    /** RFC 7323 appendix G: of a small flight, which an echo's is, without a division. */
    private int samplesPerRoundTrip(int segmentBytes) {
        long flight = log.end() - log.una();
        long samples = flight < 4L * segmentBytes ? 1 : flight / (2L * segmentBytes);
        return (int) Math.min(samples, Integer.MAX_VALUE);
    }
}
