package dev.millrace.stack.tcp;

/**
 * The entries of {@link SentSegments}, one for each segment in flight. A retransmission sends whole entries, one or several, so entries keep their borders.
 *
 * <p>Entries have ever increasing numbers and stand in a ring in sequence order. Over them lie two lists: those <em>out</em>, in the order
 * of their last transmission, which is the order in which RACK finds them lost (RFC 8985 §6.2), and those <em>lost</em> and not sent again, in
 * sequence order, which is the order in which they go out. A SACKed entry is on neither. Core thread only.
 */
abstract class SegmentLog {
    static final long NONE = Long.MIN_VALUE;

    // an entry's longs
    static final int END = 0;
    private static final int SENT_NS = 1;
    static final int STATE = 2; // skip distance << 32 | flags
    private static final int LINKS = 3; // distance to the previous on its list << 32 | to the next; 0 for none
    private static final int DELIVERED = 4;
    private static final int DELIVERED_NS = 5;
    private static final int FIRST_SENT_NS = 6;

    // flags
    static final int SACKED = 1;
    static final int LOST = 1 << 1;
    /** Sent again since it was sent first, or was found lost last, and not known to have arrived or to be lost since. */
    static final int RETRANSMITTED = 1 << 2;

    static final int EVER_RETRANSMITTED = 1 << 3;
    private static final int APP_LIMITED = 1 << 4;

    private static final long[] NOTHING_IN_FLIGHT = {};
    static final int SHIFT = Integer.numberOfTrailingZeros(SegmentLogPool.ENTRY_LONGS);

    private final SegmentLogPool pool;
    long[] ring = NOTHING_IN_FLIGHT;
    private int mask = -1;
    long first;
    long next;

    /** Where the first entry begins: SND.UNA. */
    long headStart;

    long outHead = NONE;
    long outTail = NONE;
    long lostHead = NONE;
    long lostTail = NONE;
    /** The entry put on the lost list last: the next one belongs near it. */
    private long lostFinger = NONE;

    SegmentLog(SegmentLogPool pool) {
        this.pool = pool;
    }

    // ---- the ring ----

    boolean isEmpty() {
        return first == next;
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

    final void grow() {
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

    final void giveBack() {
        if (ring.length > 0) {
            pool.give(ring);
            ring = NOTHING_IN_FLIGHT;
        }
    }

    /** What the delivery rate is reckoned from when this transmission is known to have arrived. */
    final void stamp(int at, long nowNs, DeliveryRate rate) {
        ring[at + SENT_NS] = nowNs;
        ring[at + STATE] = ring[at + STATE] & ~APP_LIMITED | (rate.isAppLimited() ? APP_LIMITED : 0);
        ring[at + DELIVERED] = rate.delivered();
        ring[at + DELIVERED_NS] = rate.deliveredNs();
        ring[at + FIRST_SENT_NS] = rate.firstSentNs();
    }

    // ---- entries ----

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
    final boolean isWaiting(long number) {
        return (flags(number) & (LOST | RETRANSMITTED)) == LOST;
    }

    /** A retransmission of it is out. */
    boolean isRetransmitted(long number) {
        return (flags(number) & RETRANSMITTED) != 0;
    }

    boolean wasEverRetransmitted(long number) {
        return (flags(number) & EVER_RETRANSMITTED) != 0;
    }

    final int slot(long number) {
        return ((int) number & mask) << SHIFT;
    }

    final int flags(long number) {
        return (int) ring[slot(number) + STATE];
    }

    // ---- the lists ----

    final long following(long number) {
        int distance = (int) ring[slot(number) + LINKS];
        return distance == 0 ? NONE : number + distance;
    }

    final long preceding(long number) {
        int distance = (int) (ring[slot(number) + LINKS] >> 32);
        return distance == 0 ? NONE : number + distance;
    }

    final void link(long number, long preceding, long following) {
        setPreceding(number, preceding);
        setFollowing(number, following);
        if (preceding != NONE) {
            setFollowing(preceding, number);
        }
        if (following != NONE) {
            setPreceding(following, number);
        }
    }

    final void setFollowing(long number, long following) {
        int at = slot(number) + LINKS;
        long distance = following == NONE ? 0 : following - number;
        ring[at] = ring[at] & 0xffff_ffff_0000_0000L | distance & 0xffff_ffffL;
    }

    final void setPreceding(long number, long preceding) {
        int at = slot(number) + LINKS;
        long distance = preceding == NONE ? 0 : preceding - number;
        ring[at] = ring[at] & 0xffff_ffffL | distance << 32;
    }

    final void appendOut(long number) {
        link(number, outTail, NONE);
        outTail = number;
        if (outHead == NONE) {
            outHead = number;
        }
    }

    final void prependOut(long number) {
        link(number, NONE, outHead);
        outHead = number;
        if (outTail == NONE) {
            outTail = number;
        }
    }

    /** Entries are found lost mostly in sequence order, so that the place is next to the last one's. */
    final void insertLost(long number) {
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

    final void unlink(long number) {
        if (isSacked(number)) {
            return;
        }
        if (isWaiting(number)) {
            removeFromLost(number);
        } else {
            removeFromOut(number);
        }
    }

    final void removeFromLost(long number) {
        long before = preceding(number);
        long behind = following(number);
        lostHead = before == NONE ? behind : lostHead;
        lostTail = behind == NONE ? before : lostTail;
        if (lostFinger == number) {
            lostFinger = before;
        }
        join(before, behind);
    }

    final void removeFromOut(long number) {
        long before = preceding(number);
        long behind = following(number);
        outHead = before == NONE ? behind : outHead;
        outTail = behind == NONE ? before : outTail;
        join(before, behind);
    }

    final void join(long before, long behind) {
        if (before != NONE) {
            setFollowing(before, behind);
        }
        if (behind != NONE) {
            setPreceding(behind, before);
        }
    }

    // ---- questions about the lists ----

    /** Of those out, the one that was sent the longest time ago, or {@link #NONE}. */
    long longestOut() {
        return outHead;
    }

    /** The lost entry to be sent again first, or {@link #NONE}. */
    long firstLost() {
        return lostHead;
    }

    final int length(long head, long tail) {
        int length = 0;
        long last = NONE;
        for (long number = head; number != NONE && length <= count(); number = following(number)) {
            last = number;
            length++;
        }
        return last == tail ? length : -1;
    }
}
