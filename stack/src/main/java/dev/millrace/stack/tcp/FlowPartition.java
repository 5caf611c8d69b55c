package dev.millrace.stack.tcp;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A part of the {@link FlowTable}: open addressing with linear probing and backward-shift deletion (Knuth, TAOCP 3, §6.4, algorithm R), so
 * that there are no tombstones to pile up. At most half full, which keeps probes short. Hashes stand in an array of their own: a probe
 * touches a flow only when all 32 bits of its hash agree. One thread.
 */
final class FlowPartition {
    private int[] hashes;
    private @Nullable Flow[] flows;
    private int mask;
    private int size;

    FlowPartition(int initialSlots) {
        assert Integer.bitCount(initialSlots) == 1 : "slots";
        this.hashes = new int[initialSlots];
        this.flows = new @Nullable Flow[initialSlots];
        this.mask = initialSlots - 1;
    }

    @Nullable
    Flow lookup(
            int hash, long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
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

    /** False when the tuple is taken. */
    boolean insert(int hash, Flow flow) {
        if (size >= flows.length / 2) {
            grow();
        }
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

    void replace(int hash, Flow old, Flow flow) {
        int slot = slotOf(hash, old);
        assert slot >= 0 : "not in the table";
        flows[slot] = flow;
    }

    boolean remove(int hash, Flow flow) {
        int slot = slotOf(hash, flow);
        if (slot < 0) {
            return false;
        }
        closeGap(slot);
        size--;
        return true;
    }

    int slots() {
        return flows.length;
    }

    int size() {
        return size;
    }

    void forEach(Consumer<? super Flow> action) {
        for (Flow flow : flows) {
            if (flow != null) {
                action.accept(flow);
            }
        }
    }

    @SuppressWarnings("ReferenceEquality") // this very flow, not one with the same tuple
    private int slotOf(int hash, Flow flow) {
        int slot = hash & mask;
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
}
