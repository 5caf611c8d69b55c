package dev.millrace.stack.tcp;

import java.util.random.RandomGenerator;

/**
 * BBR, version 1 (draft-cardwell-iccrg-bbr-congestion-control-00, with Linux' constants): keeps a model of the path, the largest recent
 * delivery rate and the smallest recent round trip, paces at the one and bounds the flight by the product of both. Losses are no sign of congestion to
 * it. Four modes take turns at measuring the two, which cannot be seen at once:
 *
 * <pre>
 *   STARTUP ── the rate grows no more ──► DRAIN ── queue gone ──► PROBE_BW ◄──► PROBE_RTT
 *   2.89 × rate, until the pipe is full   0.35 ×                  1.25, 0.75, 1, 1, 1, 1, 1, 1     flight of 4 for 200 ms, every 10 s
 * </pre>
 *
 * The model is {@link BbrModel}'s, with what Linux adds to it: {@link LongTermRate} and {@link AckAggregation}. Core thread only; allocates nothing.
 */
final class Bbr implements CongestionControl {
    private enum Mode {
        STARTUP,
        DRAIN,
        PROBE_BW,
        PROBE_RTT
    }

    /** 2/ln 2: the least that doubles the delivery rate each round (draft §4.1.1.1). */
    private static final double HIGH_GAIN = 2.885;

    private static final double STEADY_CWND_GAIN = 2;
    private static final double[] CYCLE_GAINS = {1.25, 0.75, 1, 1, 1, 1, 1, 1};

    /** A little below the estimate, so that a queue drains and does not grow by what the estimate is off (Linux). */
    private static final double PACING_MARGIN = 0.99;

    private static final long PROBE_RTT_NS = 200_000_000L;
    private static final int MIN_WINDOW_SEGMENTS = 4;
    /** The pipe is full when the rate has not grown by a quarter for three rounds. */
    private static final double FULL_PIPE_GROWTH = 1.25;

    private static final int FULL_PIPE_ROUNDS = 3;
    private static final double NS_PER_SECOND = 1e9;

    private final RandomGenerator random;
    private final BbrModel model = new BbrModel();

    private int mssBytes = 536;
    private long cwndBytes = mssBytes;
    /** Bytes per second; 0 before the first segment. */
    private long pacingRate;

    private Mode mode = Mode.STARTUP;
    private double pacingGain = HIGH_GAIN;
    private double cwndGain = HIGH_GAIN;

    // STARTUP
    private long fullRate;
    private int roundsWithoutGrowth;
    private boolean pipeFilled;

    // PROBE_BW
    private int phase;
    private long phaseStartNs;

    // PROBE_RTT
    private long probeRttEndNs;
    private boolean probeRttRoundPassed;

    private boolean restartsFromIdle;

    // recovery
    private boolean recovering;
    private boolean recoveryBegins;
    /** For one round after a loss nothing more is sent than has arrived. */
    private boolean conserving;

    private long priorCwndBytes;

    Bbr(RandomGenerator random) {
        this.random = random;
    }

    @Override
    public void onEstablished(int mss, boolean synLost) {
        mssBytes = mss;
        cwndBytes = synLost ? mss : AbstractCongestionControl.initialWindowBytes(mss);
    }

    @Override
    public void onMssChanged(int mss) {
        mssBytes = mss;
        cwndBytes = Math.max(cwndBytes, mss);
    }

    @Override
    public void onSample(AckSample sample) {
        if (model.countRound(sample)) {
            conserving = false;
        }
        if (model.update(sample, mode == Mode.PROBE_BW, cwndBytes, mssBytes)) {
            probeBandwidth(sample.nowNs);
        }
        advancePhase(sample);
        lookWhetherPipeIsFull(sample);
        drain(sample);
        updateMinRtt(sample);
        startPacing(
                sample.rttNs); // though nothing has asked for a rate yet, as when what went with a SYN is acknowledged
        setPacingRate();
        setWindow(sample);
    }

    /** What is in flight at that multiple of the model's rate; the initial window as long as there is no model. */
    private long flightBytes(double gain) {
        return model.hasMinRtt() ? model.flightBytes(gain) : AbstractCongestionControl.initialWindowBytes(mssBytes);
    }

    // ---- the modes ----

    private void lookWhetherPipeIsFull(AckSample sample) {
        if (pipeFilled || !model.isRoundStart() || model.isLimited(sample)) {
            return;
        }
        if (model.largestRate() >= FULL_PIPE_GROWTH * (double) fullRate) {
            fullRate = model.largestRate();
            roundsWithoutGrowth = 0;
        } else if (++roundsWithoutGrowth >= FULL_PIPE_ROUNDS) {
            pipeFilled = true;
        }
    }

