package dev.millrace.stack.tcp;

/**
 * The segments in flight: what a sender knows about what it has sent, in the manner of RFC 8985 §5.2, and the byte counts that make up the pipe. What stands
 * here is what becomes of entries; where they are kept and in which orders is {@link SegmentLog}'s.
 * <pre>
 *   sent ──► out ──► lost ──► sent again ──► out
 *             └──────┴──── SACKed ─────────────┘        (in any state: acknowledged and gone)
 * </pre>
 * A SACKed entry also knows how far the run of SACKed ones around it reaches, as a union-find with path halving, so that blocks which repeat what is known cost next
 * to nothing however much they cover. Everything else is O(1), the search for a position logarithmic. Core thread only.
 */
final class SentSegments extends SegmentLog {
    private long sackedBytes;
    private int sackedSegments;
    private long lostBytes;
    private long retransmittedBytes;
    private long highestSacked;

    SentSegments(SegmentLogPool pool) {
        super(pool);
    }

    // ---- sending ----

    boolean isFull() {
        return next - first == SegmentLogPool.MAX_ENTRIES;
    }

    /** A segment was sent for the first time, from where the last one ended up to {@code end}; {@code rate} has been told. */
    void append(long end, long nowNs, DeliveryRate rate) {
        assert end > end() && !isFull() : "not the next segment";
        if (next - first == ring.length >> SHIFT) {
            grow();
        }
        long number = next++;
        int at = slot(number);
        ring[at + END] = end;
        ring[at + STATE] = 0;
        stamp(at, nowNs, rate);
        appendOut(number);
    }

    /** An entry that is lost, or out, goes out (once more). */
    void onRetransmitted(long number, long nowNs, DeliveryRate rate) {
        int at = slot(number);
        assert (ring[at + STATE] & SACKED) == 0 : "has arrived";
        unlink(number);
        if ((ring[at + STATE] & RETRANSMITTED) == 0) {
            retransmittedBytes += bytes(number);
        }
        ring[at + STATE] |= RETRANSMITTED | EVER_RETRANSMITTED;
        stamp(at, nowNs, rate);
        appendOut(number);
    }

    // ---- what becomes of them ----

    /** The first entry, not SACKed, becomes two, the first of which ends at {@code at}; there must be room for one more. */
    void splitFirst(long at) {
        assert headStart < at && at < end(first) && !isSacked(first) && !isFull() : "cannot be split";
        if (next - first == ring.length >> SHIFT) {
            grow();
        }
        long rest = first;
        long number = --first;
        System.arraycopy(ring, slot(rest), ring, slot(number), SegmentLogPool.ENTRY_LONGS);
        ring[slot(number) + END] = at;
        if (isWaiting(rest)) {
            insertLost(number);
        } else {
            link(number, preceding(rest), rest);
            outHead = outHead == rest ? number : outHead;
        }
    }

    /** The first entry is acknowledged as a whole. The last one to go gives the memory back. */
    void removeFirst() {
        long number = first;
        long bytes = bytes(number);
        uncount(number, bytes);
        unlink(number);
        headStart = end(number);
        first++;
        if (first == next) {
            giveBack();
        }
    }

    /** SND.UNA lies inside the first entry, or just behind everything sent. Answers how many bytes that took off, SACKed ones not counted. */
    long trim(long una) {
        long bytes = una - headStart;
        if (bytes == 0 || isEmpty()) {
            headStart = una;
            return 0;
        }
        assert una < end(first) : "more than a part of it";
        int flags = flags(first);
        if ((flags & SACKED) != 0) {
            sackedBytes -= bytes;
        }
        if ((flags & LOST) != 0) {
            lostBytes -= bytes;
        }
        if ((flags & RETRANSMITTED) != 0) {
            retransmittedBytes -= bytes;
        }
        headStart = una;
        return (flags & SACKED) != 0 ? 0 : bytes;
    }

    /** It has arrived. */
    void markSacked(long number) {
        assert !isSacked(number) : "SACKed twice";
        long bytes = bytes(number);
        unlink(number);
        uncount(number, bytes);
        int at = slot(number);
        ring[at + STATE] = 1L << 32 | flags(number) & ~(LOST | RETRANSMITTED) | SACKED;
        sackedBytes += bytes;
        sackedSegments++;
        highestSacked = Math.max(highestSacked, end(number));
    }

    private void uncount(long number, long bytes) {
        int flags = flags(number);
        if ((flags & SACKED) != 0) {
            sackedBytes -= bytes;
            sackedSegments--;
        }
        if ((flags & LOST) != 0) {
            lostBytes -= bytes;
        }
        if ((flags & RETRANSMITTED) != 0) {
            retransmittedBytes -= bytes;
        }
    }

