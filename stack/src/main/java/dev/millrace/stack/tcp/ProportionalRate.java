package dev.millrace.stack.tcp;

/**
 * Proportional rate reduction (RFC 9937, formerly 6937): in fast recovery for what has been delivered a proportion is sent, so that the
 * flight shrinks to the threshold over a round trip without pause or burst; and when losses have taken it below, it grows again as in slow start, but only while retransmissions get
 * through (the RFC's SafeACK, Linux' choice between its two bounds). Bytes throughout. Core thread only.
 */
final class ProportionalRate {
    /** RecoverFS: what was in flight, and had not arrived, when recovery began. */
    private long recoverFlightBytes = 1;

    /** prr_delivered, prr_out: delivered and sent since then. */
    private long deliveredBytes;

    private long outBytes;
    private long windowBytes;

    /**
     * @param flightBytes RecoverFS
     * @param pipe what is in flight now, the losses just found not counted; the fast retransmit leaves in any case, also when the acknowledgment that
     *     asked for it tells of nothing that has arrived, as a duplicate may that limited transmit has caused
     */
    void begin(long flightBytes, long pipe, int segmentBytes) {
        recoverFlightBytes = Math.max(1, flightBytes);
        deliveredBytes = 0;
        outBytes = 0;
        windowBytes = pipe + segmentBytes;
    }

    /** Data left, sent again or new. */
    void onSent(long bytes) {
        outBytes += bytes;
    }

    /**
     * An acknowledgment has been taken in, the losses it shows included (§6.2).
     *
     * @param delivered bytes it newly says have arrived
     * @param safe SND.UNA advanced and nothing more was found lost
     */
    void onAck(long delivered, long pipe, long ssthreshBytes, int segmentBytes, boolean safe) {
        if (delivered <= 0) {
            return;
        }
        deliveredBytes += delivered;
        long send;
        if (pipe > ssthreshBytes) {
            send = ceilingOf((double) deliveredBytes * ssthreshBytes / recoverFlightBytes) - outBytes;
        } else {
            long limit = Math.max(deliveredBytes - outBytes, delivered) + (safe ? segmentBytes : 0);
            send = Math.min(ssthreshBytes - pipe, limit);
        }
        long least = outBytes == 0 ? segmentBytes : 0; // the fast retransmit itself
        windowBytes = Math.max(segmentBytes, pipe + Math.max(send, least));
    }

    private static long ceilingOf(double value) {
        return (long) Math.ceil(value);
    }

    /** cwnd while recovery lasts: a segment at least, so that with nothing in flight something may always leave. */
    long windowBytes() {
        return windowBytes;
    }
}
