package dev.millrace.stack.tcp;

/**
 * CUBIC (RFC 9438): after a loss the window grows along {@code C·(t − K)³ + Wmax}, fast while far from where the loss happened, slowly
 * around it; never slower than Reno would. Slow start ends early, without loss, when the round trips begin to grow (HyStart++, see
 * {@link SlowStartExit}). Windows are reckoned in segments, as the RFC does. Core thread only; allocates nothing.
 */
final class Cubic extends AbstractCongestionControl {
    /** RFC 9438 §5.1, in segments per second cubed. */
    private static final double C = 0.4;

    /** RFC 9438 §4.6. */
    private static final double BETA = 0.7;

    /** §4.3: additive increase that makes a Reno with decrease factor β as aggressive as Reno. */
    private static final double ALPHA = 3 * (1 - BETA) / (1 + BETA);

    private static final double NS_PER_SECOND = 1e9;

    private final SlowStartExit slowStartExit = new SlowStartExit();

    /**
     * Where the growth since the last reduction stands. Kept twice, so that a reduction that was a mistake can be taken back
     * (RFC 9438 §4.9).
     */
    private static final class Curve {
        /** W_max: window before the last reduction, in segments; 0 when there was none, or a timeout. */
        double maxSegments;
        /** cwnd_prior: window at the last reduction, where Reno's estimate catches up. */
        double priorSegments;

        boolean inEpoch;
        long epochStartNs;
        /** The plateau: W_max, or where the epoch began if that was higher. */
        double originSegments;
        /** K. */
        double timeToOriginSeconds;
        /** W_est. */
        double renoSegments;

        void set(Curve other) {
            maxSegments = other.maxSegments;
            priorSegments = other.priorSegments;
            inEpoch = other.inEpoch;
            epochStartNs = other.epochStartNs;
            originSegments = other.originSegments;
            timeToOriginSeconds = other.timeToOriginSeconds;
            renoSegments = other.renoSegments;
        }

        void begin(double window, long nowNs) {
            inEpoch = true;
            epochStartNs = nowNs;
            renoSegments = window;
            originSegments = Math.max(maxSegments, window);
            timeToOriginSeconds = Math.cbrt((originSegments - window) / C); // §4.2
        }

        /** W_cubic(t). */
        double at(double seconds) {
            double t = seconds - timeToOriginSeconds;
            return C * t * t * t + originSegments;
        }
    }

    private final Curve curve = new Curve();
    private final Curve prior = new Curve();

    private long lastAckNs;
    private long roundTripNs;

    /** Growth below one byte is kept until it is one. */
    private double pendingBytes;

    @Override
    public void onAck(AckSample sample) {
        if (sample.rttNs > 0) {
            roundTripNs = sample.rttNs;
        }
        if (!sample.windowLimited || sample.ecnEcho) {
            // §4.2: time in which the application did not use the window is no time in congestion avoidance
            curve.epochStartNs += Math.max(0, sample.nowNs - lastAckNs);
            lastAckNs = sample.nowNs;
            return;
        }
        lastAckNs = sample.nowNs;
        long left = sample.arrivedBytes;
        if (inSlowStart()) {
            left = growInSlowStart(sample);
            if (inSlowStart() || left == 0) {
                return;
            }
        }
        avoidCongestion(left, sample.nowNs);
    }

    private long growInSlowStart(AckSample sample) {
        if (ssthreshBytes != UNKNOWN_SSTHRESH) {
            return slowStart(sample.arrivedBytes); // HyStart++ is for the first slow start (RFC 9406 §4.3)
        }
        int divisor = slowStartExit.onAck(sample);
        if (divisor == SlowStartExit.LEAVE) {
            ssthreshBytes = cwndBytes;
            return sample.arrivedBytes;
        }
        // §4.2's limit per acknowledgment is left out, as slow start's is
        cwndBytes = Math.min(cwndBytes + sample.arrivedBytes / divisor, MAX_WINDOW_BYTES);
        return 0;
    }

    private void avoidCongestion(long ackedBytes, long nowNs) {
        double window = (double) cwndBytes / mssBytes;
        if (!curve.inEpoch) {
            curve.begin(window, nowNs);
            pendingBytes = 0;
        }
        double acked = (double) ackedBytes / mssBytes;
        double elapsed = (double) (nowNs - curve.epochStartNs) / NS_PER_SECOND;
        curve.renoSegments += (curve.renoSegments >= curve.priorSegments ? 1 : ALPHA) * acked / window; // §4.3
        double growth;
        if (curve.at(elapsed) < curve.renoSegments) {
            growth = Math.max(0, curve.renoSegments - window) * mssBytes;
        } else {
            double ahead = elapsed + (double) roundTripNs / NS_PER_SECOND;
            double target = Math.clamp(curve.at(ahead), window, 1.5 * window); // §4.2
            growth = (target - window) / window * ackedBytes;
        }
        pendingBytes += Math.min(growth, (double) ackedBytes);
        long whole = (long) pendingBytes;
        pendingBytes -= whole;
        cwndBytes = Math.min(cwndBytes + whole, MAX_WINDOW_BYTES);
    }

    @Override
    protected void onReduction(boolean timeout) {
        double window = (double) cwndBytes / mssBytes;
        curve.priorSegments = window;
        // §4.7, fast convergence: a flow whose maximum shrinks leaves room for new ones. §4.8: after a timeout
        // congestion
        // avoidance starts over from wherever slow start ends
        curve.maxSegments = timeout ? 0 : window < curve.maxSegments ? window * (1 + BETA) / 2 : window;
        curve.inEpoch = false;
    }

    @Override
    protected void onRemember() {
        prior.set(curve);
    }

    @Override
    protected void onUndo() {
        curve.set(prior);
    }

    /** Time without anything to send is no time in congestion avoidance either (§4.2). */
    @Override
    public void onIdle(long idleNs, long rtoNs) {
        super.onIdle(idleNs, rtoNs);
        curve.epochStartNs += idleNs;
        lastAckNs += idleNs;
    }

    @Override
    protected long reducedBytes() {
        return Math.round((double) cwndBytes * BETA); // cut, ten segments would become six, not seven
    }

    @Override
    public String name() {
        return "cubic";
    }
}
