package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;

/**
 * Loss recovery as Linux has it: with selective acknowledgments RACK-TLP (RFC 8985), which supersedes RFC 6675's inference and early retransmit (RFC
 * 5827, 4653), F-RTO (RFC 5682) after timeouts; without them RFC 5681 and 6582 (NewReno). With both proportional rate reduction
 * (RFC 9937), limited transmit (RFC 3042), and reductions undone that turn out to be mistaken.
 *
 * <p>Here is what an acknowledgment goes through, and what may be sent and is sent again. {@link Scoreboard} notes what has arrived, {@link LossDetection} finds what has
 * not, {@link RecoveryPhases} decides what follows from it. Core thread only; allocates nothing.
 */
final class RackLossRecovery implements LossRecovery {
    private final CongestionControl congestion;
    private final RttEstimator rtt;
    private final Counters counters;
    private final AckSample sample;
    private final boolean sack;

    private final SentSegments log;
    private final DeliveryRate rate = new DeliveryRate();
    private final TailLossProbe probe = new TailLossProbe();
    private final LossDetection detection;
    private final RecoveryPhases phases;
    private final Scoreboard scoreboard;

    private int segmentBytes;

    /**
     * For a connection whose handshake is complete; position 0 is the first byte.
     *
     * @param sack both sides permit SACK
     * @param segmentBytes payload of a full segment
     * @param synLost our SYN or SYN-ACK had to be repeated more than once
     * @param rtt the connection's, which this feeds
     * @param sample the core's flyweight
     * @param pool the core's
     */
    RackLossRecovery(
            CongestionControl congestion,
            boolean sack,
            int segmentBytes,
            boolean synLost,
            RttEstimator rtt,
            Counters counters,
            AckSample sample,
            SegmentLogPool pool) {
        this.congestion = congestion;
        this.sack = sack;
        this.segmentBytes = segmentBytes;
        this.rtt = rtt;
        this.counters = counters;
        this.sample = sample;
        this.log = new SentSegments(pool);
        this.detection = new LossDetection(log, rtt, counters, sack);
        this.phases = new RecoveryPhases(congestion, log, detection, probe, counters, sack);
        this.scoreboard = new Scoreboard(log, rate, detection.rack, probe, phases.undo, rtt, counters, sack);
        congestion.onEstablished(segmentBytes, synLost);
    }

    // ---- what is sent ----

    @Override
    public void onSent(long from, long to, long nowNs) {
        assert from == log.end() && to > from : "new data is not next";
        rate.onSending(log.isEmpty(), nowNs);
        log.append(to, nowNs, rate);
        phases.onSent(to - from);
    }

    @Override
    public void onRetransmitted(long from, long to, long nowNs) {
        long number = log.firstEndingAfter(from);
        assert number < log.next() && log.start(number) == from : "not where a segment begins";
        if (to < log.end(number)) {
            assert number == log.first() : "a part of a segment";
            log.splitFirst(to);
            number = log.first();
        }
        for (; number < log.next() && log.end(number) <= to; number++) {
            log.onRetransmitted(number, nowNs, rate);
        }
        phases.onRetransmitted(to - from, segmentBytes, nowNs);
    }

    // ---- acknowledgments ----

    @Override
    public void onAck(Acknowledgment ack) {
        long priorUna = log.una();
        long priorDelivered = rate.delivered();
        long priorDuplicateBytes = detection.duplicates.bytes();
        assert ack.una >= priorUna && ack.una <= log.end() : "acknowledged what was not sent";
        boolean uneventful = isUneventful(ack, priorUna);
        sample.priorInFlightBytes = inFlightBytes();
        detection.begin();
        phases.begin();
        scoreboard.take(ack, phases.recoveryPoint(), segmentBytes);
        long acked = ack.una - priorUna;
        sample.rttNs = scoreboard.rttNs();
        if (!sack) {
            countDuplicates(ack.duplicate, acked);
        }
        completeSample(ack, acked, rate.delivered() - priorDelivered);
        if (uneventful) {
            detection.rack.onInOrder();
            report();
            if (acked > 0) {
                sample.arrivedBytes = acked;
                congestion.onAck(sample);
            }
        } else {
            evaluate(ack, acked, sack ? sample.deliveredBytes : announced(acked, priorDuplicateBytes));
        }
        if (log.isEmpty()) {
            detection.rack.onEmpty();
        }
    }

