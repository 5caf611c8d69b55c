package dev.millrace.stack.tcp;

/**
 * When the sender looks after what is not acknowledged: retransmission timer (RFC 6298 §5), tail loss probe (RFC 8985 §7) and reordering timer (§6.2).
 * One of the first two runs whenever something is in flight. Core thread only.
 */
final class LossTimers {
    /** How long a peer that seems to have reneged on SACKs may take to show that it has not; as Linux. */
    private static final long RENEGING_DELAY_NS = 10_000_000;

    private final ConnectionTimers timers;
    private final RttEstimator rtt;
    private final LossRecovery recovery;

    LossTimers(ConnectionTimers timers, RttEstimator rtt, LossRecovery recovery) {
        this.timers = timers;
        this.rtt = rtt;
        this.recovery = recovery;
    }

    /** RFC 6298 (5.1): something left for the first time. The timer runs from then on, unless a probe is to come first. */
    void onSent(long nowNs) {
        if (!timers.isSet(ConnectionTimers.RETRANSMIT) && !timers.isSet(ConnectionTimers.LOSS_PROBE)) {
            restart(nowNs);
        }
    }

    /** The first segment not acknowledged was sent again: its timeout counts from now. */
    void restart(long nowNs) {
        timers.set(ConnectionTimers.RETRANSMIT, nowNs + rtt.rtoNs());
    }

    /**
     * A transmission with something new in it has ended, RFC 8985 §7.2: while the last flight is unanswered a probe takes the place of the retransmission
     * timer, at the latest when that would have fired; otherwise the retransmission timer runs.
     */
    void onTransmitted(long nowNs) {
        long timeoutNs = timers.isSet(ConnectionTimers.RETRANSMIT)
                ? timers.deadlineNs(ConnectionTimers.RETRANSMIT)
                : recovery.oldestSentNs() + rtt.rtoNs();
        long probeNs = recovery.probeTimeoutNs();
        if (probeNs != LossRecovery.NOTHING) {
            timers.set(ConnectionTimers.LOSS_PROBE, Math.min(nowNs + probeNs, Math.max(timeoutNs, nowNs)));
            timers.clear(ConnectionTimers.RETRANSMIT);
        } else {
            timers.clear(ConnectionTimers.LOSS_PROBE);
            timers.set(ConnectionTimers.RETRANSMIT, timeoutNs);
        }
    }

    /** What is known about the flight has changed; {@code advanced}: SND.UNA has. */
    void onNews(boolean inFlight, boolean advanced, long nowNs) {
        setReorderTimer();
        if (!inFlight) {
            timers.clear(ConnectionTimers.RETRANSMIT); // RFC 6298 (5.2)
            timers.clear(ConnectionTimers.LOSS_PROBE);
            return;
        }
        if (advanced) {
            restart(nowNs); // (5.3)
        }
        if (recovery.suspectsReneging()) {
            timers.clear(ConnectionTimers.LOSS_PROBE);
            timers.set(ConnectionTimers.RETRANSMIT, nowNs + Math.max(rtt.smoothedRttNs() / 2, RENEGING_DELAY_NS));
        } else if (advanced || recovery.probeTimeoutNs() == LossRecovery.NOTHING) {
            onTransmitted(nowNs);
        }
    }

    private void setReorderTimer() {
        long deadlineNs = recovery.reorderDeadlineNs();
        if (deadlineNs == Rack.NEVER) {
            timers.clear(ConnectionTimers.REORDER);
        } else {
            timers.set(ConnectionTimers.REORDER, deadlineNs);
        }
    }

    /** The probe's time has come. The timeout is counted from the probe; without one, from where it would be had there been no probe timer. */
    void onProbe(boolean sent, long nowNs) {
        timers.set(ConnectionTimers.RETRANSMIT, (sent ? nowNs : recovery.oldestSentNs()) + rtt.rtoNs());
        timers.clear(ConnectionTimers.LOSS_PROBE);
    }

    /** The retransmission timer has fired, and recovery knows. */
    void onTimeout(long nowNs) {
        setReorderTimer();
        timers.clear(ConnectionTimers.LOSS_PROBE);
        onSent(nowNs);
    }
}
