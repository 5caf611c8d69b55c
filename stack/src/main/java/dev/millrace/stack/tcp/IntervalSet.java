package dev.millrace.stack.tcp;

import java.util.Arrays;

/**
 * A bounded set of stream positions as sorted, disjoint, non-adjacent intervals {@code [from, to)}: what lies beyond a gap at the receiver,
 * what the peer has SACKed at the sender. Found by binary search; a peer that makes holes on purpose meets the bound. Holds no
 * memory while it was never used. One thread.
 */
final class IntervalSet {
    private static final long[] NONE = {};

    private final int limit;
    private long[] froms = NONE;
    private long[] tos = NONE;
    private int count;
    private long bytes;

    /**
     * @param limit intervals at most
     */
    IntervalSet(int limit) {
        this.limit = limit;
    }

    /**
     * Adds {@code [from, to)}.
     *
     * @return positions that were not in the set before; −1 when it would take one interval too many, and nothing has changed
     */
    long add(long from, long to) {
        assert from < to : "empty interval";
        int first = firstEndingAtOrAfter(from);
        if (first == count || froms[first] > to) {
            return insert(first, from, to) ? to - from : -1;
        }
        // merge with all that overlap or touch: [first, behind)
        long mergedFrom = Math.min(from, froms[first]);
        long mergedTo = to;
        long before = 0;
        int behind = first;
        while (behind < count && froms[behind] <= to) {
            before += tos[behind] - froms[behind];
            mergedTo = Math.max(mergedTo, tos[behind]);
            behind++;
        }
        froms[first] = mergedFrom;
        tos[first] = mergedTo;
        removeRange(first + 1, behind);
        long added = mergedTo - mergedFrom - before;
        bytes += added;
        return added;
    }

    /** Whether {@link #add} would find room. */
    boolean canAdd(long from, long to) {
        if (count < limit) {
            return true;
        }
        int first = firstEndingAtOrAfter(from);
        return first < count && froms[first] <= to;
    }

    private boolean insert(int at, long from, long to) {
        if (count == limit) {
            return false;
        }
        if (count == froms.length) {
            int wider = Math.min(limit, Math.max(4, count * 2));
            froms = Arrays.copyOf(froms, wider);
            tos = Arrays.copyOf(tos, wider);
        }
        System.arraycopy(froms, at, froms, at + 1, count - at);
        System.arraycopy(tos, at, tos, at + 1, count - at);
        froms[at] = from;
        tos[at] = to;
        count++;
        bytes += to - from;
        return true;
    }

    private void removeRange(int first, int behind) {
        if (first < behind) {
            System.arraycopy(froms, behind, froms, first, count - behind);
            System.arraycopy(tos, behind, tos, first, count - behind);
            count -= behind - first;
        }
    }

    /** Forgets everything before {@code position}. */
    void removeBelow(long position) {
        if (count == 0 || froms[0] >= position) {
            return;
        }
        int behind = 0;
        while (behind < count && tos[behind] <= position) {
            bytes -= tos[behind] - froms[behind];
            behind++;
        }
        if (behind < count && froms[behind] < position) {
            bytes -= position - froms[behind];
            froms[behind] = position;
        }
        removeRange(0, behind);
    }

    void clear() {
        count = 0;
        bytes = 0;
    }

    /** First position at or after {@code position} that is not in the set. */
    long firstMissing(long position) {
        int index = firstEndingAfter(position);
        return index < count && froms[index] <= position ? tos[index] : position;
    }

    /** First position at or after {@code position} that is in the set; Long.MAX_VALUE when there is none. */
    long firstPresent(long position) {
        int index = firstEndingAfter(position);
        return index == count ? Long.MAX_VALUE : Math.max(position, froms[index]);
    }

    /** Index of the interval that holds {@code position}, or −1. */
    int indexOf(long position) {
        int index = firstEndingAfter(position);
        return index < count && froms[index] <= position ? index : -1;
    }

    /** How many positions before {@code position} are in the set. */
    long bytesBelow(long position) {
        long sum = 0;
        for (int i = 0; i < count && froms[i] < position; i++) {
            sum += Math.min(tos[i], position) - froms[i];
        }
        return sum;
    }

    int count() {
        return count;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Positions in the set. */
    long bytes() {
        return bytes;
    }

    long from(int index) {
        return froms[index];
    }

    long to(int index) {
        return tos[index];
    }

    private int firstEndingAfter(long position) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = low + high >>> 1;
            if (tos[middle] > position) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private int firstEndingAtOrAfter(long position) {
        return firstEndingAfter(position - 1);
    }
}