    /**
     * Everything arrives in order, as nearly always: then nothing can be found lost, repaired or undone, and what looks for that need not. Asked before the
     * acknowledgment is taken in.
     */
    private boolean isUneventful(Acknowledgment ack, long priorUna) {
        return phases.isOpen()
                && ack.sackBlocks == 0
                && (sack || ack.una > priorUna && detection.duplicates.bytes() == 0)
                && log.isInOrder()
                && !probe.isOut()
                && detection.rack.deadlineNs() == Rack.NEVER;
    }

    /** @param delivered bytes that it says, SACKed or by a duplicate, have arrived */
    private void evaluate(Acknowledgment ack, long acked, long delivered) {
        if (sack && sample.rateBytes > 0) {
            detection.rack.adaptWindow(sample.priorDeliveredBytes, rate.delivered());
        }
        detection.find(phases.isRepairing(ack.una), ack.nowNs);
        report();
        settleProbe(ack, acked == 0 && !scoreboard.somethingSacked() && ack.duplicate);
        boolean wasReducing = phases.isReducing();
        phases.onAck(ack, acked > 0, delivered, segmentBytes, scoreboard);
        adjustWindow(acked, delivered, wasReducing);
        detection.forgetNewlyLost();
    }

    private void report() {
        sample.lostBytes = detection.newlyLostBytes();
        sample.inFlightBytes = inFlightBytes();
        congestion.onSample(sample);
    }

    private void adjustWindow(long acked, long delivered, boolean wasReducing) {
        if (phases.isReducing()) {
            phases.reduce(delivered, segmentBytes, acked > 0 && detection.newlyLostBytes() == 0);
        } else if (acked > 0 && !wasReducing) {
            sample.arrivedBytes = delivered;
            congestion.onAck(sample);
        }
    }

    private void completeSample(Acknowledgment ack, long acked, long delivered) {
        sample.ackedBytes = acked;
        sample.deliveredBytes = delivered;
        sample.unacknowledgedPosition = ack.una;
        sample.nextPosition = log.end();
        sample.windowLimited = ack.windowLimited;
        sample.ecnEcho = ack.ecnEcho;
        sample.nowNs = ack.nowNs;
        rate.complete(sample, rtt.hasSample() ? rtt.minimumRttNs() : 0);
    }

    private void countDuplicates(boolean duplicate, long acked) {
        if (acked > 0) {
            detection.duplicates.onAdvanced(acked, segmentBytes, phases.isFastRecovery());
        }
        if (duplicate) {
            detection.duplicates.onDuplicate(log.end() - log.una(), segmentBytes, phases.countsDuplicates());
        }
    }

    /** Without SACK: bytes of which this acknowledgment newly says that they have arrived. One that advances was caused by a segment that no duplicate had told of. */
    private long announced(long acked, long priorDuplicateBytes) {
        long least = Math.min(acked, segmentBytes);
        return Math.max(least, acked + detection.duplicates.bytes() - priorDuplicateBytes);
    }

    // ---- what to send again ----

    @Override
    public long retransmitFrom() {
        if (!phases.permitsRetransmissions() || log.firstLost() == SentSegments.NONE) {
            return NOTHING;
        }
        return log.start(log.firstLost());
    }

    /**
     * Small segments that are lost side by side go out as one (RFC 9293 §3.8.1: "may repackage"; Linux), for windows count bytes, and what an application
     * wrote byte by byte would leave as so many packets at once. The first segment in flight is cut to size if segments have become smaller; others go out
     * whole, in several packets.
     */
    @Override
    public long retransmitTo() {
        long number = log.firstLost();
        assert number != SentSegments.NONE : "nothing to retransmit";
        if (log.bytes(number) < segmentBytes) {
            return log.end(log.lastWaitingTogether(number, segmentBytes));
        }
        boolean cut = number == log.first() && !log.isFull();
        return cut ? Math.min(log.end(number), log.start(number) + segmentBytes) : log.end(number);
    }

    @Override
    public boolean releasesRetransmissions() {
        return phases.releasesRetransmissions();
    }

    // ---- timers ----

    @Override
    public void onTimeout(long nowNs) {
        assert !log.isEmpty() : "nothing was in flight";
        boolean reneged = suspectsReneging();
        if (reneged) {
            counters.increment(Counter.TCP_SACK_RENEGING);
            log.forgetSacks();
        }
        phases.onTimeout(reneged, nowNs);
    }