    private void drain(AckSample sample) {
        if (mode == Mode.STARTUP && pipeFilled) {
            enter(Mode.DRAIN, 1 / HIGH_GAIN, HIGH_GAIN);
        }
        if (mode == Mode.DRAIN && sample.inFlightBytes <= flightBytes(1)) {
            probeBandwidth(sample.nowNs);
        }
    }

    private void enter(Mode next, double nextPacingGain, double nextCwndGain) {
        mode = next;
        pacingGain = nextPacingGain;
        cwndGain = nextCwndGain;
    }

    /** The cycle begins anywhere but with its 0.75, so that flows do not probe in step (draft §4.3.4.3). */
    private void probeBandwidth(long nowNs) {
        phase = 2 + random.nextInt(CYCLE_GAINS.length - 1) & CYCLE_GAINS.length - 1;
        phaseStartNs = nowNs;
        enter(Mode.PROBE_BW, cycleGain(), STEADY_CWND_GAIN);
    }

    private void advancePhase(AckSample sample) {
        if (mode != Mode.PROBE_BW) {
            return;
        }
        if (isPhaseOver(sample)) {
            phase = phase + 1 & CYCLE_GAINS.length - 1;
            phaseStartNs = sample.nowNs;
        }
        pacingGain = cycleGain();
    }

    /** A policer's rate is not to be exceeded, so it is not probed beyond, either. */
    private double cycleGain() {
        return model.isPoliced() ? 1 : CYCLE_GAINS[phase];
    }

    /** A phase lasts a round trip; probing goes on until the flight has grown, draining ends when the queue is gone. */
    private boolean isPhaseOver(AckSample sample) {
        boolean roundTripPassed = sample.nowNs - phaseStartNs > model.minRttNs();
        if (pacingGain > 1) {
            return roundTripPassed && (sample.lostBytes > 0 || sample.priorInFlightBytes >= flightBytes(pacingGain));
        }
        return roundTripPassed || (pacingGain < 1 && sample.priorInFlightBytes <= flightBytes(1));
    }

    private void updateMinRtt(AckSample sample) {
        boolean expired = model.updateMinRtt(sample);
        if (expired && !restartsFromIdle && mode != Mode.PROBE_RTT) {
            savePriorWindow();
            enter(Mode.PROBE_RTT, 1, 1);
            probeRttEndNs = 0;
        }
        if (mode == Mode.PROBE_RTT) {
            probeRoundTrip(sample);
        }
        if (sample.deliveredBytes > 0) {
            restartsFromIdle = false;
        }
    }

    private void probeRoundTrip(AckSample sample) {
        model.limitUntil(sample.totalDeliveredBytes + sample.inFlightBytes);
        if (probeRttEndNs == 0) {
            if (sample.inFlightBytes <= minWindowBytes()) {
                probeRttEndNs = sample.nowNs + PROBE_RTT_NS;
                probeRttRoundPassed = false;
                model.beginRound(sample.totalDeliveredBytes);
            }
            return;
        }
        probeRttRoundPassed |= model.isRoundStart();
        if (probeRttRoundPassed && sample.nowNs > probeRttEndNs) {
            model.renewMinRtt(sample.nowNs);
            cwndBytes = Math.max(cwndBytes, priorCwndBytes);
            if (pipeFilled) {
                probeBandwidth(sample.nowNs);
            } else {
                enter(Mode.STARTUP, HIGH_GAIN, HIGH_GAIN);
            }
        }
    }

    // ---- what follows from them ----

    private void setPacingRate() {
        long next = (long) (pacingGain * PACING_MARGIN * (double) model.rate());
        if (next > 0 && (pipeFilled || next > pacingRate)) {
            pacingRate = next;
        }
    }

    /** Before the first measurement: the initial window in a round trip, or in a millisecond when none is known, times STARTUP's gain. */
    @Override
    public long pacingRate(long roundTripNs) {
        startPacing(roundTripNs);
        return pacingRate;
    }

    /** The first rate is the window's, not that of the first sample, which may be a few bytes': what comes next only raises it until the pipe is full. */
    private void startPacing(long roundTripNs) {
        if (pacingRate == 0) {
            long assumedNs = roundTripNs > 0 ? roundTripNs : 1_000_000;
            pacingRate = (long) (HIGH_GAIN * (double) cwndBytes * NS_PER_SECOND / (double) assumedNs);
        }
    }

