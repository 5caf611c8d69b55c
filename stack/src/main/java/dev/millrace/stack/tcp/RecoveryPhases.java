package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;

/**
 * Whether losses are being repaired, what begins and ends that, what it does to the congestion window, and when it turns out to have been mistaken.
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
 * found meanwhile goes on with that reduction. Core thread only.
 */
final class RecoveryPhases {
    private enum Phase {
        OPEN,
        /** Since a congestion mark was echoed, until {@code recoveryPoint} is acknowledged: the window shrinks, nothing is lost (Linux' CWR). */
        REDUCING,
        /** Since a loss was inferred, until {@code recoveryPoint} is acknowledged. */
        FAST_RECOVERY,
        /** Since a timeout, until {@code recoveryPoint} is acknowledged: slow start over what is lost. */
        AFTER_TIMEOUT
    }

    final LossUndo undo = new LossUndo();

    private final CongestionControl congestion;
    private final SentSegments log;
    private final LossDetection detection;
    private final TailLossProbe probe;
    private final Counters counters;
    private final boolean sack;
    private final ProportionalRate reduction = new ProportionalRate();
    private final ForwardRto forwardRto = new ForwardRto();

    private Phase phase = Phase.OPEN;

    /** SND.NXT when recovery began; afterwards, what RFC 6582 calls recover. −1 before the first. */
    private long recoveryPoint = -1;

    /** Segments, since the last time that nothing was being repaired. */
    private long sentAgain;

    // after a timeout
    private long timeoutUna = LossRecovery.NOTHING;
    /** The first retransmission is due and goes out whatever the window says. */
    private boolean firstRetransmissionDue;

    RecoveryPhases(
            CongestionControl congestion,
            SentSegments log,
            LossDetection detection,
            TailLossProbe probe,
            Counters counters,
            boolean sack) {
        this.congestion = congestion;
        this.log = log;
        this.detection = detection;
        this.probe = probe;
        this.counters = counters;
        this.sack = sack;
    }

    boolean isOpen() {
        return phase == Phase.OPEN;
    }

    boolean isFastRecovery() {
        return phase == Phase.FAST_RECOVERY;
    }

    boolean inRecovery() {
        return phase == Phase.FAST_RECOVERY || phase == Phase.AFTER_TIMEOUT;
    }

    /** In recovery, also after an acknowledgment up to {@code una}. */
    boolean isRepairing(long una) {
        return inRecovery() && una < recoveryPoint;
    }

    /** The window comes down by {@link #reduction}. */
    boolean isReducing() {
        return phase == Phase.FAST_RECOVERY || phase == Phase.REDUCING;
    }

    long recoveryPoint() {
        return recoveryPoint;
    }

    /** Without SACK: after a timeout only what F-RTO has sent anew can have arrived (RFC 5682 §2.1 step 3a; Linux). */
    boolean countsDuplicates() {
        return phase != Phase.AFTER_TIMEOUT || log.end() > recoveryPoint;
    }

    // ---- what is sent ----

    void onSent(long bytes) {
        reduction.onSent(bytes);
    }

    void onRetransmitted(long bytes, int segmentBytes, long nowNs) {
        sentAgain += (bytes + segmentBytes - 1) / segmentBytes;
        reduction.onSent(bytes);
        undo.onRetransmitted(nowNs);
        firstRetransmissionDue = false;
    }

    /** What is lost may be sent again. */
    boolean permitsRetransmissions() {
        return inRecovery() && !forwardRto.holdsRetransmissions();
    }

    /** {@link LossRecovery#releasesRetransmissions}. */
    boolean releasesRetransmissions() {
        return log.end() <= recoveryPoint && forwardRto.release();
    }

    boolean isFirstRetransmissionDue() {
        return firstRetransmissionDue;
    }

    // ---- acknowledgments ----

    /** Another acknowledgment. */
    void begin() {
        forwardRto.onAck();
    }