    @Override
    public long reorderDeadlineNs() {
        return detection.rack.deadlineNs();
    }

    @Override
    public void onReorderTimer(long nowNs) {
        detection.begin();
        detection.onTimer(phases.inRecovery(), nowNs);
        phases.onReorderTimer(segmentBytes, nowNs);
    }

    @Override
    public long probeTimeoutNs() {
        boolean possible =
                sack && !phases.inRecovery() && !log.isEmpty() && log.sackedSegments() == 0 && !probe.isOut();
        return possible ? TailLossProbe.timeoutNs(rtt, log.count()) : NOTHING;
    }

    @Override
    public long probeFrom() {
        return log.isEmpty() || log.isSacked(log.next() - 1) ? NOTHING : log.start(log.next() - 1);
    }

    @Override
    public long probeTo() {
        return log.end();
    }

    @Override
    public void onProbeSent(boolean again) {
        counters.increment(Counter.TCP_LOSS_PROBES);
        probe.onSent(log.end(), again);
    }

    /** RFC 8985 §7.4: what a probe has repaired was lost to congestion, too. */
    private void settleProbe(Acknowledgment ack, boolean pureDuplicate) {
        if (probe.onAck(ack.una, scoreboard.probeReported(), pureDuplicate) == TailLossProbe.Outcome.REPAIRED
                && phases.isOpen()) {
            phases.onRepaired(ack.nowNs);
        }
    }

    @Override
    public boolean isProbeOut() {
        return probe.isOut();
    }

    @Override
    public long oldestSentNs() {
        return log.sentNs(log.first());
    }

    @Override
    public boolean suspectsReneging() {
        return !log.isEmpty() && log.isSacked(log.first());
    }

    // ---- windows ----

    @Override
    public void onEcnEcho(long nowNs) {
        phases.onEcnEcho(sample.deliveredBytes, segmentBytes, nowNs);
    }

    @Override
    public void onLostForItsSize(long nowNs) {
        phases.onLostForItsSize(nowNs);
    }

    @Override
    public void onPathNarrowed(long nowNs) {
        detection.markLarger(segmentBytes);
        phases.onPathNarrowed();
    }

    @Override
    public long pacingRate(long roundTripNs) {
        return congestion.pacingRate(roundTripNs);
    }

    @Override
    public int allowanceBytes() {
        if (log.isFull() && retransmitFrom() == NOTHING) {
            return 0;
        }
        long allowance = Math.max(0, phases.windowBytes() - detection.pipe());
        if (phases.isFirstRetransmissionDue()) {
            allowance = Math.max(allowance, segmentBytes);
        }
        return (int) Math.min(allowance, Integer.MAX_VALUE);
    }

    @Override
    public int inFlightBytes() {
        return (int) Math.min(detection.pipe(), Integer.MAX_VALUE);
    }

    @Override
    public boolean inRecovery() {
        return phases.inRecovery();
    }

    @Override
    public void onApplicationLimited() {
        rate.onApplicationLimited(detection.pipe());
    }

    @Override
    public void onIdle(long idleNs, long rtoNs, long nowNs) {
        congestion.onIdle(idleNs, rtoNs);
    }

    @Override
    public void onUnused(long usedBytes) {
        if (phases.isOpen()) {
            congestion.onUnused(usedBytes);
        }
    }

    @Override
    public void segmentBytes(int bytes) {
        segmentBytes = bytes;
        congestion.onMssChanged(bytes);
    }

    @Override
    public void describe(RecoveryFigures into) {
        phases.describe(into);
        into.inFlightSegments = log.count();
        into.sackedSegments = sack ? log.sackedSegments() : Math.min(detection.duplicates.count(), log.count());
        into.lostSegments = segments(log.lostBytes());
        into.retransmittedSegments = segments(log.retransmittedBytes()) + log.countOutOnce(into.synTextEnd);
        into.deliveryRate = rate.bytesPerSecond();
        into.rateAppLimited = rate.wasAppLimited();
        scoreboard.describe(into);
    }

    private int segments(long bytes) {
        return (int) ((bytes + segmentBytes - 1) / segmentBytes);
    }

    @Override
    public int cwndBytes() {
        return (int) Math.min(phases.windowBytes(), Integer.MAX_VALUE);
    }

    @Override
    public int ssthreshBytes() {
        return (int) Math.min(congestion.ssthreshBytes(), Integer.MAX_VALUE);
    }
}
