package dev.millrace.stack.tcp;

/**
 * When some of the segments in flight were sent, for round-trip samples finer than the timestamp clock. Remembers a few segments at a
 * time; while it is full, others go unmeasured. After a retransmission nothing sent before is measured any more (Karn's algorithm,
 * RFC 6298 §3). Core thread only.
 */
final class SendTimes {
    /** HyStart++ wants eight samples per round trip (RFC 9406 §4.2). */
    static final int ENTRIES = 8;

    private static final int MASK = ENTRIES - 1;
    static final long NONE = -1;

    private final long[] ends = new long[ENTRIES];
    private final long[] sentNs = new long[ENTRIES];
    private int first;
    private int count;
    private boolean ambiguous;

    /** The segment that ends at this position was sent for the first time. */
    void onSent(long end, long nowNs) {
        if (count < ENTRIES) {
            int slot = first + count & MASK;
            ends[slot] = end;
            sentNs[slot] = nowNs;
            count++;
        }
    }

    /** Something was sent again: acknowledgments of what is out now are ambiguous. */
    void onRetransmitted() {
        count = 0;
        ambiguous = true;
    }

    /** Since the last retransmission no segment sent once has been acknowledged: only an echoed timestamp can tell. */
    boolean isAmbiguous() {
        return ambiguous;
    }

    /** The age of the youngest measured segment that an ACK of {@code position} covers, or {@link #NONE}. */
    long onAcked(long position, long nowNs) {
        long rttNs = NONE;
        while (count > 0 && ends[first] <= position) {
            rttNs = nowNs - sentNs[first];
            first = first + 1 & MASK;
            count--;
            ambiguous = false;
        }
        return rttNs;
    }
}
