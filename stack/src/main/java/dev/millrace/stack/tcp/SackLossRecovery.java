package dev.millrace.stack.tcp;

/**
 * Loss recovery of RFC 6675 with selective acknowledgments, and without them of RFC 5681 and 6582 (NewReno); limited transmit
 * (RFC 3042) with both.
 *
 * <p>Everything follows from three edges and the scoreboard. Without SACK, each duplicate acknowledgment is taken to say that one segment
 * has left the network, which gives the same arithmetic as inflating the window:
 * <pre>
 *       retransmitted      lost          outstanding, not (yet) lost
 *   ──┬────────────────┬──────────┬──────────────────────────────────┬──
 *    una            highRxt    lostBelow                            nxt
 *
 *   pipe = not SACKed in [una, highRxt) + not SACKed in [lostBelow, nxt) − segments that duplicates stand for
 * </pre>
 * A retransmission that is lost again is left to the retransmission timer. Core thread only; allocates nothing.
 */
final class SackLossRecovery implements LossRecovery {
    private enum Phase {
        OPEN,
        /** Since a loss was inferred, until {@code recoveryPoint} is acknowledged. */
        FAST_RECOVERY,
        /** Since a timeout, until {@code recoveryPoint} is acknowledged: slow start over what was not SACKed. */
        AFTER_TIMEOUT
    }

    private final CongestionControl congestion;
    private final AckSample sample;
    private final boolean sack;
    private final SackScoreboard scoreboard = new SackScoreboard();

    private int segmentBytes;
    private Phase phase = Phase.OPEN;
    private long una;
    private long nxt;
    private long lostBelow;
    private long highRxt;

    /** SND.NXT when recovery began; afterwards, what RFC 6582 calls recover. −1 before the first. */
    private long recoveryPoint = -1;

    /** End of what the rescue retransmission covered (RFC 6675 §4 (4)); it happens once per recovery. */
    private long rescueRxt = NOTHING;

    private int duplicateAcks;

    /** Without SACK: bytes that duplicate acknowledgments stand for. */
    private long duplicateBytes;

    /** New data sent by limited transmit, which does not count as flight when the threshold is set (RFC 5681 §3.2 (2)). */
    private long limitedTransmitBytes;

    /** The first retransmission of a recovery is due and goes out whatever the window says. */
    private boolean firstRetransmissionDue;

    private long timeoutUna = NOTHING;
    private long pipe;

    /**
     * For a connection whose handshake is complete; position 0 is the first byte.
     *
     * @param sack both sides permit SACK
     * @param segmentBytes payload of a full segment
     * @param synRetransmitted our SYN or SYN-ACK had to be repeated
     * @param sample the core's flyweight
     */
    SackLossRecovery(
            CongestionControl congestion, boolean sack, int segmentBytes, boolean synRetransmitted, AckSample sample) {
        this.congestion = congestion;
        this.sack = sack;
        this.segmentBytes = segmentBytes;
        this.sample = sample;
        congestion.onEstablished(segmentBytes, synRetransmitted);
    }

    @Override
    public void onSent(long from, long to, long nowNs) {
        assert from == nxt && to > from : "new data is not next";
        nxt = to;
        pipe += to - from;
        if (phase == Phase.OPEN && duplicateAcks > 0) {
            limitedTransmitBytes += to - from;
        }
    }

    @Override
    public void onRetransmitted(long from, long to, long nowNs) {
        assert from >= una && from < to && to <= nxt : "retransmission outside the flight";
        firstRetransmissionDue = false;
        if (from == speculateFrom() && from >= scoreboard.highestSacked(una)) {
            rescueRxt = recoveryPoint; // highRxt stays: the bytes before it were not sent again
        } else {
            highRxt = Math.max(highRxt, to);
        }
        pipe += to - from;
    }

