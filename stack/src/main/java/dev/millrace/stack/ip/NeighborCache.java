package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.EthernetHeader;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The neighbours of one link: what is learned about them, and neighbour unreachability detection (RFC 4861 §7.2, 7.3), for both
 * families. Entries are kept in a {@link NeighborTable}, packets that wait for an answer in {@link WaitingPackets}. Core thread only.
 */
final class NeighborCache {
    // RFC 4861 §10
    private static final int MAX_MULTICAST_SOLICIT = 3;
    private static final int MAX_UNICAST_SOLICIT = 3;
    private static final long DELAY_FIRST_PROBE_NS = 5_000_000_000L;
    private static final long BASE_REACHABLE_NS = 30_000_000_000L;
    private static final long RETRANS_NS = 1_000_000_000L;

    /** An entry that nothing was sent to for so long is forgotten. */
    private static final long IDLE_NS = 600_000_000_000L;

    /** Told about packets that nobody will ever ask for. */
    interface FailureListener {
        /** A packet that waited for a neighbour which does not answer; its window begins with the IP header. */
        void onUnresolved(Packet packet, long nowNs);
    }

    private final Counters counters;
    private final NeighborSolicitor arp;
    private final NeighborSolicitor discovery;
    private final FailureListener failures;
    private final NeighborTable table;
    private final WaitingPackets waiting;
    /** For each entry one timer: that of its state, or else the one that asks whether it is idle. Gateways have only the former. */
    private final TimerWheel wheel = new TimerWheel();