    /**
     * An acknowledgment with which something is not as it always is.
     *
     * @param delivered bytes that it says have arrived
     * @param arrived what it said
     */
    void onAck(Acknowledgment ack, boolean advanced, long delivered, int segmentBytes, Scoreboard arrived) {
        if (phase != Phase.OPEN
                && ack.una >= recoveryPoint
                && !(forwardRto.isUndecided() && advanced && undoTimeout(ack, arrived))) {
            leave(ack);
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
                    detection.markFirst(); // RFC 6582 §3.2 (3): what follows a partial acknowledgment is the next hole
                }
            }
            case AFTER_TIMEOUT -> verifyTimeout(ack, advanced, arrived);
        }
        detection.find(isRepairing(ack.una), ack.nowNs); // again if a reduction has been undone
        if (!inRecovery() && detection.saysLoss(duplicatesMayCount())
                || phase == Phase.AFTER_TIMEOUT && detection.isRetransmissionLost()) {
            enterFastRecovery(delivered, segmentBytes, ack.nowNs);
        }
    }

    /**
     * Without SACK: whether duplicates speak of what is out now. They do when more than the last recovery's data is acknowledged (RFC 6582 §3.2 (1)), or when nothing was
     * sent again, as for a mark; before, each segment that was sent again needlessly may have caused one (§4), but no more.
     */
    private boolean duplicatesMayCount() {
        return phase == Phase.REDUCING
                || log.una() > recoveryPoint
                || detection.duplicates.count() >= Rack.DUP_THRESH + sentAgain;
    }

    // ---- fast recovery ----

    /** @param delivered bytes that the acknowledgment in hand says have arrived */
    private void enterFastRecovery(long delivered, int segmentBytes, long nowNs) {
        // as Linux, whatever has been lost meanwhile belongs to the same episode
        boolean reduced = phase == Phase.REDUCING;
        if (!inRecovery()) {
            sentAgain = 0;
        }
        phase = Phase.FAST_RECOVERY;
        forwardRto.decide();
        firstRetransmissionDue = false;
        undo.begin(log.una());
        probe.cancel();
        counters.increment(Counter.TCP_FAST_RECOVERIES);
        if (!sack) {
            detection.markFirst();
            detection.duplicates.limit(log.end() - log.una(), segmentBytes);
        }
        if (!reduced) {
            congestion.onLoss(nowNs);
            beginReduction(delivered, segmentBytes);
        }
    }

    private void leave(Acknowledgment ack) {
        if (phase == Phase.REDUCING) {
            congestion.onRecovered(ack.nowNs);
        } else if (undo.isNeedless(ack.echoNs)) {
            undoReduction(ack.nowNs);
        } else {
            detection.rack.onRecovered();
            if (phase == Phase.FAST_RECOVERY) {
                congestion.onRecovered(ack.nowNs);
            }
        }
        open();
    }

    private void open() {
        phase = Phase.OPEN;
        detection.duplicates.clear();
        firstRetransmissionDue = false;
        forwardRto.decide();
        timeoutUna = LossRecovery.NOTHING;
    }

    /** Nothing had been lost: the window is as it was, and what is still deemed lost is looked at again (RFC 4015 §3.2). */
    private void undoReduction(long nowNs) {
        counters.increment(Counter.TCP_REDUCTIONS_UNDONE);
        detection.forgetLosses();
        undo.cancel();
        congestion.onSpurious(nowNs);
        open();
        // no flight of retransmissions is out whose duplicates could mislead (RFC 6582 §4)
        recoveryPoint = Math.min(recoveryPoint, log.una() - 1);
    }

    /** The reordering timer has fired, and {@link #detection} has looked. */
    void onReorderTimer(int segmentBytes, long nowNs) {
        if (log.lostBytes() > 0
                && (!inRecovery() || phase == Phase.AFTER_TIMEOUT && detection.isRetransmissionLost())) {
            enterFastRecovery(0, segmentBytes, nowNs);
            reduce(1, segmentBytes, false);
        }
    }

    /** A tail loss probe has repaired what was lost, before anything was reduced. */
    void onRepaired(long nowNs) {
        congestion.onLoss(nowNs);
        congestion.onRecovered(nowNs);
        undo.cancel();
    }

    /** {@link LossRecovery#onLostForItsSize}. */
    void onLostForItsSize(long nowNs) {
        undo.cancel();
        congestion.onSpurious(nowNs);
    }

    // ---- timeouts ----

    /** The retransmission timer has fired. */
    void onTimeout(boolean reneged, long nowNs) {
        if (!inRecovery()) {
            sentAgain = 0;
        }
        boolean again = timeoutUna == log.una();
        boolean reduced = phase != Phase.OPEN && log.una() < recoveryPoint && (isReducing() || again);
        forwardRto.onTimeout(inRecovery() && !again);
        congestion.onRto(reduced, nowNs);
        if (!reduced) {
            undo.begin(log.una());
        }
        detection.onTimeout(reneged, inRecovery(), nowNs);
        probe.cancel();
        phase = Phase.AFTER_TIMEOUT;
        timeoutUna = log.una();
        recoveryPoint = log.end();
        detection.duplicates.clear();
        firstRetransmissionDue = true;
    }

    /** F-RTO's steps (RFC 5682 §3.1). */
    private void verifyTimeout(Acknowledgment ack, boolean advanced, Scoreboard arrived) {
        if (advanced && undo.isNeedless(ack.echoNs)) {
            undoReduction(ack.nowNs);
            return;
        }
        if (!forwardRto.isUndecided() || undoTimeout(ack, arrived)) {
            return;
        }
        if (log.end() > recoveryPoint) {
            if (arrived.somethingSacked() || ack.duplicate) {
                forwardRto.decide(); // step 3a: the loss was real
            }
        } else if (advanced) {
            recoveryPoint = log.end(); // step 2b
            forwardRto.onAdvanced(ack.newDataWaits);
        }
    }

    /** Step 3b. */
    private boolean undoTimeout(Acknowledgment ack, Scoreboard arrived) {
        if (!arrived.originalArrived()) {
            return false;
        }
        counters.increment(Counter.TCP_SPURIOUS_TIMEOUTS);
        undoReduction(ack.nowNs);
        return true;
    }

    /**
     * The path has become narrower, and {@link #detection} knows. As Linux: those that fit are left alone, the window stays, and what follows is no reduction that
     * could be undone.
     */
    void onPathNarrowed() {
        if (!inRecovery() && log.lostBytes() > 0) {
            phase = Phase.AFTER_TIMEOUT;
            recoveryPoint = log.end();
            undo.cancel();
            probe.cancel();
        }
    }

    // ---- the window ----

    /** {@link LossRecovery#onEcnEcho}. */
    void onEcnEcho(long delivered, int segmentBytes, long nowNs) {
        congestion.onEcnEcho(nowNs);
        if (!log.isEmpty() && !congestion.setsWindowInRecovery()) {
            phase = Phase.REDUCING;
            beginReduction(delivered, segmentBytes);
            reduce(delivered, segmentBytes, true);
        }
    }

    private void beginReduction(long delivered, int segmentBytes) {
        recoveryPoint = log.end();
        // RFC 9937 §6.2, RecoverFS: without what was SACKed before this acknowledgment, in whose place more was sent
        // (RFC 3042)
        long flight = log.end() - log.una() - log.sackedBytes() - detection.duplicates.bytes() + delivered;
        reduction.begin(flight, detection.pipe(), segmentBytes);
    }

    /** Something has arrived while the window comes down; {@code safe} as in {@link ProportionalRate#onAck}. */
    void reduce(long delivered, int segmentBytes, boolean safe) {
        reduction.onAck(delivered, detection.pipe(), congestion.ssthreshBytes(), segmentBytes, safe);
    }

    long windowBytes() {
        return isReducing() && !congestion.setsWindowInRecovery() ? reduction.windowBytes() : congestion.cwndBytes();
    }

    void describe(RecoveryFigures into) {
        boolean disorder = log.sackedSegments() > 0 || detection.duplicates.count() > 0;
        into.state = switch (phase) {
            case OPEN -> disorder ? RecoveryFigures.DISORDER : RecoveryFigures.OPEN;
            case REDUCING -> RecoveryFigures.REDUCED;
            case FAST_RECOVERY -> RecoveryFigures.FAST_RECOVERY;
            case AFTER_TIMEOUT -> RecoveryFigures.AFTER_TIMEOUT;
        };
    }
}
