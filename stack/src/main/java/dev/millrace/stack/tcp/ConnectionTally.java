package dev.millrace.stack.tcp;

/** What a connection counts about itself for {@link TcpMetrics} and needs for nothing else. Core thread only. */
final class ConnectionTally {
    /** What a connection waits for, as Linux' chronographs tell it apart (RFC 4898's limiting states). */
    enum Activity {
        /** Nothing is unsent or unacknowledged. */
        IDLE,
        /** The network, or congestion control. */
        BUSY,
        /** The peer's window. */
        WINDOW_LIMITED,
        /** The application has more than the send buffer takes. */
        BUFFER_LIMITED
    }

    /** We sent the first SYN. */
    boolean opened;
    /** Data of a SYN, ours or the peer's, was taken (RFC 7413). */
    boolean synDataTaken;
    /** When the handshake was complete; 0 before. */
    long establishedNs;

    long segmentsIn;
    long dataSegmentsIn;
    long segmentsOut;
    long dataSegmentsOut;
    long bytesOut;
    long bytesRetransmitted;
    long retransmissions;

    private Activity activity = Activity.IDLE;
    private long sinceNs;
    private long busyNs;
    private long windowLimitedNs;
    private long bufferLimitedNs;

    void onReceived(int payloadBytes) {
        segmentsIn++;
        if (payloadBytes > 0) {
            dataSegmentsIn++;
        }
    }

    /** @param again payload that was sent before */
    void onSent(int payloadBytes, boolean again) {
        segmentsOut++;
        if (payloadBytes == 0) {
            return;
        }
        dataSegmentsOut++;
        bytesOut += payloadBytes;
        if (again) {
            retransmissions++;
            bytesRetransmitted += payloadBytes;
        }
    }

    // ---- time ----

    void onActivity(Activity now, long nowNs) {
        if (now != activity) {
            settle(nowNs);
            activity = now;
        }
    }

    private void settle(long nowNs) {
        busyNs = busyNs(nowNs);
        windowLimitedNs = windowLimitedNs(nowNs);
        bufferLimitedNs = bufferLimitedNs(nowNs);
        sinceNs = nowNs;
    }

    private long running(long nowNs, boolean counts) {
        return counts ? nowNs - sinceNs : 0;
    }

    /** Time in any activity but IDLE. */
    long busyNs(long nowNs) {
        return busyNs + running(nowNs, activity != Activity.IDLE);
    }

    long windowLimitedNs(long nowNs) {
        return windowLimitedNs + running(nowNs, activity == Activity.WINDOW_LIMITED);
    }

    long bufferLimitedNs(long nowNs) {
        return bufferLimitedNs + running(nowNs, activity == Activity.BUFFER_LIMITED);
    }
}