    private final long secret;
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
        this.arp = arp;
        this.discovery = discovery;
        this.failures = failures;
        this.counters = counters;
        this.secret = random.nextLong() | 1;
        this.table = new NeighborTable(secret);
        this.waiting = new WaitingPackets(link, counters);
    }

    // ---- sending ----

    /** The entry for a next hop, made INCOMPLETE when there is none. Nothing is asked before a packet is sent. */
    Neighbor obtain(long high, long low, long nowNs) {
        Neighbor neighbor = find(high, low);
        if (neighbor == null) {
            neighbor = add(high, low, nowNs);
        }
        table.active(neighbor);
        return neighbor;
    }

    /** As obtain, and never evicts it. */
    void pin(long high, long low, long nowNs) {
        Neighbor neighbor = obtain(high, low, nowNs);
        neighbor.pinned = true;
        table.touch(neighbor);
        if (rests(neighbor)) {
            wheel.cancel(neighbor.timerId);
        }
    }

    /**
     * Called before a packet goes to a neighbour that {@link Neighbor#isReachable} does not approve. The packet's window begins with
     * the IP header.
     *
     * @return true when it may be sent to {@link Neighbor#mac} now; false when the cache has taken it
     */
    boolean admit(Neighbor neighbor, Packet packet, long nowNs) {
        neighbor.lastUsedNs = nowNs;
        table.touch(neighbor);
        return switch (neighbor.state) {
            case REACHABLE, STALE -> { // reachable time is over: doubt begins with the next packet (RFC 4861 §7.3.3)
                neighbor.state = NeighborState.DELAY;
                arm(neighbor, nowNs + DELAY_FIRST_PROBE_NS);
                yield true;
            }
            case DELAY, PROBE -> true;
            case INCOMPLETE -> {
                waiting.add(neighbor, packet);
                if (rests(neighbor)) {
                    solicit(neighbor, nowNs);
                }
                yield false;
            }
            case REMOVED -> throw new AssertionError("a removed neighbour is looked up again first");
        };
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
            if (table.isExhausted(mac)) {
                return;
            }
            neighbor = add(high, low, nowNs);
            table.passive(neighbor, mac);
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
                stale(neighbor, nowNs);
            }
            return;
        }
        if (differs) {
            neighbor.mac = mac;
        }
        if (solicited) {
            reachable(neighbor, nowNs);
        } else if (differs) {
            stale(neighbor, nowNs);
        }
    }

    private void resolved(Neighbor neighbor, long mac, boolean reachable, long nowNs) {
        assert EthernetHeader.isStation(mac) : "not a station's address";
        boolean wasIncomplete = neighbor.state == NeighborState.INCOMPLETE;
        neighbor.mac = mac;
        if (reachable) {
            reachable(neighbor, nowNs);
        } else {
            stale(neighbor, nowNs);
        }
        if (wasIncomplete) {
            table.touch(neighbor);
            counters.increment(Counter.NEIGHBORS_RESOLVED);
            sendWaiting(neighbor, nowNs);
        }
    }

    private void sendWaiting(Neighbor neighbor, long nowNs) {
        for (Packet packet = waiting.poll(neighbor); packet != null; packet = waiting.poll(neighbor)) {
            if (neighbor.isReachable(nowNs) || admit(neighbor, packet, nowNs)) {
                waiting.send(packet, neighbor);
            }
        }
    }

    private void reachable(Neighbor neighbor, long nowNs) {
        rest(neighbor, NeighborState.REACHABLE, nowNs);
        neighbor.reachableUntilNs = nowNs + baseReachableNs / 2 + jitter(nowNs);
    }

    /** Between 0 and the base reachable time (RFC 4861 §6.3.2), from the clock's low bits: cheap enough for each confirmation. */
    private long jitter(long nowNs) {
        return ((nowNs * secret) >>> 40) * (baseReachableNs >>> 24);
    }

    private void stale(Neighbor neighbor, long nowNs) {
        rest(neighbor, NeighborState.STALE, nowNs);
    }

    /** A state without a timer; an entry that rests already keeps its idle timer, so that a confirmation costs nothing more. */
    private void rest(Neighbor neighbor, NeighborState state, long nowNs) {
        boolean rested = rests(neighbor);
        neighbor.state = state;
        neighbor.solicitationsSent = 0;
        if (!rested) {
            awaitIdleness(neighbor, nowNs + IDLE_NS);
        }
    }

    /** No timer of its state runs. */
    private static boolean rests(Neighbor neighbor) {
        return switch (neighbor.state) {
            case REACHABLE, STALE, REMOVED -> true;
            case INCOMPLETE -> neighbor.solicitationsSent == 0;
            case DELAY, PROBE -> false;
        };
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
        wheel.cancel(neighbor.timerId);
        neighbor.timerId = wheel.schedule(neighbor.timer, deadlineNs);
        nextDeadlineNs = Math.min(nextDeadlineNs, deadlineNs);
    }

    void onTimers(long nowNs) {
        if (nowNs < nextDeadlineNs) {
            return;
        }
        wheel.poll(nowNs);
        nextDeadlineNs = wheel.nextDeadlineNs();
    }

    private void onTimer(Neighbor neighbor, long nowNs) {
        switch (neighbor.state) {
            case REACHABLE, STALE -> onIdleTimer(neighbor, nowNs);
            case INCOMPLETE -> {
                if (neighbor.solicitationsSent == 0) {
                    onIdleTimer(neighbor, nowNs);
                } else if (neighbor.solicitationsSent < MAX_MULTICAST_SOLICIT) {
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
            case REMOVED -> throw new AssertionError("a removed neighbour's timer runs");
        }
    }

    private void onIdleTimer(Neighbor neighbor, long nowNs) {
        long sinceNs =
                neighbor.state == NeighborState.REACHABLE // confirmed by TCP, packets go without asking this cache
                        ? Math.max(neighbor.lastUsedNs, neighbor.reachableUntilNs)
                        : neighbor.lastUsedNs;
        if (nowNs - sinceNs >= IDLE_NS) {
            remove(neighbor, nowNs);
        } else {
            awaitIdleness(neighbor, sinceNs + IDLE_NS);
        }
    }

    private void awaitIdleness(Neighbor neighbor, long deadlineNs) {
        if (neighbor.pinned) {
            wheel.cancel(neighbor.timerId);
        } else {
            arm(neighbor, deadlineNs);
        }
    }

    // ---- entries ----

    int size() {
        return table.size();
    }

    @Nullable
    Neighbor find(long high, long low) {
        return table.find(high, low);
    }

    private Neighbor add(long high, long low, long nowNs) {
        if (table.isFull()) {
            remove(table.leastValuable(nowNs), nowNs);
            counters.increment(Counter.NEIGHBORS_EVICTED);
        }
        Neighbor neighbor = table.add(high, low, nowNs);
        neighbor.timer = timeNs -> onTimer(neighbor, timeNs);
        awaitIdleness(neighbor, nowNs + IDLE_NS);
        return neighbor;
    }

    private void remove(Neighbor neighbor, long nowNs) {
        if (neighbor.pinned) { // stays, to be asked again with the next packet
            neighbor.state = NeighborState.INCOMPLETE;
            neighbor.solicitationsSent = 0;
        } else {
            table.remove(neighbor);
            neighbor.state = NeighborState.REMOVED;
        }
        wheel.cancel(neighbor.timerId);
        int packets = neighbor.waitingCount; // whoever hears of a failure may send again
        for (int i = 0; i < packets; i++) {
            Packet packet = waiting.poll(neighbor);
            if (packet != null) {
                counters.increment(Counter.DROP_NEIGHBOR_UNRESOLVED);
                failures.onUnresolved(packet, nowNs);
                waiting.release(packet);
            }
        }
    }

    /** Gives waiting packets back. */
    void close() {
        for (int i = 0; i < table.size(); i++) {
            Neighbor neighbor = table.get(i);
            for (Packet packet = waiting.poll(neighbor); packet != null; packet = waiting.poll(neighbor)) {
                waiting.release(packet);
            }
        }
    }
}