    @Override
    public void onAck(
            long priorUna,
            long newUna,
            long newNxt,
            boolean duplicate,
            long[] sackFrom,
            long[] sackTo,
            int sackBlocks,
            long rttNs,
            boolean windowLimited,
            long nowNs) {
        assert newUna >= priorUna && newUna <= newNxt : "acknowledged what was not sent";
        una = newUna;
        nxt = newNxt;
        long acked = newUna - priorUna;
        long newlySacked = sack && sackBlocks > 0 ? scoreboard.update(sackFrom, sackTo, sackBlocks, una, nxt) : 0;
        if (acked > 0) {
            onAdvance(acked);
        }
        boolean tellsOfLoss = sack ? newlySacked > 0 : duplicate;
        if (tellsOfLoss) {
            onDuplicate();
        }
        lostBelow = Math.max(lostBelow, scoreboard.lostBelow(una, segmentBytes));
        fillSample(acked, rttNs, windowLimited, nowNs);
        congestion.onSample(sample);
        switch (phase) {
            case OPEN -> {
                if (acked > 0) {
                    congestion.onAck(sample);
                }
                if (lossInferred()) {
                    enterRecovery(nowNs);
                }
            }
            case FAST_RECOVERY -> {
                if (una >= recoveryPoint) {
                    leaveRecovery();
                    congestion.onRecovered(nowNs);
                } else if (acked > 0) {
                    onPartialAck();
                }
            }
            case AFTER_TIMEOUT -> {
                if (acked > 0) {
                    congestion.onAck(sample);
                }
                if (una >= recoveryPoint) {
                    leaveRecovery();
                }
            }
        }
        updatePipe();
    }

    private void onAdvance(long acked) {
        scoreboard.advance(una);
        highRxt = Math.max(highRxt, una);
        lostBelow = Math.max(lostBelow, una);
        if (phase == Phase.FAST_RECOVERY) {
            // one segment of it filled the hole, the others had been announced by duplicates (RFC 6582 §3.2, deflation)
            duplicateBytes = Math.max(0, duplicateBytes - Math.max(0, acked - segmentBytes));
        } else {
            duplicateBytes = 0;
        }
        duplicateAcks = 0;
        limitedTransmitBytes = 0;
        if (firstRetransmissionDue && phase == Phase.OPEN) {
            firstRetransmissionDue = false;
        }
    }

    private void onDuplicate() {
        duplicateAcks++;
        if (!sack && phase != Phase.AFTER_TIMEOUT) {
            // never more than the flight without the segment that is missing: forged duplicates open nothing further
            duplicateBytes = Math.min(duplicateBytes + segmentBytes, Math.max(0, nxt - una - segmentBytes));
        }
    }

    /**
     * Three duplicates, or the scoreboard says so (RFC 6675 §5). Without SACK duplicates that a timeout's needless retransmissions caused must
     * not count: the acknowledgment has to cover more than the last recovery's data (RFC 6582 §3.2 (1)).
     */
    private boolean lossInferred() {
        if (una == nxt) {
            return false;
        }
        if (sack) {
            return lostBelow > una || duplicateAcks >= SackScoreboard.DUP_THRESH;
        }
        return duplicateAcks >= SackScoreboard.DUP_THRESH && una > recoveryPoint;
    }

    private void enterRecovery(long nowNs) {
        phase = Phase.FAST_RECOVERY;
        recoveryPoint = nxt;
        rescueRxt = NOTHING;
        highRxt = una;
        firstRetransmissionDue = true;
        congestion.onLoss(nxt - una - limitedTransmitBytes, nowNs);
        limitedTransmitBytes = 0;
        markFirstHoleLost();
    }

    /** RFC 6582 §3.2 (3): what follows a partial acknowledgment is the next hole. */
    private void onPartialAck() {
        markFirstHoleLost();
    }

    private void markFirstHoleLost() {
        long hole = scoreboard.nextHole(una);
        long end = Math.min(hole + segmentBytes, nxt);
        lostBelow = Math.max(lostBelow, scoreboard.holeEnd(hole, end));
    }

    private void leaveRecovery() {
        phase = Phase.OPEN;
        duplicateAcks = 0;
        duplicateBytes = 0;
        firstRetransmissionDue = false;
        lostBelow = scoreboard.lostBelow(una, segmentBytes);
    }

