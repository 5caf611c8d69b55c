package dev.millrace.stack.tcp;

/**
 * DCTCP (RFC 8257): where switches mark early, the share of marked bytes says how full their queues are, and the window shrinks in that
 * proportion; queues stay short and links full. Growth and reaction to losses are Reno's (§3.5). Without ECN agreed on it is Reno. For
 * data centres only: beside flows that need a full queue it is unfair (§6). Core thread only; allocates nothing.
 */
final class Dctcp extends NewReno {
    /** g of §3.3 and §4.2. */
    private static final double GAIN = 1.0 / 16;

    /** Running estimate of the share of marked bytes; 1 at first, so that the first mark halves (§4.2). */
    private double alpha = 1;

    // the observation window, about a round trip
    private long windowEnd;
    private long ackedBytes;
    private long markedBytes;

    /** §3.3, steps 1 to 8. */
    @Override
    public void onSample(AckSample sample) {
        ackedBytes += sample.ackedBytes;
        if (sample.ecnEcho) {
            markedBytes += sample.ackedBytes;
        }
        if (sample.unacknowledgedPosition <= windowEnd) {
            return;
        }
        double marked = (double) markedBytes / Math.max(1, ackedBytes);
        alpha += GAIN * (marked - alpha);
        windowEnd = sample.nextPosition;
        ackedBytes = 0;
        markedBytes = 0;
    }

    /** Step 9. */
    @Override
    protected long thresholdAfterMark() {
        return (long) ((double) cwndBytes * (1 - alpha / 2));
    }

    @Override
    public String name() {
        return "dctcp";
    }
}
