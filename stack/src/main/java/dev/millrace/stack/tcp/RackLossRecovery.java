package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;

/**
 * Loss recovery as Linux has it: with selective acknowledgments RACK-TLP (RFC 8985), which supersedes RFC 6675's inference and early retransmit (RFC
 * 5827, 4653), F-RTO (RFC 5682) after timeouts; without them RFC 5681 and 6582 (NewReno). With both proportional rate reduction
 * (RFC 9937), limited transmit (RFC 3042), and reductions undone that turn out to be mistaken.
 *
 * <pre>
 *            loss found                        all of it acknowledged
 *   OPEN ────────────────► FAST_RECOVERY ─────────────────────────────► OPEN
 *    │ ▲                        │  ▲
 *    │ └── acknowledged, ───┐   │  └─ a retransmission is lost
 *    │     or spurious      │   │ timeout
 *    └── timeout ───────► AFTER_TIMEOUT
 * </pre>
 * A congestion mark makes the window shrink in the same proportion, without anything to be sent again (REDUCING, from OPEN and back); a loss
 * found meanwhile goes on with that reduction. Without SACK, each duplicate is taken to say that one segment has left the network. Core thread only; allocates nothing.
 */
final class RackLossRecovery implements LossRecovery {
    private enum Phase {
        OPEN,
        /** Since a congestion mark was echoed, until {@code recoveryPoint} is acknowledged: the window shrinks, nothing is lost (Linux' CWR). */
        REDUCING,
        /** Since a loss was inferred, until {@code recoveryPoint} is acknowledged. */
        FAST_RECOVERY,
        /** Since a timeout, until {@code recoveryPoint} is acknowledged: slow start over what is lost. */
        AFTER_TIMEOUT
    }

    private final CongestionControl congestion;
    private final RttEstimator rtt;
    private final Counters counters;
    private final AckSample sample;
    private final boolean sack;

    private final SentSegments log;
    private final DeliveryRate rate = new DeliveryRate();
    private final Rack rack = new Rack();
    private final TailLossProbe probe = new TailLossProbe();
    private final ProportionalRate reduction = new ProportionalRate();
    private final LossUndo undo = new LossUndo();
    private final Scoreboard scoreboard;
    /** Without SACK. */
    private final DuplicateAcks duplicates = new DuplicateAcks();

    private int segmentBytes;

    private Phase phase = Phase.OPEN;

    /** SND.NXT when recovery began; afterwards, what RFC 6582 calls recover. −1 before the first. */
    private long recoveryPoint = -1;

    // after a timeout
    private long timeoutUna = NOTHING;
    /** The first retransmission is due and goes out whatever the window says. */
    private boolean firstRetransmissionDue;

    private final ForwardRto forwardRto = new ForwardRto();

    /** Bytes found lost since the last acknowledgment's sample. */
    private long newlyLost;

