package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One core's flows by 4-tuple. The hash is keyed (SipHash-1-3), so a peer cannot choose tuples that collide. Its upper bits choose a {@link
 * FlowPartition}, each of which grows for itself: peers decide how many flows there are, and so when a table grows, and moving a million
 * of them at once would be a pause of many milliseconds in the middle of somebody's SYN. The largest step is {@code limit / 1024} flows, a
 * few microseconds. Refuses flows beyond {@code limit}. One thread.
 */
final class FlowTable {
    private static final int PARTITION_BITS = 10;
    private static final int INITIAL_SLOTS = 8;

    private final long key0;
    private final long key1;
    private final int limit;
    private final int initialSlots;
    private final int shift;
    private final FlowPartition[] partitions;
    /** A bit for each partition that has flows, so that {@link #forEach} walks only those: a thousand others are mostly cache misses. */
    private final long[] occupied;

    private int size;

    /**
     * @param limit flows at most
     * @param random source of the key
     */
    FlowTable(int limit, RandomGenerator random) {
        this(limit, PARTITION_BITS, INITIAL_SLOTS, random);
    }

    /** @param partitionBits binary logarithm of the number of partitions, at least 1 */
    FlowTable(int limit, int partitionBits, int initialSlots, RandomGenerator random) {
        assert limit > 0 && limit <= 1 << 29 && partitionBits >= 1 : "sizes";
        this.limit = limit;
        this.key0 = random.nextLong();
        this.key1 = random.nextLong();
        this.initialSlots = initialSlots;
        this.shift = Integer.SIZE - partitionBits;
        this.partitions = new FlowPartition[1 << partitionBits];
        for (int i = 0; i < partitions.length; i++) {
            partitions[i] = new FlowPartition(initialSlots);
        }
        this.occupied = new long[(partitions.length + Long.SIZE - 1) / Long.SIZE];
    }

    @Nullable
    Flow lookup(long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
        int hash = hash(localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort);
        return partition(hash).lookup(hash, localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort);
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
        int hash = hash(flow);
        if (!partition(hash).insert(hash, flow)) {
            return false;
        }
        int partition = hash >>> shift;
        occupied[partition >>> 6] |= 1L << partition;
        size++;
        return true;
    }

    /** Puts {@code flow} in the place of {@code old}, which has the same tuple and must be in the table. */
    void replace(Flow old, Flow flow) {
        assert old.sameTuple(flow) : "another tuple";
        int hash = hash(old);
        partition(hash).replace(hash, old, flow);
    }

    /** Removes exactly this flow; false when it is not in the table. */
    boolean remove(Flow flow) {
        int hash = hash(flow);
        if (!partition(hash).remove(hash, flow)) {
            return false;
        }
        if (partition(hash).size() == 0) {
            int partition = hash >>> shift;
            occupied[partition >>> 6] &= ~(1L << partition);
        }
        size--;
        return true;
    }

    int size() {
        return size;
    }

    int limit() {
        return limit;
    }

    /** Slots of the largest partition, which is what growing once costs. */
    int largestStep() {
        int most = initialSlots;
        for (FlowPartition partition : partitions) {
            most = Math.max(most, partition.slots());
        }
        return most;
    }

    /** Calls {@code action} for each flow; it may not change the table. For tools, who do so after each step of a simulation. */
    void forEach(Consumer<? super Flow> action) {
        for (int word = 0; word < occupied.length; word++) {
            for (long left = occupied[word]; left != 0; left &= left - 1) {
                partitions[(word << 6) + Long.numberOfTrailingZeros(left)].forEach(action);
            }
        }
    }

    private FlowPartition partition(int hash) {
        return partitions[hash >>> shift];
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
