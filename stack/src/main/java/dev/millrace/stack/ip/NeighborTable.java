package dev.millrace.stack.ip;

import org.jspecify.annotations.Nullable;

/**
 * The neighbours of one link by address. Core thread only.
 *
 * <p>Bounded against floods: at most {@value #MAX_NEIGHBORS} entries, of which at most {@value #MAX_PASSIVE_PER_MAC} were learned from
 * one hardware address and never sent to. Buckets are chosen with a secret.
 */
final class NeighborTable {
    static final int MAX_NEIGHBORS = 1024;
    static final int MAX_PASSIVE_PER_MAC = 8;
    private static final int BUCKETS = 512;

    private final long secret;
    private final @Nullable Neighbor[] buckets = new @Nullable Neighbor[BUCKETS];
    private final Neighbor[] all = new Neighbor[MAX_NEIGHBORS];
    private int count;

    /** @param secret odd */
    NeighborTable(long secret) {
        this.secret = secret;
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
        long mixed = (high ^ secret) * 0x9e37_79b9_7f4a_7c15L ^ Long.rotateLeft(low, 29) * secret;
        mixed ^= mixed >>> 32;
        return (int) (mixed * 0xd6e8_feb8_6659_fd93L >>> 55);
    }

    /** Entries learned from one hardware address that were never sent to. */
    int passiveEntries(long mac) {
        int found = 0;
        for (int i = 0; i < count; i++) {
            found += all[i].passive && all[i].mac == mac ? 1 : 0;
        }
        return found;
    }

    /** A fresh, incomplete entry; the table must not be full. */
    Neighbor add(long high, long low, long nowNs) {
        assert !isFull() : "no room";
        Neighbor neighbor = new Neighbor(high, low, NeighborState.INCOMPLETE);
        neighbor.lastUsedNs = nowNs;
        int bucket = bucket(high, low);
        neighbor.nextInBucket = buckets[bucket];
        buckets[bucket] = neighbor;
        all[count++] = neighbor;
        return neighbor;
    }

    /** Who gives way to another: first those that were never sent to, then those that do not answer, the longest unused of each. */
    Neighbor leastValuable(long nowNs) {
        Neighbor victim = all[0];
        for (int i = 1; i < count; i++) {
            Neighbor each = all[i];
            int difference = value(each, nowNs) - value(victim, nowNs);
            if (difference < 0 || (difference == 0 && each.lastUsedNs < victim.lastUsedNs)) {
                victim = each;
            }
        }
        return victim;
    }

    private static int value(Neighbor neighbor, long nowNs) {
        if (neighbor.pinned) {
            return 4;
        }
        if (neighbor.passive) {
            return 0;
        }
        return switch (neighbor.state) {
            case INCOMPLETE -> 1;
            case REACHABLE -> neighbor.isReachable(nowNs) ? 3 : 2;
            default -> 2;
        };
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
        for (int i = 0; i < count; i++) {
            if (all[i] == neighbor) {
                all[i] = all[--count];
                return;
            }
        }
        throw new AssertionError("not in the table");
    }
}
