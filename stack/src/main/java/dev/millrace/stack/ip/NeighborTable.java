package dev.millrace.stack.ip;

import org.jspecify.annotations.Nullable;

/**
 * The neighbours of one link by address. Core thread only.
 *
 * <p>Bounded against floods: at most {@value #MAX_NEIGHBORS} entries, of which at most {@value #MAX_PASSIVE_PER_MAC} were learned from
 * one hardware address and never sent to. Buckets are chosen with a secret. Who must give way to a new entry stands at the front of one of three lists,
 * so that a flood costs no search: first those never sent to, then those that do not answer, then the others, each in the order of their last use.
 */
final class NeighborTable {
    static final int MAX_NEIGHBORS = 1024;
    static final int MAX_PASSIVE_PER_MAC = 8;
    private static final int BUCKETS = 512;
    private static final int COUNTERS = 1024;

    /** Entries just confirmed that an eviction passes over before it takes one of them after all. */
    private static final int SECOND_CHANCES = 16;

    // ranks
    private static final int PASSIVE = 0;
    private static final int UNANSWERED = 1;
    private static final int KNOWN = 2;
    private static final int RANKS = 3;

    private final long secret;
    private final @Nullable Neighbor[] buckets = new @Nullable Neighbor[BUCKETS];
    private final Neighbor[] all = new Neighbor[MAX_NEIGHBORS];
    private int count;

    /** Heads of circular lists: {@code newer} is the front, who has not been used for longest. */
    private final Neighbor[] ranks = new Neighbor[RANKS];

    /** Passive entries by a hash of the hardware address; addresses that share a counter share its limit. */
    private final short[] passive = new short[COUNTERS];

    /** @param secret odd */
    NeighborTable(long secret) {
        this.secret = secret;
        for (int rank = 0; rank < RANKS; rank++) {
            Neighbor head = new Neighbor(0, 0, NeighborState.REMOVED);
            head.newer = head;
            head.older = head;
            ranks[rank] = head;
        }
    }

    int size() {
        return count;
    }

    boolean isFull() {
        return count == MAX_NEIGHBORS;
    }

    /** In no order. */
    Neighbor get(int index) {
        return all[index];
    }

    @Nullable
    Neighbor find(long high, long low) {
        Neighbor neighbor = buckets[bucket(high, low)];
        while (neighbor != null && (neighbor.low != low || neighbor.high != high)) {
            neighbor = neighbor.nextInBucket;
        }
        return neighbor;
    }

    private int bucket(long high, long low) {
        return (int) (mix(high, low) >>> 55);
    }

    private long mix(long high, long low) {
        long mixed = (high ^ secret) * 0x9e37_79b9_7f4a_7c15L ^ Long.rotateLeft(low, 29) * secret;
        mixed ^= mixed >>> 32;
        return mixed * 0xd6e8_feb8_6659_fd93L;
    }

    // ---- entries ----

    /** A fresh, incomplete entry; the table must not be full. */
    Neighbor add(long high, long low, long nowNs) {
        assert !isFull() : "no room";
        Neighbor neighbor = new Neighbor(high, low, NeighborState.INCOMPLETE);
        neighbor.lastUsedNs = nowNs;
        int bucket = bucket(high, low);
        neighbor.nextInBucket = buckets[bucket];
        buckets[bucket] = neighbor;
        neighbor.index = count;
        all[count++] = neighbor;
        enlist(neighbor);
        return neighbor;
    }

    /** The last entry takes the place of the one removed. */
    void remove(Neighbor neighbor) {
        int bucket = bucket(neighbor.high, neighbor.low);
        Neighbor before = buckets[bucket];
        if (before == neighbor) {
            buckets[bucket] = neighbor.nextInBucket;
        } else {
            while (before != null && before.nextInBucket != neighbor) {
                before = before.nextInBucket;
            }
            assert before != null : "not in its bucket";
            before.nextInBucket = neighbor.nextInBucket;
        }
        Neighbor last = all[--count];
        all[neighbor.index] = last;
        last.index = neighbor.index;
        active(neighbor);
        unlist(neighbor);
    }

    // ---- who gives way ----

    /** The entry has been used, or what is known of it has changed. */
    void touch(Neighbor neighbor) {
        unlist(neighbor);
        if (!neighbor.pinned) {
            enlist(neighbor);
        }
    }

    private void enlist(Neighbor neighbor) {
        int rank = neighbor.isPassive() ? PASSIVE : neighbor.state == NeighborState.INCOMPLETE ? UNANSWERED : KNOWN;
        Neighbor head = ranks[rank];
        Neighbor newest = head.older;
        neighbor.older = newest;
        neighbor.newer = head;
        newest.newer = neighbor;
        head.older = neighbor;
    }

    private static void unlist(Neighbor neighbor) {
        neighbor.older.newer = neighbor.newer;
        neighbor.newer.older = neighbor.older;
        neighbor.older = neighbor;
        neighbor.newer = neighbor;
    }

    /** Who gives way to another: see above; of those known, who was not confirmed lately. The table is full. */
    Neighbor leastValuable(long nowNs) {
        for (int rank = 0; rank < KNOWN; rank++) {
            if (ranks[rank].newer != ranks[rank]) {
                return ranks[rank].newer;
            }
        }
        Neighbor head = ranks[KNOWN];
        for (int i = 0; i < SECOND_CHANCES && head.newer.isReachable(nowNs); i++) {
            touch(head.newer);
        }
        assert head.newer != head : "full of gateways";
        return head.newer;
    }

    // ---- entries never sent to ----

    /** Whether no more may be learned from this hardware address before something is sent. */
    boolean isExhausted(long mac) {
        return passive[counter(mac)] >= MAX_PASSIVE_PER_MAC;
    }

    /** Learned from its own message, from this hardware address. */
    void passive(Neighbor neighbor, long mac) {
        neighbor.passiveCounter = counter(mac);
        passive[neighbor.passiveCounter]++;
        touch(neighbor);
    }

    /** Something is sent to it. */
    void active(Neighbor neighbor) {
        if (neighbor.isPassive()) {
            passive[neighbor.passiveCounter]--;
            neighbor.passiveCounter = Neighbor.NOT_PASSIVE;
            touch(neighbor);
        }
    }

    private int counter(long mac) {
        return (int) (mix(mac, mac) >>> 54);
    }
}
