package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.EthernetHeader;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The neighbours of one link and neighbour unreachability detection (RFC 4861 §7.2, 7.3), for both families. Core thread only.
 *
 * <p>Bounded against floods: at most {@value #MAX_NEIGHBORS} entries, at most {@value #MAX_PASSIVE_PER_MAC} learned from one
 * hardware address that were never sent to, at most {@value #MAX_WAITING} packets waiting in all. Buckets are chosen with a secret.
 */
final class NeighborCache {
    static final int MAX_NEIGHBORS = 1024;
    static final int MAX_PASSIVE_PER_MAC = 8;
    static final int MAX_WAITING = 256;
    private static final int BUCKETS = 512;

    // RFC 4861 §10
    private static final int MAX_MULTICAST_SOLICIT = 3;
    private static final int MAX_UNICAST_SOLICIT = 3;
    private static final long DELAY_FIRST_PROBE_NS = 5_000_000_000L;
    private static final long BASE_REACHABLE_NS = 30_000_000_000L;
    private static final long RETRANS_NS = 1_000_000_000L;

    /** An entry that nothing was sent to for so long is forgotten. */
    private static final long IDLE_NS = 600_000_000_000L;

    /** Deadlines are served this late at most, so that many of them share one walk over the entries. */
    private static final long TIMER_GRANULARITY_NS = 20_000_000L;

    /** Told about packets that nobody will ever ask for. */
    interface FailureListener {
        /** A packet that waited for a neighbour which does not answer; its window begins with the IP header. */
        void onUnresolved(Packet packet, long nowNs);
    }

    private final NetworkInterface link;
    private final Counters counters;
    private final NeighborSolicitor arp;
    private final NeighborSolicitor discovery;
    private final FailureListener failures;
    private final long secret;

    private final @Nullable Neighbor[] buckets = new @Nullable Neighbor[BUCKETS];
    private final Neighbor[] all = new Neighbor[MAX_NEIGHBORS];
    private int count;
    private int waiting;
    private long baseReachableNs = BASE_REACHABLE_NS;
    private long retransNs = RETRANS_NS;
    private long nextDeadlineNs = Long.MAX_VALUE;

    NeighborCache(
            NetworkInterface link,
            NeighborSolicitor arp,
            NeighborSolicitor discovery,
            FailureListener failures,
            Counters counters,
            RandomGenerator random) {
        this.link = link;
        this.arp = arp;
        this.discovery = discovery;
        this.failures = failures;
        this.counters = counters;
        this.secret = random.nextLong() | 1;
    }

    // ---- sending ----

    /** The entry for a next hop, made INCOMPLETE when there is none. Nothing is asked before a packet is sent. */
    Neighbor obtain(long high, long low, long nowNs) {
        Neighbor neighbor = find(high, low);
        if (neighbor == null) {
            neighbor = add(high, low, nowNs);
        }
        neighbor.passive = false;
        return neighbor;
    }

    /** As obtain, and never evicts it. */
    void pin(long high, long low, long nowNs) {
        obtain(high, low, nowNs).pinned = true;
    }

    /**
     * Called before a packet goes to a neighbour that {@link Neighbor#isReachable} does not approve. The packet's window begins with
     * the IP header.
     *
     * @return true when it may be sent to {@link Neighbor#mac} now; false when the cache has taken it
     */
    boolean admit(Neighbor neighbor, Packet packet, long nowNs) {
        neighbor.lastUsedNs = nowNs;
        return switch (neighbor.state) {
            case REACHABLE, STALE -> { // reachable time is over: doubt begins with the next packet (RFC 4861 §7.3.3)
                neighbor.state = NeighborState.DELAY;
                arm(neighbor, nowNs + DELAY_FIRST_PROBE_NS);
                yield true;
            }
            case DELAY, PROBE -> true;
            case INCOMPLETE -> {
                await(neighbor, packet);
                if (neighbor.deadlineNs == Long.MAX_VALUE) {
                    solicit(neighbor, nowNs);
                }
                yield false;
            }
            case REMOVED -> throw new AssertionError("a removed neighbour is looked up again first");
        };
    }

    private void await(Neighbor neighbor, Packet packet) {
        @Nullable Packet[] queue = neighbor.waiting;
        if (queue == null) {
            queue = new @Nullable Packet[Neighbor.MAX_WAITING];
            neighbor.waiting = queue;
        }
        if (neighbor.waitingCount == Neighbor.MAX_WAITING || (waiting >= MAX_WAITING && neighbor.waitingCount > 0)) {
            discard(queue[0]);
            System.arraycopy(queue, 1, queue, 0, neighbor.waitingCount - 1);
            neighbor.waitingCount--;
            waiting--;
        } else if (waiting >= MAX_WAITING) {
            discard(packet);
            return;
        }
        queue[neighbor.waitingCount++] = packet;
        waiting++;
    }

    private void discard(@Nullable Packet packet) {
        assert packet != null : "a hole in the queue";
        counters.increment(Counter.DROP_NEIGHBOR_QUEUE_FULL);
        link.release(packet);
    }

    private void solicit(Neighbor neighbor, long nowNs) {
        neighbor.solicitationsSent++;
        NeighborSolicitor solicitor = neighbor.isV4() ? arp : discovery;
        solicitor.solicit(neighbor, neighbor.state == NeighborState.PROBE, nowNs);
        arm(neighbor, nowNs + retransNs);
    }

    /** Forward progress that TCP has seen (RFC 4861 §7.3.1). */
    void confirm(Neighbor neighbor, long nowNs) {
        if (neighbor.hasMac()) {
            reachable(neighbor, nowNs);
        }
    }

    // ---- learning ----

    /** A neighbour has asked something and told its hardware address: RFC 826, 4861 §7.2.3. Creates an entry within bounds. */
    void onSolicitation(long high, long low, long mac, long nowNs) {
        Neighbor neighbor = find(high, low);
        if (neighbor == null) {
            if (passiveEntries(mac) >= MAX_PASSIVE_PER_MAC) {
                return;
            }
            neighbor = add(high, low, nowNs);
            neighbor.passive = true;
        }
        if (neighbor.state == NeighborState.INCOMPLETE || neighbor.mac != mac) {
            resolved(neighbor, mac, false, nowNs);
        }
    }

    /**
     * A neighbour tells its hardware address (RFC 4861 §7.2.5; an ARP reply is an overriding advertisement). Entries are only changed,
     * never created.
     *
     * @param mac 0 when the message carries none
     * @param solicited it answers a question of ours
     */
    void onAdvertisement(long high, long low, long mac, boolean solicited, boolean override, long nowNs) {
        Neighbor neighbor = find(high, low);
        if (neighbor == null) {
            return;
        }
        if (neighbor.state == NeighborState.INCOMPLETE) {
            if (mac != 0) {
                resolved(neighbor, mac, solicited, nowNs);
            }
            return;
        }
        boolean differs = mac != 0 && mac != neighbor.mac;
        if (differs && !override) {
            if (neighbor.state == NeighborState.REACHABLE) {
                stale(neighbor);
            }
            return;
        }
        if (differs) {
            neighbor.mac = mac;
        }
        if (solicited) {
            reachable(neighbor, nowNs);
        } else if (differs) {
            stale(neighbor);
        }
    }

    private void resolved(Neighbor neighbor, long mac, boolean reachable, long nowNs) {
        assert EthernetHeader.isStation(mac) : "not a station's address";
        boolean wasIncomplete = neighbor.state == NeighborState.INCOMPLETE;
        neighbor.mac = mac;
        if (reachable) {
            reachable(neighbor, nowNs);
        } else {
            stale(neighbor);
        }
        if (wasIncomplete) {
            counters.increment(Counter.NEIGHBORS_RESOLVED);
            sendWaiting(neighbor, nowNs);
        }
    }

    private void sendWaiting(Neighbor neighbor, long nowNs) {
        @Nullable Packet[] queue = neighbor.waiting;
        if (queue == null) {
            return;
        }
        for (int i = 0; i < neighbor.waitingCount; i++) {
            Packet packet = queue[i];
            assert packet != null : "a hole in the queue";
            queue[i] = null;
            if (neighbor.isReachable(nowNs) || admit(neighbor, packet, nowNs)) {
                IpOutput.writeEthernet(packet, neighbor.mac, link, neighbor.isV4());
                link.enqueue(packet, Kind.CONTROL);
            }
        }
        waiting -= neighbor.waitingCount;
        neighbor.waitingCount = 0;
        neighbor.waiting = null;
    }

    private void reachable(Neighbor neighbor, long nowNs) {
        neighbor.state = NeighborState.REACHABLE;
        neighbor.reachableUntilNs = nowNs + baseReachableNs / 2 + jitter(nowNs);
        neighbor.deadlineNs = Long.MAX_VALUE;
        neighbor.solicitationsSent = 0;
    }

    /** Between 0 and the base reachable time (RFC 4861 §6.3.2), from the clock's low bits: cheap enough for each confirmation. */
    private long jitter(long nowNs) {
        return ((nowNs * secret) >>> 40) * (baseReachableNs >>> 24);
    }

    private static void stale(Neighbor neighbor) {
        neighbor.state = NeighborState.STALE;
        neighbor.deadlineNs = Long.MAX_VALUE;
        neighbor.solicitationsSent = 0;
    }

    /** What the configured gateway's advertisement says, in nanoseconds; 0 leaves the value alone (RFC 4861 §6.3.4). */
    void timing(long reachableNs, long retransmitNs) {
        if (reachableNs > 0) {
            baseReachableNs = reachableNs;
        }
        if (retransmitNs > 0) {
            retransNs = retransmitNs;
        }
    }

    // ---- timers ----

    long nextDeadlineNs() {
        return nextDeadlineNs;
    }

    private void arm(Neighbor neighbor, long deadlineNs) {
        neighbor.deadlineNs = deadlineNs;
        nextDeadlineNs = Math.min(nextDeadlineNs, deadlineNs + TIMER_GRANULARITY_NS);
    }

    void onTimers(long nowNs) {
        if (nowNs < nextDeadlineNs) {
            return;
        }
        nextDeadlineNs = Long.MAX_VALUE;
        for (int i = count - 1; i >= 0; i--) { // removal moves the last entry into the gap, which has been visited
            Neighbor neighbor = all[i];
            if (neighbor.deadlineNs <= nowNs) {
                onTimer(neighbor, nowNs);
            } else if (isIdle(neighbor, nowNs)) {
                remove(neighbor, nowNs);
            }
            if (neighbor.deadlineNs != Long.MAX_VALUE) {
                nextDeadlineNs = Math.min(nextDeadlineNs, neighbor.deadlineNs + TIMER_GRANULARITY_NS);
            }
        }
        if (count > 0) {
            nextDeadlineNs = Math.min(nextDeadlineNs, nowNs + IDLE_NS);
        }
    }

    private static boolean isIdle(Neighbor neighbor, long nowNs) {
        return !neighbor.pinned
                && !neighbor.isReachable(nowNs)
                && neighbor.deadlineNs == Long.MAX_VALUE
                && nowNs - neighbor.lastUsedNs >= IDLE_NS;
    }

    private void onTimer(Neighbor neighbor, long nowNs) {
        neighbor.deadlineNs = Long.MAX_VALUE;
        switch (neighbor.state) {
            case INCOMPLETE -> {
                if (neighbor.solicitationsSent < MAX_MULTICAST_SOLICIT) {
                    solicit(neighbor, nowNs);
                } else {
                    remove(neighbor, nowNs);
                }
            }
            case DELAY -> {
                neighbor.state = NeighborState.PROBE;
                neighbor.solicitationsSent = 0;
                solicit(neighbor, nowNs);
            }
            case PROBE -> {
                if (neighbor.solicitationsSent < MAX_UNICAST_SOLICIT) {
                    solicit(neighbor, nowNs);
                } else {
                    remove(neighbor, nowNs);
                }
            }
            default -> throw new AssertionError("no timer runs in " + neighbor.state);
        }
    }

    // ---- the table ----

    int size() {
        return count;
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

    private int passiveEntries(long mac) {
        int found = 0;
        for (int i = 0; i < count; i++) {
            found += all[i].passive && all[i].mac == mac ? 1 : 0;
        }
        return found;
    }

    private Neighbor add(long high, long low, long nowNs) {
        if (count == MAX_NEIGHBORS) {
            remove(leastValuable(nowNs), nowNs);
            counters.increment(Counter.NEIGHBORS_EVICTED);
        }
        Neighbor neighbor = new Neighbor(high, low, NeighborState.INCOMPLETE);
        neighbor.lastUsedNs = nowNs;
        int bucket = bucket(high, low);
        neighbor.nextInBucket = buckets[bucket];
        buckets[bucket] = neighbor;
        all[count++] = neighbor;
        nextDeadlineNs = Math.min(nextDeadlineNs, nowNs + IDLE_NS);
        return neighbor;
    }

    private Neighbor leastValuable(long nowNs) {
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

    private void remove(Neighbor neighbor, long nowNs) {
        if (neighbor.pinned) { // stays, to be asked again with the next packet
            neighbor.state = NeighborState.INCOMPLETE;
            neighbor.solicitationsSent = 0;
        } else {
            unlink(neighbor);
            neighbor.state = NeighborState.REMOVED;
        }
        neighbor.deadlineNs = Long.MAX_VALUE;
        @Nullable Packet[] queue = neighbor.waiting;
        int packets = neighbor.waitingCount;
        neighbor.waiting = null;
        neighbor.waitingCount = 0;
        waiting -= packets;
        for (int i = 0; queue != null && i < packets; i++) {
            Packet packet = queue[i];
            assert packet != null : "a hole in the queue";
            counters.increment(Counter.DROP_NEIGHBOR_UNRESOLVED);
            failures.onUnresolved(packet, nowNs);
            link.release(packet);
        }
    }

    private void unlink(Neighbor neighbor) {
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

    /** Gives waiting packets back. */
    void close() {
        for (int i = 0; i < count; i++) {
            @Nullable Packet[] queue = all[i].waiting;
            for (int k = 0; queue != null && k < all[i].waitingCount; k++) {
                Packet packet = queue[k];
                assert packet != null : "a hole in the queue";
                link.release(packet);
            }
            all[i].waiting = null;
            all[i].waitingCount = 0;
        }
        waiting = 0;
    }
}