    /** It is lost, or its retransmission is; answers the bytes newly deemed lost, those of a lost retransmission included. */
    long markLost(long number) {
        int at = slot(number);
        int flags = flags(number);
        assert (flags & SACKED) == 0 : "has arrived";
        if (isWaiting(number)) {
            return 0;
        }
        long bytes = bytes(number);
        unlink(number);
        if ((flags & RETRANSMITTED) != 0) {
            retransmittedBytes -= bytes;
        }
        if ((flags & LOST) == 0) {
            lostBytes += bytes;
        }
        ring[at + STATE] = ring[at + STATE] & ~RETRANSMITTED | LOST;
        insertLost(number);
        return bytes;
    }

    /** Nothing is deemed lost any more: the inference was wrong. Linear, once per mistake. */
    void forgetLosses() {
        for (long number = first; number < next; number++) {
            ring[slot(number) + STATE] &= ~(long) LOST;
        }
        for (long number = lostTail; number != NONE; number = lostTail) {
            removeFromLost(number);
            prependOut(number);
        }
        lostBytes = 0;
    }

    /** The peer has discarded what it had SACKed (RFC 2018 §8). Linear, once per timeout. */
    void forgetSacks() {
        for (long number = first; number < next; number++) {
            int at = slot(number);
            if ((ring[at + STATE] & SACKED) != 0) {
                ring[at + STATE] = flags(number) & ~SACKED;
                appendOut(number);
            }
        }
        sackedBytes = 0;
        sackedSegments = 0;
        highestSacked = headStart;
    }

    // ---- questions ----

    /** Nothing of what is in flight was SACKed, lost, or sent again. */
    boolean isInOrder() {
        return (sackedSegments | lostBytes | retransmittedBytes) == 0;
    }

    /** The first entry that ends behind {@code position}; {@link #next} when there is none. */
    long firstEndingAfter(long position) {
        long low = first;
        long high = next;
        while (low < high) {
            long middle = low + (high - low) / 2;
            if (end(middle) > position) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** The first entry from {@code number} on that is not SACKed; {@link #next} when there is none. */
    long nextNotSacked(long number) {
        long at = number;
        while (at < next && isSacked(at)) {
            long behind = at + skip(at);
            if (behind < next && isSacked(behind)) {
                behind += skip(behind);
                setSkip(at, behind - at);
            }
            at = behind;
        }
        return at;
    }

    /** The last of the entries from {@code number} on, a lost one, that wait one behind the other and are no more than {@code limitBytes} together. */
    long lastWaitingTogether(long number, int limitBytes) {
        long limit = start(number) + limitBytes;
        long last = number;
        while (last + 1 < next && isWaiting(last + 1) && end(last + 1) <= limit) {
            last++;
        }
        return last;
    }

    /** Highest position SACKed so far; SND.UNA or less when nothing beyond it is. */
    long highestSacked() {
        return highestSacked;
    }

    long sackedBytes() {
        return sackedBytes;
    }

    int sackedSegments() {
        return sackedSegments;
    }

    /** Bytes deemed lost, whether sent again or not. */
    long lostBytes() {
        return lostBytes;
    }

    /** Bytes of retransmissions that are out. */
    long retransmittedBytes() {
        return retransmittedBytes;
    }

    /** How many entries that end up to {@code position} are out, and have not been sent again. */
    int countOutOnce(long position) {
        int count = 0;
        for (long number = first; number < next && end(number) <= position; number++) {
            count += (flags(number) & (SACKED | LOST | RETRANSMITTED)) == 0 ? 1 : 0;
        }
        return count;
    }

    /** RFC 6675 §4's pipe: bytes in the network. */
    long pipe() {
        return end() - headStart - sackedBytes - lostBytes + retransmittedBytes;
    }

    // ---- runs of SACKed entries ----

    private long skip(long number) {
        return ring[slot(number) + STATE] >>> 32;
    }

    private void setSkip(long number, long distance) {
        int at = slot(number);
        ring[at + STATE] = distance << 32 | ring[at + STATE] & 0xffff_ffffL;
    }

    // ---- self-check ----

    /** Linear; for assertions of tests and the simulator. */
    boolean isConsistent() {
        long sacked = 0;
        long lost = 0;
        long retransmitted = 0;
        int waiting = 0;
        int out = 0;
        for (long number = first; number < next; number++) {
            int flags = flags(number);
            long bytes = bytes(number);
            sacked += (flags & SACKED) != 0 ? bytes : 0;
            lost += (flags & LOST) != 0 ? bytes : 0;
            retransmitted += (flags & RETRANSMITTED) != 0 ? bytes : 0;
            waiting += (flags & (LOST | RETRANSMITTED)) == LOST ? 1 : 0;
            out += (flags & SACKED) == 0 && (flags & (LOST | RETRANSMITTED)) != LOST ? 1 : 0;
        }
        return sacked == sackedBytes
                && lost == lostBytes
                && retransmitted == retransmittedBytes
                && waiting == length(lostHead, lostTail)
                && out == length(outHead, outTail);
    }
}
