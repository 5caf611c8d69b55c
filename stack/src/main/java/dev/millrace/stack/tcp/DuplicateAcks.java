package dev.millrace.stack.tcp;

/**
 * What duplicate acknowledgments stand for where the peer does not SACK: each for one segment that has left the network (RFC 5681 §3.2, RFC 6582), but for no
 * more than can have. Core thread only.
 */
final class DuplicateAcks {
    private int count;
    private long bytes;

    /**
     * Each segment out when the first duplicate came, or recovery began, causes one at most, and what left later is answered only after the retransmission
     * is. So forged duplicates cannot let out segments which would justify yet more of them (RFC 5681 §3.2 (4)).
     */
    private long limitBytes;

    /** So many bytes were acknowledged. In recovery one segment of them filled the hole, the others had been announced (RFC 6582 §3.2, deflation). */
    void onAdvanced(long acked, int segmentBytes, boolean inRecovery) {
        count = 0;
        bytes = inRecovery ? Math.max(0, bytes - Math.max(0, acked - segmentBytes)) : 0;
    }

    /** @param counts false after a timeout, when all that is out is deemed lost */
    void onDuplicate(long flightBytes, int segmentBytes, boolean counts) {
        if (count++ == 0) {
            limit(flightBytes, segmentBytes);
        }
        if (counts) {
            bytes = Math.min(bytes + segmentBytes, limitBytes);
        }
    }

    /** Recovery begins, or a first duplicate has come: of the flight one segment is missing, and causes none. */
    void limit(long flightBytes, int segmentBytes) {
        limitBytes = Math.max(bytes, flightBytes - segmentBytes);
    }

    int count() {
        return count;
    }

    /** RFC 5681 §3.2 (2). */
    boolean sayLoss() {
        return count >= Rack.DUP_THRESH;
    }

    /** Bytes that have left the network, though they are not acknowledged. */
    long bytes() {
        return bytes;
    }

    void clear() {
        count = 0;
        bytes = 0;
    }
}