    @Override
    public void onTimeout(long timedOutUna, long timedOutNxt, long nowNs) {
        assert timedOutUna == una && timedOutNxt == nxt : "not our flight";
        if (scoreboard.reneged(una)) {
            scoreboard.clear();
        }
        congestion.onRto(nxt - una, timeoutUna == una, nowNs);
        timeoutUna = una;
        phase = Phase.AFTER_TIMEOUT;
        recoveryPoint = nxt;
        rescueRxt = NOTHING;
        lostBelow = nxt;
        highRxt = una;
        duplicateAcks = 0;
        duplicateBytes = 0;
        limitedTransmitBytes = 0;
        firstRetransmissionDue = true;
        updatePipe();
    }

    private void updatePipe() {
        long retransmitted = Math.max(0, highRxt - una) - scoreboard.bytesIn(una, highRxt);
        long from = Math.max(una, lostBelow);
        long outstanding = nxt - from - scoreboard.bytesIn(from, nxt);
        pipe = Math.max(0, retransmitted + outstanding - duplicateBytes);
    }

    private void fillSample(long acked, long rttNs, boolean windowLimited, long nowNs) {
        sample.ackedBytes = acked;
        sample.unacknowledgedPosition = una;
        sample.nextPosition = nxt;
        sample.rttNs = rttNs;
        sample.windowLimited = windowLimited;
        sample.nowNs = nowNs;
    }

    @Override
    public long retransmitFrom() {
        if (phase == Phase.OPEN) {
            return NOTHING;
        }
        long hole = scoreboard.nextHole(Math.max(una, highRxt));
        return hole < lostBelow ? hole : NOTHING;
    }

    @Override
    public long retransmitTo() {
        long from = retransmitFrom();
        assert from != NOTHING : "nothing to retransmit";
        return scoreboard.holeEnd(from, Math.min(from + segmentBytes, lostBelow));
    }

    @Override
    public long speculateFrom() {
        if (phase != Phase.FAST_RECOVERY || !sack || retransmitFrom() != NOTHING) {
            return NOTHING;
        }
        long highestSacked = scoreboard.highestSacked(una);
        long hole = scoreboard.nextHole(Math.max(una, highRxt));
        if (hole < highestSacked) {
            return hole; // rule 3
        }
        boolean rescued = rescueRxt != NOTHING && una <= rescueRxt;
        return rescued || highestSacked >= nxt ? NOTHING : Math.max(nxt - segmentBytes, highestSacked); // rule 4
    }

    @Override
    public long speculateTo() {
        long from = speculateFrom();
        assert from != NOTHING : "nothing to speculate on";
        return scoreboard.holeEnd(from, Math.min(from + segmentBytes, nxt));
    }

    @Override
    public int allowanceBytes() {
        long allowance = Math.max(0, congestion.cwndBytes() - pipe);
        if (firstRetransmissionDue) {
            allowance = Math.max(allowance, segmentBytes);
        }
        return (int) Math.min(allowance, Integer.MAX_VALUE);
    }

    @Override
    public int inFlightBytes() {
        return (int) Math.min(pipe, Integer.MAX_VALUE);
    }

    @Override
    public boolean inRecovery() {
        return phase != Phase.OPEN;
    }

    @Override
    public void onIdle(long idleNs, long rtoNs, long nowNs) {
        congestion.onIdle(idleNs, rtoNs);
    }

    @Override
    public void onEcnEcho(long inFlightBytes, long nowNs) {
        congestion.onEcnEcho(inFlightBytes, nowNs);
    }

    @Override
    public long pacingRate(long roundTripNs) {
        return congestion.pacingRate(roundTripNs);
    }

    @Override
    public void segmentBytes(int bytes) {
        segmentBytes = bytes;
        congestion.onMssChanged(bytes);
    }

    @Override
    public int cwndBytes() {
        return (int) Math.min(congestion.cwndBytes(), Integer.MAX_VALUE);
    }

    @Override
    public int ssthreshBytes() {
        return (int) Math.min(congestion.ssthreshBytes(), Integer.MAX_VALUE);
    }
}