    /** By the acknowledgment, or timer, in hand. */
    private boolean retransmissionLost;

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
        this.scoreboard = new Scoreboard(log, rate, rack, probe, undo, rtt, counters, sack);
        congestion.onEstablished(segmentBytes, synLost);
    }

    // ---- what is sent ----

    @Override
    public void onSent(long from, long to, long nowNs) {
        assert from == log.end() && to > from : "new data is not next";
        rate.onSending(log.isEmpty(), nowNs);
        log.append(to, nowNs, rate);
        reduction.onSent(to - from);
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
        reduction.onSent(to - from);
        undo.onRetransmitted(nowNs);
        firstRetransmissionDue = false;
    }

    // ---- acknowledgments ----

    @Override
    public void onAck(Acknowledgment ack) {
        long priorUna = log.una();
        long priorDelivered = rate.delivered();
        long priorDuplicateBytes = duplicates.bytes();
        assert ack.una >= priorUna && ack.una <= log.end() : "acknowledged what was not sent";
        boolean uneventful = isUneventful(ack, priorUna);
        sample.priorInFlightBytes = inFlightBytes();
        retransmissionLost = false;
        forwardRto.onAck();
        scoreboard.take(ack, recoveryPoint, segmentBytes);
        long acked = ack.una - priorUna;
        sample.rttNs = scoreboard.rttNs();
        if (!sack) {
            countDuplicates(ack.duplicate, acked);
        }
        completeSample(ack, acked, rate.delivered() - priorDelivered);
        if (uneventful) {
            rack.onInOrder();
            report();
            if (acked > 0) {
                sample.arrivedBytes = acked;
                congestion.onAck(sample);
            }
        } else {
            evaluate(ack, acked, sack ? sample.deliveredBytes : announced(acked, priorDuplicateBytes));
        }
        if (log.isEmpty()) {
            rack.onEmpty();
        }
    }

    /**
     * Everything arrives in order, as nearly always: then nothing can be found lost, repaired or undone, and what looks for that need not. Asked before the
     * acknowledgment is taken in.
     */
    private boolean isUneventful(Acknowledgment ack, long priorUna) {
        return phase == Phase.OPEN
                && ack.sackBlocks == 0
                && (sack || ack.una > priorUna && duplicates.bytes() == 0)
                && log.isInOrder()
                && !probe.isOut()
                && rack.deadlineNs() == Rack.NEVER;
    }

    /** @param delivered bytes that it says, SACKed or by a duplicate, have arrived */
    private void evaluate(Acknowledgment ack, long acked, long delivered) {
        if (sack && sample.rateBytes > 0) {
            rack.adaptWindow(sample.priorDeliveredBytes, rate.delivered());
        }
        if (sack) {
            findLosses(ack.una, ack.nowNs);
        }
        report();
        settleProbe(ack, acked == 0 && !scoreboard.somethingSacked() && ack.duplicate);
        boolean wasReducing = isReducing();
        react(ack, acked, delivered);
        adjustWindow(acked, delivered, wasReducing);
        newlyLost = 0;
    }

    private void report() {
        sample.lostBytes = newlyLost;
        sample.inFlightBytes = inFlightBytes();
        congestion.onSample(sample);
    }

    /** Without SACK: bytes of which this acknowledgment newly says that they have arrived. One that advances was caused by a segment that no duplicate had told of. */
    private long announced(long acked, long priorDuplicateBytes) {
        long least = Math.min(acked, segmentBytes);
        return Math.max(least, acked + duplicates.bytes() - priorDuplicateBytes);
    }

    private void countDuplicates(boolean duplicate, long acked) {
        if (acked > 0) {
            duplicates.onAdvanced(acked, segmentBytes, phase == Phase.FAST_RECOVERY);
        }
        if (duplicate) {
            // after a timeout only what F-RTO has sent anew can have arrived (RFC 5682 §2.1 step 3a; Linux)
            boolean counts = phase != Phase.AFTER_TIMEOUT || log.end() > recoveryPoint;
            duplicates.onDuplicate(log.end() - log.una(), segmentBytes, counts);
        }
    }

    // ---- phases ----

    private void react(Acknowledgment ack, long acked, long delivered) {
        boolean advanced = acked > 0;
        if (phase != Phase.OPEN
                && ack.una >= recoveryPoint
                && !(forwardRto.isUndecided() && advanced && undoTimeout(ack))) {
            leaveRecovery(ack);
        }
        switch (phase) {
            case REDUCING -> {
                // RFC 3168 §6.1.2: a mark is no mistake
            }
            case OPEN -> {
                if (undo.isAllReported()) {
                    undoReduction(ack.nowNs);
                }
            }
            case FAST_RECOVERY -> {
                if (undo.isAllReported() || advanced && undo.isEchoOlder(ack.echoNs) && log.retransmittedBytes() == 0) {
                    undoReduction(ack.nowNs);
                } else if (advanced && !sack) {
                    markLost(log.first()); // RFC 6582 §3.2 (3): what follows a partial acknowledgment is the next hole
                }
            }
            case AFTER_TIMEOUT -> verifyTimeout(ack, advanced);
        }
        if (sack) {
            findLosses(ack.una, ack.nowNs); // again if a reduction has been undone
        }
        if (!inRecovery() && lossInferred() || phase == Phase.AFTER_TIMEOUT && retransmissionLost) {
            enterRecovery(delivered, ack.nowNs);
        }
    }

    private void findLosses(long una, long nowNs) {
        long retransmitted = log.retransmittedBytes();
        boolean recovering = inRecovery() && una < recoveryPoint;
        long lost = rack.detect(log, rack.windowNs(rtt, recovering, log.sackedSegments()), nowNs);
        onLost(lost, retransmitted);
    }

    private void onLost(long lost, long retransmittedBefore) {
        newlyLost += lost;
        if (log.retransmittedBytes() < retransmittedBefore) {
            retransmissionLost = true;
            counters.increment(Counter.TCP_LOST_RETRANSMISSIONS);
        }
    }

    private long reorderingWindowNs() {
        return rack.windowNs(rtt, inRecovery(), log.sackedSegments());
    }

    private void markLost(long number) {
        if (number < log.next() && !log.isSacked(number)) {
            newlyLost += log.markLost(number);
        }
    }

    /**
     * RACK has found losses, or, without SACK, there were three duplicates. Duplicates that a timeout's needless retransmissions caused must
     * not count: the acknowledgment has to cover more than the last recovery's data (RFC 6582 §3.2 (1)).
     */
    private boolean lossInferred() {
        if (log.isEmpty()) {
            return false;
        }
        boolean newer = phase == Phase.REDUCING || log.una() > recoveryPoint; // a mark causes no retransmission
        return sack ? log.lostBytes() > 0 : duplicates.sayLoss() && newer;
    }

    /** @param delivered bytes that the acknowledgment in hand says have arrived */
    private void enterRecovery(long delivered, long nowNs) {
        boolean reduced =
                phase == Phase.REDUCING; // as Linux, whatever has been lost meanwhile belongs to the same episode
        phase = Phase.FAST_RECOVERY;
        forwardRto.decide();
        firstRetransmissionDue = false;
        undo.begin(log.una());
        probe.cancel();
        counters.increment(Counter.TCP_FAST_RECOVERIES);
        if (!sack) {
            markLost(log.first());
            duplicates.limit(log.end() - log.una(), segmentBytes);
        }
        if (!reduced) {
            congestion.onLoss(nowNs);
            beginReduction(delivered);
        }
    }

    private void beginReduction(long delivered) {
        recoveryPoint = log.end();
        // RFC 9937 §6.2, RecoverFS: without what was SACKed before this acknowledgment, in whose place more was sent
        // (RFC 3042)
        reduction.begin(log.end() - log.una() - log.sackedBytes() - duplicates.bytes() + delivered, pipe());
    }

    private void leaveRecovery(Acknowledgment ack) {
        if (phase == Phase.REDUCING) {
            congestion.onRecovered(ack.nowNs);
        } else if (undo.isNeedless(ack.echoNs)) {
            undoReduction(ack.nowNs);
        } else {
            rack.onRecovered();
            if (phase == Phase.FAST_RECOVERY) {
                congestion.onRecovered(ack.nowNs);
            }
        }
        open();
    }

    private void open() {
        phase = Phase.OPEN;
        duplicates.clear();
        firstRetransmissionDue = false;
        forwardRto.decide();
        timeoutUna = NOTHING;
    }

    /** Nothing had been lost: the window is as it was, and what is still deemed lost is looked at again (RFC 4015 §3.2). */
    private void undoReduction(long nowNs) {
        counters.increment(Counter.TCP_REDUCTIONS_UNDONE);
        log.forgetLosses();
        rack.lookAgain();
        undo.cancel();
        congestion.onSpurious(nowNs);
        open();
        // no flight of retransmissions is out whose duplicates could mislead (RFC 6582 §4)
        recoveryPoint = Math.min(recoveryPoint, log.una() - 1);
    }

    @Override
    public void onLostForItsSize(long nowNs) {
        undo.cancel();
        congestion.onSpurious(nowNs);
    }

    private void adjustWindow(long acked, long delivered, boolean wasReducing) {
        if (isReducing()) {
            reduction.onAck(delivered, pipe(), congestion.ssthreshBytes(), segmentBytes, acked > 0 && newlyLost == 0);
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

    // ---- timeouts ----

    @Override
    public void onTimeout(long nowNs) {
        assert !log.isEmpty() : "nothing was in flight";
        boolean reneged = suspectsReneging();
        if (reneged) {
            counters.increment(Counter.TCP_SACK_RENEGING);
            log.forgetSacks();
        }
        boolean again = timeoutUna == log.una();
        boolean reduced = phase != Phase.OPEN && log.una() < recoveryPoint && (isReducing() || again);
        forwardRto.onTimeout(inRecovery() && !again);
        congestion.onRto(reduced, nowNs);
        if (!reduced) {
            undo.begin(log.una());
        }
        if (sack && !reneged) {
            newlyLost += rack.onTimeout(log, reorderingWindowNs(), nowNs);
        } else {
            markAllLost();
        }
        probe.cancel();
        phase = Phase.AFTER_TIMEOUT;
        timeoutUna = log.una();
        recoveryPoint = log.end();
        duplicates.clear();
        firstRetransmissionDue = true;
    }

    private void markAllLost() {
        for (long number = log.first(); number < log.next(); number++) {
            markLost(number);
        }
    }

    private void verifyTimeout(Acknowledgment ack, boolean advanced) {
        if (advanced && undo.isNeedless(ack.echoNs)) {
            undoReduction(ack.nowNs);
            return;
        }
        if (!forwardRto.isUndecided() || undoTimeout(ack)) {
            return;
        }
        if (log.end() > recoveryPoint) {
            if (scoreboard.somethingSacked() || ack.duplicate) {
                forwardRto.decide(); // step 3a: the loss was real
            }
        } else if (advanced) {
            recoveryPoint = log.end(); // step 2b
            forwardRto.onAdvanced(ack.newDataWaits);
        }
    }

    /** Step 3b. */
    private boolean undoTimeout(Acknowledgment ack) {
        if (!scoreboard.originalArrived()) {
            return false;
        }
        counters.increment(Counter.TCP_SPURIOUS_TIMEOUTS);
        undoReduction(ack.nowNs);
        return true;
    }

    @Override
    public boolean releasesRetransmissions() {
        return log.end() <= recoveryPoint && forwardRto.release();
    }

    /** As Linux: those that fit are left alone, the window stays, and what follows is no reduction that could be undone. */
    @Override
    public void onPathNarrowed(long nowNs) {
        for (long number = log.first(); number < log.next(); number++) {
            if (log.bytes(number) > segmentBytes) {
                markLost(number);
            }
        }
        if (!inRecovery() && log.lostBytes() > 0) {
            phase = Phase.AFTER_TIMEOUT;
            recoveryPoint = log.end();
            undo.cancel();
            probe.cancel();
        }
    }

    // ---- what to send again ----

    @Override
    public long retransmitFrom() {
        if (!inRecovery() || forwardRto.holdsRetransmissions() || log.firstLost() == SentSegments.NONE) {
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

    // ---- timers ----

    @Override
    public long reorderDeadlineNs() {
        return rack.deadlineNs();
    }

    @Override
    public void onReorderTimer(long nowNs) {
        long retransmitted = log.retransmittedBytes();
        retransmissionLost = false;
        onLost(rack.onTimer(log, reorderingWindowNs(), nowNs), retransmitted);
        if (log.lostBytes() > 0 && (!inRecovery() || phase == Phase.AFTER_TIMEOUT && retransmissionLost)) {
            enterRecovery(0, nowNs);
            reduction.onAck(1, pipe(), congestion.ssthreshBytes(), segmentBytes, false);
        }
    }

    @Override
    public long probeTimeoutNs() {
        boolean possible = sack && !inRecovery() && !log.isEmpty() && log.sackedSegments() == 0 && !probe.isOut();
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
                && phase == Phase.OPEN) {
            congestion.onLoss(ack.nowNs);
            congestion.onRecovered(ack.nowNs);
            undo.cancel();
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
        congestion.onEcnEcho(nowNs);
        if (!log.isEmpty() && !congestion.setsWindowInRecovery()) {
            phase = Phase.REDUCING;
            beginReduction(sample.deliveredBytes);
            reduction.onAck(sample.deliveredBytes, pipe(), congestion.ssthreshBytes(), segmentBytes, true);
        }
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
        long allowance = Math.max(0, windowBytes() - pipe());
        if (firstRetransmissionDue) {
            allowance = Math.max(allowance, segmentBytes);
        }
        return (int) Math.min(allowance, Integer.MAX_VALUE);
    }

    private long windowBytes() {
        return isReducing() && !congestion.setsWindowInRecovery() ? reduction.windowBytes() : congestion.cwndBytes();
    }

    private long pipe() {
        return Math.max(0, log.pipe() - duplicates.bytes());
    }

    @Override
    public int inFlightBytes() {
        return (int) Math.min(pipe(), Integer.MAX_VALUE);
    }

    @Override
    public boolean inRecovery() {
        return phase == Phase.FAST_RECOVERY || phase == Phase.AFTER_TIMEOUT;
    }

    /** The window comes down by {@link #reduction}. */
    private boolean isReducing() {
        return phase == Phase.FAST_RECOVERY || phase == Phase.REDUCING;
    }

    @Override
    public void onApplicationLimited() {
        rate.onApplicationLimited(pipe());
    }

    @Override
    public void onIdle(long idleNs, long rtoNs, long nowNs) {
        congestion.onIdle(idleNs, rtoNs);
    }

    @Override
    public void onUnused(long usedBytes) {
        if (phase == Phase.OPEN) {
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
        boolean disorder = log.sackedSegments() > 0 || duplicates.count() > 0;
        into.state = switch (phase) {
            case OPEN -> disorder ? RecoveryFigures.DISORDER : RecoveryFigures.OPEN;
            case REDUCING -> RecoveryFigures.REDUCED;
            case FAST_RECOVERY -> RecoveryFigures.FAST_RECOVERY;
            case AFTER_TIMEOUT -> RecoveryFigures.AFTER_TIMEOUT;
        };
        into.inFlightSegments = log.count();
        into.sackedSegments = sack ? log.sackedSegments() : Math.min(duplicates.count(), log.count());
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
        return (int) Math.min(windowBytes(), Integer.MAX_VALUE);
    }

    @Override
    public int ssthreshBytes() {
        return (int) Math.min(congestion.ssthreshBytes(), Integer.MAX_VALUE);
    }
}
