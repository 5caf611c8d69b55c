package dev.millrace.stack.tcp;

/**
 * Tail loss probe (RFC 8985 §7): when the last segments of a flight may be lost, and nothing after them can tell, a segment more makes the
 * peer tell; and if the probe itself was the repair, the loss still counts as congestion. Core thread only.
 */
final class TailLossProbe {
    static final long NONE = -1;

    /** What Linux adds on a flight of several segments, for timers that are not exact. */
    private static final long SLACK_NS = 2_000_000;

    enum Outcome {
        /** Nothing is known yet, or no probe is out. */
        UNKNOWN,
        /** Original and probe have both arrived, or it carried new data. */
        NO_LOSS,
        /** The probe filled the hole. */
        REPAIRED
    }

    /** TLP.end_seq: SND.NXT when the probe had left; {@link #NONE} when none is out. */
    private long endPosition = NONE;

    private boolean retransmission;

    boolean isOut() {
        return endPosition != NONE;
    }

    /** A D-SACK block that ends here reports the probe. */
    boolean isReportedBy(long duplicateEnd) {
        return duplicateEnd == endPosition;
    }

    void onSent(long nxt, boolean again) {
        endPosition = nxt;
        retransmission = again;
    }

    /** A recovery begins, which answers for all losses before it. */
    void cancel() {
        endPosition = NONE;
    }

    /**
     * §7.2, PTO: two round trips; with a single segment out the peer may delay its acknowledgment, so that the minimum RTO comes on top,
     * where the RFC has WCDelAckT.
     */
    static long timeoutNs(RttEstimator rtt, int segments) {
        if (!rtt.hasSample()) {
            return RttEstimator.INITIAL_RTO_NS;
        }
        return 2 * rtt.smoothedRttNs() + (segments == 1 ? rtt.minimumRtoNs() : SLACK_NS);
    }

    /**
     * §7.4, on each acknowledgment.
     *
     * @param reported its D-SACK reports the probe
     * @param pureDuplicate it says nothing new whatsoever
     */
    Outcome onAck(long una, boolean reported, boolean pureDuplicate) {
        if (!isOut() || una < endPosition) {
            return Outcome.UNKNOWN;
        }
        if (retransmission && !reported && una == endPosition && !pureDuplicate) {
            return Outcome.UNKNOWN; // either of the two; an acknowledgment more will tell
        }
        boolean repaired = retransmission && !reported && una > endPosition;
        endPosition = NONE;
        return repaired ? Outcome.REPAIRED : Outcome.NO_LOSS;
    }
}
