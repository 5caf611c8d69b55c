package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One core's flows by 4-tuple: an open-addressing hash table with linear probing and backward-shift deletion (Knuth, TAOCP 3, §6.4,
 * algorithm R), so that there are no tombstones to pile up. At most half full, which keeps probes short; the hash is keyed
 * (SipHash-1-3), so a peer cannot choose tuples that collide. Doubles until {@code limit} flows; beyond that {@link #insert} refuses.
 * Hashes stand in an array of their own: a probe touches a flow only when all 32 bits of its hash agree. One thread.
 */
final class FlowTable {
    private final long key0;
    private final long key1;
    private final int limit;

    private int[] hashes;
    private @Nullable Flow[] flows;
    private int mask;
    private int size;

    /**
     * @param limit flows at most
     * @param random source of the key
     */
    FlowTable(int limit, RandomGenerator random) {
        this(limit, 1024, random);
    }

    FlowTable(int limit, int initialSlots, RandomGenerator random) {
        assert Integer.bitCount(initialSlots) == 1 && limit > 0 && limit <= 1 << 29 : "sizes";
        this.limit = limit;
        this.key0 = random.nextLong();
        this.key1 = random.nextLong();
        this.hashes = new int[initialSlots];
        this.flows = new @Nullable Flow[initialSlots];
        this.mask = initialSlots - 1;
    }

    @Nullable
    Flow lookup(long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
        int hash = hash(localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort);
        @Nullable Flow[] table = flows;
        for (int slot = hash & mask; ; slot = slot + 1 & mask) {
            Flow flow = table[slot];
            if (flow == null) {
                return null;
            }
            if (hashes[slot] == hash
                    && flow.matches(localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort)) {
                return flow;
            }
        }
    }

    /**
     * Adds a flow.
     *
     * @return false when the table is at its limit or the tuple is taken; nothing has changed then
     */
    boolean insert(Flow flow) {
        if (size >= limit) {
            return false;
        }
        if (size >= flows.length / 2) {
            grow();
        }
        int hash = hash(flow);
        int slot = hash & mask;
        while (true) {
            Flow there = flows[slot];
            if (there == null) {
                break;
            }
            if (hashes[slot] == hash && there.sameTuple(flow)) {
                return false;
            }
            slot = slot + 1 & mask;
        }
        flows[slot] = flow;
        hashes[slot] = hash;
        size++;
        return true;
    }

    /** Puts {@code flow} in the place of {@code old}, which has the same tuple and must be in the table. */
    void replace(Flow old, Flow flow) {
        assert old.sameTuple(flow) : "another tuple";
        int slot = slotOf(old);
        assert slot >= 0 : "not in the table";
        flows[slot] = flow;
    }

    /** Removes exactly this flow; false when it is not in the table. */
    boolean remove(Flow flow) {
        int slot = slotOf(flow);
        if (slot < 0) {
            return false;
        }
        closeGap(slot);
        size--;
        return true;
    }

    int size() {
        return size;
    }

    int limit() {
        return limit;
    }

    /** Calls {@code action} for each flow; it may not change the table. For tools. */
    void forEach(Consumer<? super Flow> action) {
        for (Flow flow : flows) {
            if (flow != null) {
                action.accept(flow);
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // this very flow, not one with the same tuple
    private int slotOf(Flow flow) {
        int slot = hash(flow) & mask;
        while (true) {
            Flow there = flows[slot];
            if (there == null) {
                return -1;
            }
            if (there == flow) {
                return slot;
            }
            slot = slot + 1 & mask;
        }
    }

    /** Moves later members of the probe run back into the gap, unless their home slot lies behind it. */
    private void closeGap(int gap) {
        int hole = gap;
        int slot = gap;
        while (true) {
            slot = slot + 1 & mask;
            Flow flow = flows[slot];
            if (flow == null) {
                break;
            }
            int home = hashes[slot] & mask;
            // cyclic distances: it may move when the hole lies on its way from home to where it stands
            if ((slot - home & mask) >= (slot - hole & mask)) {
                flows[hole] = flow;
                hashes[hole] = hashes[slot];
                hole = slot;
            }
        }
        flows[hole] = null;
    }

    private void grow() {
        @Nullable Flow[] old = flows;
        int[] oldHashes = hashes;
        int slots = old.length * 2;
        @Nullable Flow[] wider = new @Nullable Flow[slots];
        int[] widerHashes = new int[slots];
        int newMask = slots - 1;
        for (int i = 0; i < old.length; i++) {
            Flow flow = old[i];
            if (flow != null) {
                int slot = oldHashes[i] & newMask;
                while (wider[slot] != null) {
                    slot = slot + 1 & newMask;
                }
                wider[slot] = flow;
                widerHashes[slot] = oldHashes[i];
            }
        }
        flows = wider;
        hashes = widerHashes;
        mask = newMask;
    }

    private int hash(Flow flow) {
        return hash(flow.localHigh, flow.localLow, flow.localPort, flow.remoteHigh, flow.remoteLow, flow.remotePort);
    }

    /** IPv4 tuples fit two words; the number of words is part of the hash, so they are no subset of the IPv6 ones. */
    private int hash(long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
        long ports = (long) localPort << 16 | remotePort;
        long hash = IpAddress.isV4(remoteHigh, remoteLow) && IpAddress.isV4(localHigh, localLow)
                ? SipHash.hash(key0, key1, 1, 3, 2, localLow << 32 | remoteLow & 0xffff_ffffL, ports, 0, 0, 0)
                : SipHash.hash(key0, key1, 1, 3, 5, localLow, remoteLow, ports, localHigh, remoteHigh);
        return (int) hash;
    }
}
