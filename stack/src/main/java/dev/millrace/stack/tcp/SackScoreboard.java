package dev.millrace.stack.tcp;

/**
 * What the peer says it holds beyond SND.UNA, and what follows from it after RFC 6675 §4: which bytes are lost, where the holes are. In
 * stream positions. SACK information is advice (RFC 2018 §8): blocks that do not fit are dropped, and all may be forgotten when
 * the peer turns out to have discarded what it reported. Core thread only.
 */
final class SackScoreboard {
    /** RFC 6675 §2: this many segments above a byte make it lost. */
    static final int DUP_THRESH = 3;

    /** Blocks remembered; more are ignored. */
    static final int MAX_INTERVALS = 256;

    private final IntervalSet sacked = new IntervalSet(MAX_INTERVALS);

    /**
     * RFC 6675's Update(): enters the blocks of one acknowledgment. A block that is empty, reversed, below {@code una} (a D-SACK report, RFC 2883)
     * or beyond {@code nxt} tells nothing about what is outstanding and is skipped.
     *
     * @return bytes that had not been SACKed before
     */
    long update(long[] from, long[] to, int blocks, long una, long nxt) {
        long added = 0;
        for (int i = 0; i < blocks; i++) {
            long left = Math.max(from[i], una);
            long right = to[i];
            if (left < right && right <= nxt && from[i] < right) {
                added += Math.max(0, sacked.add(left, right));
            }
        }
        return added;
    }

    /** SND.UNA has moved. */
    void advance(long una) {
        sacked.removeBelow(una);
    }

    /**
     * The position below which every byte that is not SACKed is lost: RFC 6675's IsLost(), which is true for a byte when three discontiguous
     * blocks, or more than two segments' bytes, are SACKed above it, and thus for everything before such a byte too. At most three
     * blocks from the top decide.
     *
     * @return {@code una} when nothing is lost
     */
    long lostBelow(long una, int segmentBytes) {
        long above = 0;
        int blocks = 0;
        for (int i = sacked.count() - 1; i >= 0; i--) {
            above += sacked.to(i) - sacked.from(i);
            blocks++;
            if (blocks >= DUP_THRESH || above > (DUP_THRESH - 1L) * segmentBytes) {
                return Math.max(una, sacked.from(i));
            }
        }
        return una;
    }

    /** First byte at or after {@code position} that is not SACKed. */
    long nextHole(long position) {
        return sacked.firstMissing(position);
    }

    /** Where the hole at {@code position} ends, at most {@code limit}. */
    long holeEnd(long position, long limit) {
        return Math.min(limit, sacked.firstPresent(position));
    }

    /** Highest byte SACKed plus one; {@code una} when none is. */
    long highestSacked(long una) {
        int count = sacked.count();
        return count == 0 ? una : sacked.to(count - 1);
    }

    /** Bytes SACKed in {@code [from, to)}. */
    long bytesIn(long from, long to) {
        return sacked.isEmpty() || from >= to ? 0 : sacked.bytesBelow(to) - sacked.bytesBelow(from);
    }

    /** Bytes SACKed. */
    long bytes() {
        return sacked.bytes();
    }

    /** Whether the byte at {@code una} is SACKed though not acknowledged: the peer has reneged (RFC 2018 §8). */
    boolean reneged(long una) {
        return sacked.indexOf(una) >= 0;
    }

    boolean isEmpty() {
        return sacked.isEmpty();
    }

    void clear() {
        sacked.clear();
    }
}
