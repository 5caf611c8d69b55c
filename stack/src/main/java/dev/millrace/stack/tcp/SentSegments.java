package dev.millrace.stack.tcp;

/**
 * The segments in flight, one entry each: what a sender knows about what it has sent, in the manner of RFC 8985 §5.2, and the byte counts
 * that make up the pipe. A retransmission sends a whole entry, so entries keep their borders.
 *
 * <p>Entries have ever increasing numbers and stand in a ring in sequence order. Over them lie two lists: those <em>out</em>, in the order
 * of their last transmission, which is the order in which RACK finds them lost (§6.2), and those <em>lost</em> and not sent again, in
 * sequence order, which is the order in which they go out. A SACKed entry is on neither.
 * <pre>
 *   sent ──► out ──► lost ──► sent again ──► out
 *             └──────┴──── SACKed ─────────────┘        (in any state: acknowledged and gone)
 * </pre>
 * A SACKed entry also knows how far the run of SACKed ones around it reaches, as a union-find with path halving, so that blocks which repeat what is known cost next
 * to nothing however much they cover. Everything else is O(1), the search for a position logarithmic. Core thread only.
 */
final class SentSegments {
    static final long NONE = Long.MIN_VALUE;

    // an entry's longs
    private static final int END = 0;
    private static final int SENT_NS = 1;
    private static final int STATE = 2; // skip distance << 32 | flags
    private static final int LINKS = 3; // distance to the previous on its list << 32 | to the next; 0 for none
    private static final int DELIVERED = 4;
    private static final int DELIVERED_NS = 5;
    private static final int FIRST_SENT_NS = 6;

    // flags
    private static final int SACKED = 1;
    private static final int LOST = 1 << 1;
    /** Sent again since it was sent first, or was found lost last, and not known to have arrived or to be lost since. */
    private static final int RETRANSMITTED = 1 << 2;

    private static final int EVER_RETRANSMITTED = 1 << 3;
    private static final int APP_LIMITED = 1 << 4;

    private static final long[] NOTHING_IN_FLIGHT = {};
    private static final int SHIFT = Integer.numberOfTrailingZeros(SegmentLogPool.ENTRY_LONGS);

    private final SegmentLogPool pool;
    private long[] ring = NOTHING_IN_FLIGHT;
    private int mask = -1;
    private long first;
    private long next;

    /** Where the first entry begins: SND.UNA. */
    private long headStart;

    private long outHead = NONE;
    private long outTail = NONE;
    private long lostHead = NONE;
    private long lostTail = NONE;
    /** The entry put on the lost list last: the next one belongs near it. */
    private long lostFinger = NONE;

    private long sackedBytes;
    private int sackedSegments;
    private long lostBytes;
    private long retransmittedBytes;
    private long highestSacked;

