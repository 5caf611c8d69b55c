package dev.millrace.stack.tcp;

/**
 * Memory for {@link SentSegments}: arrays of 2ⁿ entries, lent to connections while they have something in flight, so that an idle one holds
 * none and a busy one allocates none in the steady state. Keeps a bounded reserve; what is beyond is left to the garbage collector. One
 * per core; core thread only.
 */
final class SegmentLogPool {
    /** Entries of the smallest array: a kilobyte, enough for an initial window. */
    static final int MIN_ENTRIES = 16;

    /**
     * Entries of the largest: segments that a connection may have in flight, 47 MB of Ethernet's. The bound matters when a peer announces a
     * tiny MSS, or an application writes single bytes.
     */
    static final int MAX_ENTRIES = 1 << 15;

    /** Longs per entry: a cache line. */
    static final int ENTRY_LONGS = 8;

    private static final int SIZES = Integer.numberOfTrailingZeros(MAX_ENTRIES / MIN_ENTRIES) + 1;

    /** Reserve of each size; 8 MiB in all. */
    private static final int RESERVE_BYTES_PER_SIZE = (8 << 20) / SIZES;

    private static final int MAX_RESERVED = 256;

    private final long[][][] reserves = new long[SIZES][][];
    private final int[] counts = new int[SIZES];

    SegmentLogPool() {
        for (int size = 0; size < SIZES; size++) {
            int bytes = (MIN_ENTRIES << size) * ENTRY_LONGS * Long.BYTES;
            reserves[size] = new long[Math.clamp(RESERVE_BYTES_PER_SIZE / bytes, 1, MAX_RESERVED)][];
        }
    }

    /** An array for that many entries, a power of two; its contents are undefined. */
    long[] take(int entries) {
        int size = sizeOf(entries);
        return counts[size] == 0 ? new long[entries * ENTRY_LONGS] : reserves[size][--counts[size]];
    }

    /** Gives back what {@link #take} gave; the caller forgets it. */
    void give(long[] array) {
        int size = sizeOf(array.length / ENTRY_LONGS);
        if (counts[size] < reserves[size].length) {
            reserves[size][counts[size]++] = array;
        }
    }

    private static int sizeOf(int entries) {
        assert Integer.bitCount(entries) == 1 && entries >= MIN_ENTRIES && entries <= MAX_ENTRIES : "size " + entries;
        return Integer.numberOfTrailingZeros(entries / MIN_ENTRIES);
    }
}