    private void setWindow(AckSample sample) {
        long acked = sample.deliveredBytes;
        if (acked > 0) {
            followLosses(sample);
            if (conserving) {
                cwndBytes = Math.max(cwndBytes, sample.inFlightBytes + acked);
            } else {
                grow(acked, sample.totalDeliveredBytes);
            }
        }
        cwndBytes = Math.min(cwndBytes, AbstractCongestionControl.MAX_WINDOW_BYTES);
        if (mode == Mode.PROBE_RTT) {
            cwndBytes = Math.min(cwndBytes, minWindowBytes());
        }
    }

    /** What was lost is not replaced; and as a recovery begins, the window is what is in flight (draft §4.2.3.4). */
    private void followLosses(AckSample sample) {
        cwndBytes = Math.max(cwndBytes - sample.lostBytes, mssBytes);
        if (recoveryBegins) {
            recoveryBegins = false;
            conserving = true;
            model.beginRound(sample.totalDeliveredBytes);
            cwndBytes = sample.inFlightBytes + sample.deliveredBytes;
        }
    }

    private void grow(long acked, long totalDelivered) {
        long target = flightBytes(cwndGain) + (pipeFilled ? model.aggregatedBytes() : 0) + burstBytes();
        if (pipeFilled) {
            cwndBytes = Math.min(cwndBytes + acked, target);
        } else if (cwndBytes < target || totalDelivered < AbstractCongestionControl.initialWindowBytes(mssBytes)) {
            cwndBytes += acked;
        }
        cwndBytes = Math.max(cwndBytes, minWindowBytes());
    }

    /** Room for the bursts that pacing makes, here, on the way, and at the receiver before it acknowledges (as Linux), and for probing with tiny windows. */
    private long burstBytes() {
        long quantum = Math.max(2L * mssBytes, (long) ((double) pacingRate * Pacer.QUANTUM_NS / NS_PER_SECOND));
        boolean probing = mode == Mode.PROBE_BW && phase == 0;
        return 3 * quantum + (probing ? 2L * mssBytes : 0);
    }

    private long minWindowBytes() {
        return (long) MIN_WINDOW_SEGMENTS * mssBytes;
    }

    // ---- losses and the rest ----

    /** Windows follow {@link #onSample}. */
    @Override
    public void onAck(AckSample sample) {
        // has been taken in
    }

    private void savePriorWindow() {
        priorCwndBytes = !recovering && mode != Mode.PROBE_RTT ? cwndBytes : Math.max(priorCwndBytes, cwndBytes);
    }

    @Override
    public void onLoss(long nowNs) {
        savePriorWindow();
        recovering = true;
        recoveryBegins = true;
    }

    @Override
    public void onRecovered(long nowNs) {
        recovering = false;
        recoveryBegins = false;
        conserving = false;
        cwndBytes = Math.max(cwndBytes, priorCwndBytes);
    }

    /** The path may have changed altogether: whether the pipe is full is to be found out again. */
    @Override
    public void onRto(boolean repeated, long nowNs) {
        if (!repeated) {
            savePriorWindow();
        }
        recovering = false;
        recoveryBegins = false;
        conserving = false;
        fullRate = 0;
        cwndBytes = mssBytes;
        model.onTimeout(); // as Linux: ends a round
    }

    /** Version 1 does not look at marks. */
    @Override
    public void onEcnEcho(long nowNs) {
        // the model says how much the path takes
    }

    @Override
    public void onSpurious(long nowNs) {
        fullRate = 0;
        roundsWithoutGrowth = 0;
        model.forgetPolicer();
        onRecovered(nowNs);
    }

    /** The model is kept, pacing prevents a burst, and the round trips of an idle path need no small window to be seen. */
    @Override
    public void onIdle(long idleNs, long rtoNs) {
        restartsFromIdle = true;
        model.onIdle();
        if (mode == Mode.PROBE_BW) {
            pacingRate = (long) (PACING_MARGIN * (double) model.rate());
        }
    }

    @Override
    public boolean setsWindowInRecovery() {
        return true;
    }

    @Override
    public long cwndBytes() {
        return cwndBytes;
    }

    /** There is none. */
    @Override
    public long ssthreshBytes() {
        return AbstractCongestionControl.UNKNOWN_SSTHRESH;
    }

    @Override
    public String name() {
        return "bbr";
    }
}