    SentSegments(SegmentLogPool pool) {
        this.pool = pool;
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

    /** What the delivery rate is reckoned from when this transmission is known to have arrived. */
    private void stamp(int at, long nowNs, DeliveryRate rate) {
        ring[at + SENT_NS] = nowNs;
        ring[at + STATE] = ring[at + STATE] & ~APP_LIMITED | (rate.isAppLimited() ? APP_LIMITED : 0);
        ring[at + DELIVERED] = rate.delivered();
        ring[at + DELIVERED_NS] = rate.deliveredNs();
        ring[at + FIRST_SENT_NS] = rate.firstSentNs();
    }

    private void grow() {
        int entries = Math.max(SegmentLogPool.MIN_ENTRIES, (ring.length >> SHIFT) * 2);
        long[] wider = pool.take(entries);
        for (long number = first; number < next; number++) {
            System.arraycopy(
                    ring, slot(number), wider, ((int) number & (entries - 1)) << SHIFT, SegmentLogPool.ENTRY_LONGS);
        }
        giveBack();
        ring = wider;
        mask = entries - 1;
    }

    private void giveBack() {
        if (ring.length > 0) {
            pool.give(ring);
            ring = NOTHING_IN_FLIGHT;
        }
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

    boolean isEmpty() {
        return first == next;
    }

    /** Nothing of what is in flight was SACKed, lost, or sent again. */
    boolean isInOrder() {
        return (sackedSegments | lostBytes | retransmittedBytes) == 0;
    }

    /** Number of the oldest entry. */
    long first() {
        return first;
    }

    /** Number behind that of the newest entry. */
    long next() {
        return next;
    }

    int count() {
        return (int) (next - first);
    }

    /** Where the first entry begins. */
    long una() {
        return headStart;
    }

    /** Position where everything sent ends: SND.NXT. */
    long end() {
        return isEmpty() ? headStart : end(next - 1);
    }

    long start(long number) {
        return number == first ? headStart : end(number - 1);
    }

    long end(long number) {
        return ring[slot(number) + END];
    }

    long bytes(long number) {
        return end(number) - start(number);
    }

    /** When it was sent last. */
    long sentNs(long number) {
        return ring[slot(number) + SENT_NS];
    }

    long delivered(long number) {
        return ring[slot(number) + DELIVERED];
    }

    long deliveredNs(long number) {
        return ring[slot(number) + DELIVERED_NS];
    }

    long firstSentNs(long number) {
        return ring[slot(number) + FIRST_SENT_NS];
    }

    boolean appLimited(long number) {
        return (flags(number) & APP_LIMITED) != 0;
    }

    boolean isSacked(long number) {
        return (flags(number) & SACKED) != 0;
    }

    boolean isLost(long number) {
        return (flags(number) & LOST) != 0;
    }

    /** It is lost and was not sent again since. */
    private boolean isWaiting(long number) {
        return (flags(number) & (LOST | RETRANSMITTED)) == LOST;
    }

    /** A retransmission of it is out. */
    boolean isRetransmitted(long number) {
        return (flags(number) & RETRANSMITTED) != 0;
    }

    boolean wasEverRetransmitted(long number) {
        return (flags(number) & EVER_RETRANSMITTED) != 0;
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

    /** Highest position SACKed so far; SND.UNA or less when nothing beyond it is. */
    long highestSacked() {
        return highestSacked;
    }

    /** Of those out, the one that was sent the longest time ago, or {@link #NONE}. */
    long longestOut() {
        return outHead;
    }

    /** The lost entry to be sent again first, or {@link #NONE}. */
    long firstLost() {
        return lostHead;
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

    /** RFC 6675 §4's pipe: bytes in the network. */
    long pipe() {
        return end() - headStart - sackedBytes - lostBytes + retransmittedBytes;
    }

    // ---- entries ----

    private int slot(long number) {
        return ((int) number & mask) << SHIFT;
    }

    private int flags(long number) {
        return (int) ring[slot(number) + STATE];
    }

    private long skip(long number) {
        return ring[slot(number) + STATE] >>> 32;
    }

    private void setSkip(long number, long distance) {
        int at = slot(number);
        ring[at + STATE] = distance << 32 | ring[at + STATE] & 0xffff_ffffL;
    }

    // ---- the lists ----

    private long following(long number) {
        int distance = (int) ring[slot(number) + LINKS];
        return distance == 0 ? NONE : number + distance;
    }

    private long preceding(long number) {
        int distance = (int) (ring[slot(number) + LINKS] >> 32);
        return distance == 0 ? NONE : number + distance;
    }

    private void link(long number, long preceding, long following) {
        setPreceding(number, preceding);
        setFollowing(number, following);
        if (preceding != NONE) {
            setFollowing(preceding, number);
        }
        if (following != NONE) {
            setPreceding(following, number);
        }
    }

    private void setFollowing(long number, long following) {
        int at = slot(number) + LINKS;
        long distance = following == NONE ? 0 : following - number;
        ring[at] = ring[at] & 0xffff_ffff_0000_0000L | distance & 0xffff_ffffL;
    }

    private void setPreceding(long number, long preceding) {
        int at = slot(number) + LINKS;
        long distance = preceding == NONE ? 0 : preceding - number;
        ring[at] = ring[at] & 0xffff_ffffL | distance << 32;
    }

    private void appendOut(long number) {
        link(number, outTail, NONE);
        outTail = number;
        if (outHead == NONE) {
            outHead = number;
        }
    }

    private void prependOut(long number) {
        link(number, NONE, outHead);
        outHead = number;
        if (outTail == NONE) {
            outTail = number;
        }
    }

    /** Entries are found lost mostly in sequence order, so that the place is next to the last one's. */
    private void insertLost(long number) {
        long before = lostFinger != NONE ? lostFinger : lostTail;
        while (before != NONE && before > number) {
            before = preceding(before);
        }
        long behind = before == NONE ? lostHead : following(before);
        while (behind != NONE && behind < number) {
            before = behind;
            behind = following(behind);
        }
        link(number, before, behind);
        if (before == NONE) {
            lostHead = number;
        }
        if (behind == NONE) {
            lostTail = number;
        }
        lostFinger = number;
    }

    private void unlink(long number) {
        if (isSacked(number)) {
            return;
        }
        if (isWaiting(number)) {
            removeFromLost(number);
        } else {
            removeFromOut(number);
        }
    }

    private void removeFromLost(long number) {
        long before = preceding(number);
        long behind = following(number);
        lostHead = before == NONE ? behind : lostHead;
        lostTail = behind == NONE ? before : lostTail;
        if (lostFinger == number) {
            lostFinger = before;
        }
        join(before, behind);
    }

    private void removeFromOut(long number) {
        long before = preceding(number);
        long behind = following(number);
        outHead = before == NONE ? behind : outHead;
        outTail = behind == NONE ? before : outTail;
        join(before, behind);
    }

    private void join(long before, long behind) {
        if (before != NONE) {
            setFollowing(before, behind);
        }
        if (behind != NONE) {
            setPreceding(behind, before);
        }
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

    private int length(long head, long tail) {
        int length = 0;
        long last = NONE;
        for (long number = head; number != NONE && length <= count(); number = following(number)) {
            last = number;
            length++;
        }
        return last == tail ? length : -1;
    }
}
