package dev.millrace.stack.tcp;

/**
 * Which bytes beyond RCV.NXT have been received and placed, in stream positions, and what to tell the peer about them in SACK
 * blocks (RFC 2018) and D-SACK blocks (RFC 2883). The bytes themselves stand in the receive buffer. The first bytes received for a
 * position win: {@link #firstMissing} and {@link #endOfGap} say which parts of a new segment to place. Bounded in intervals; a segment
 * that would open one too many is to be dropped as if the network had. Core thread only.
 *
 * <pre>
 *   for (long p = firstMissing(from, to); p < to; p = firstMissing(end, to)) {
 *       end = endOfGap(p, to);   // place [p, end)
 *   }
 * </pre>
 */
final class ReassemblyQueue {
    /** Gaps at most; a peer that leaves more than this is sending holes. */
    static final int MAX_INTERVALS = 256;

    private static final int REPORTED = 4;

    private final IntervalSet held = new IntervalSet(MAX_INTERVALS);

    /** A position inside each of the blocks changed last, newest first (RFC 2018 §4). */
    private final long[] recent = new long[REPORTED];

    private int recentCount;

    /** Range received twice, to be reported once; empty when equal. */
    private long duplicateFrom;

    private long duplicateTo;

    boolean isEmpty() {
        return held.isEmpty();
    }

    /** Bytes held beyond the first gap. */
    long bytes() {
        return held.bytes();
    }

    int intervals() {
        return held.count();
    }

    /** Whether {@code [from, to)} finds room; otherwise drop the segment. */
    boolean canAdd(long from, long to) {
        return held.canAdd(from, to);
    }

    /**
     * Notes that {@code [from, to)}, beyond RCV.NXT, has been placed.
     *
     * @return bytes not held before, or −1 when there is no room for another interval
     */
    long add(long from, long to) {
        long added = held.add(from, to);
        if (added >= 0) {
            touch(from);
        }
        return added;
    }

    private void touch(long position) {
        int interval = held.indexOf(position);
        int kept = 0;
        // stale entries and those merged into this interval give up their place
        for (int i = 0; i < recentCount; i++) {
            int other = held.indexOf(recent[i]);
            if (other >= 0 && other != interval) {
                recent[kept++] = recent[i];
            }
        }
        kept = Math.min(kept, REPORTED - 1);
        System.arraycopy(recent, 0, recent, 1, kept);
        recent[0] = position;
        recentCount = kept + 1;
    }

    /** First position of {@code [from, to)} that is not held; {@code to} when all are. */
    long firstMissing(long from, long to) {
        return Math.min(to, held.firstMissing(from));
    }

    /** End, at most {@code to}, of the gap that begins at {@code position}. */
    long endOfGap(long position, long to) {
        return Math.min(to, held.firstPresent(position));
    }

    /** Where the bytes held without a gap from {@code position} on end; {@code position} itself when it is not held. */
    long contiguousFrom(long position) {
        return held.firstMissing(position);
    }

    /** RCV.NXT is {@code position} now: what lies before it is the stream's. */
    void advanceTo(long position) {
        held.removeBelow(position);
        if (held.isEmpty()) {
            recentCount = 0;
        }
    }

    /** {@code [from, to)} arrived although it had been received: the next report begins with it (RFC 2883). */
    void onDuplicate(long from, long to) {
        assert from < to : "empty duplicate";
        duplicateFrom = from;
        duplicateTo = to;
        if (held.indexOf(from) >= 0) {
            touch(from); // RFC 2883 §4.1 (3): the block that holds it is reported next
        }
    }

    /** Whether a duplicate waits to be reported: an acknowledgment is due at once. */
    boolean hasDuplicate() {
        return duplicateFrom < duplicateTo;
    }

    /**
     * Writes the blocks to report, as sequence numbers: a duplicate first, once, then the blocks changed last.
     *
     * @param limit blocks that fit the option
     * @param receiveNext RCV.NXT
     * @param receiveNextPosition its position
     * @return blocks written
     */
    int sackBlocks(int[] left, int[] right, int limit, int receiveNext, long receiveNextPosition) {
        int blocks = 0;
        if (duplicateFrom < duplicateTo && limit > 0) {
            left[0] = receiveNext + (int) (duplicateFrom - receiveNextPosition);
            right[0] = receiveNext + (int) (duplicateTo - receiveNextPosition);
            blocks = 1;
            duplicateFrom = duplicateTo;
        }
        for (int i = 0; i < recentCount && blocks < limit; i++) {
            int interval = held.indexOf(recent[i]);
            if (interval >= 0) {
                left[blocks] = receiveNext + (int) (held.from(interval) - receiveNextPosition);
                right[blocks] = receiveNext + (int) (held.to(interval) - receiveNextPosition);
                blocks++;
            }
        }
        return blocks;
    }

    void clear() {
        held.clear();
        recentCount = 0;
        duplicateFrom = duplicateTo;
    }
}
