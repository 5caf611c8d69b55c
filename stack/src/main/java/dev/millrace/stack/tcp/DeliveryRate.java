package dev.millrace.stack.tcp;

/**
 * How fast the network delivers, measured with each acknowledgment as draft-cheng-iccrg-delivery-rate-estimation §3 says: the bytes
 * delivered between a segment's transmission and its acknowledgment, over the longer of the time it took to send them and the time it
 * took to hear of them. Core thread only.
 */
final class DeliveryRate {
    private static final long NONE = -1;

    /** C.delivered: bytes that have arrived, acknowledged or SACKed. */
    private long delivered;

    /** C.delivered_time: when it last grew. */
    private long deliveredNs;

    /** C.first_sent_time: when the segment was sent whose acknowledgment came last. */
    private long firstSentNs;

    /** C.app_limited: what is delivered up to here was sent while the application had too little to send; 0 for none. */
    private long appLimitedUntil;

    // the sample in the making: of the segment sent last among those that this acknowledgment covers
    private long newestSentNs = NONE;
    private long newestEnd;
    private long priorDelivered;
    private long priorDeliveredNs;
    private long sendIntervalNs;
    private boolean priorAppLimited;

    // the newest sample that stands for the network, for tools
    private long lastBytes;
    private long lastIntervalNs;
    private boolean lastAppLimited;

    /** To be called before a segment is entered into the log. */
    void onSending(boolean nothingInFlight, long nowNs) {
        if (nothingInFlight) {
            firstSentNs = nowNs;
            deliveredNs = nowNs;
        }
    }

    /** This segment has arrived; its entry is still in the log. */
    void onDelivered(SentSegments log, long number, long nowNs) {
        onDelivered(log.bytes(number), nowNs);
        long sentNs = log.sentNs(number);
        long end = log.end(number);
        if (newestSentNs == NONE || sentNs > newestSentNs || sentNs == newestSentNs && end > newestEnd) {
            newestSentNs = sentNs;
            newestEnd = end;
            priorDelivered = log.delivered(number);
            priorDeliveredNs = log.deliveredNs(number);
            priorAppLimited = log.appLimited(number);
            sendIntervalNs = sentNs - log.firstSentNs(number);
            firstSentNs = sentNs;
        }
    }

    /** So many bytes have arrived, of a segment that has not as a whole. */
    void onDelivered(long bytes, long nowNs) {
        delivered += bytes;
        deliveredNs = nowNs;
    }

    /**
     * All of an acknowledgment has been taken in: completes the sample. It has no rate when nothing was delivered, or in less than the
     * smallest round trip (§3.3).
     */
    void complete(AckSample sample, long minRttNs) {
        if (appLimitedUntil != 0 && delivered > appLimitedUntil) {
            appLimitedUntil = 0;
        }
        sample.totalDeliveredBytes = delivered;
        sample.intervalNs = NONE;
        sample.rateBytes = 0;
        sample.priorDeliveredBytes = 0;
        sample.appLimited = false;
        if (newestSentNs != NONE) {
            long ackIntervalNs = sample.nowNs - priorDeliveredNs;
            long intervalNs = Math.max(sendIntervalNs, ackIntervalNs);
            sample.priorDeliveredBytes = priorDelivered;
            sample.rateBytes = delivered - priorDelivered;
            sample.appLimited = priorAppLimited;
            sample.intervalNs = intervalNs > 0 && intervalNs >= minRttNs ? intervalNs : NONE;
            keep(sample);
        }
        newestSentNs = NONE;
    }

    /** As Linux: a rate that is only the application's takes another's place if it is higher. */
    private void keep(AckSample sample) {
        boolean worthIt = !sample.appLimited
                || (double) sample.rateBytes * lastIntervalNs >= (double) lastBytes * sample.intervalNs;
        if (sample.intervalNs > 0 && worthIt) {
            lastBytes = sample.rateBytes;
            lastIntervalNs = sample.intervalNs;
            lastAppLimited = sample.appLimited;
        }
    }

    /** By the newest sample that stands for the network; 0 before the first. */
    long bytesPerSecond() {
        return lastIntervalNs == 0 ? 0 : (long) ((double) lastBytes * 1e9 / lastIntervalNs);
    }

    /** Whether that sample was the application's rate. */
    boolean wasAppLimited() {
        return lastAppLimited;
    }

    /** The application has nothing more to send although the window has room: what is in flight now measures it, and not the network (§3.4). */
    void onApplicationLimited(long inFlightBytes) {
        appLimitedUntil = Math.max(1, delivered + inFlightBytes);
    }

    boolean isAppLimited() {
        return appLimitedUntil != 0;
    }

    long delivered() {
        return delivered;
    }

    long deliveredNs() {
        return deliveredNs;
    }

    long firstSentNs() {
        return firstSentNs;
    }
}
