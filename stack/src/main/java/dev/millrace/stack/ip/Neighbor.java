package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.IpAddress;
import org.jspecify.annotations.Nullable;

/**
 * One neighbour: its address, hardware address and state, and the packets that wait for it. Changed by {@link NeighborCache}
 * alone; paths refer to it and read {@link #mac}. Core thread only.
 */
final class Neighbor {
    /** Packets that wait for one neighbour; beyond, the oldest gives way (RFC 4861 §7.2.2). */
    static final int MAX_WAITING = 32;

    static final int NOT_PASSIVE = -1;

    /** Stands for "not looked up yet". */
    static final Neighbor UNKNOWN = new Neighbor(0, 0, NeighborState.REMOVED);

    /** This host itself, behind an interface without hardware addresses. */
    static final Neighbor LOOPBACK = new Neighbor(0, 0, NeighborState.REACHABLE);

    static {
        LOOPBACK.reachableUntilNs = Long.MAX_VALUE;
    }

    final long high;
    final long low;
    long mac;
    NeighborState state;
    /** {@link NeighborTable}'s counter for entries learned from a neighbour's own message and never yet sent to: the first to go. */
    int passiveCounter = NOT_PASSIVE;
    /** Gateways are not evicted. */
    boolean pinned;

    long reachableUntilNs;
    long lastUsedNs;
    /** What {@link NeighborCache}'s wheel calls; set before its first use. */
    TimerWheel.Timer timer = _ -> {};

    long timerId = TimerWheel.NONE;

    int solicitationsSent;
    int waitingCount;

    @Nullable
    Packet @Nullable [] waiting;

    // NeighborTable's
    int index;

    @Nullable
    Neighbor nextInBucket;

    Neighbor older = this;
    Neighbor newer = this;

    Neighbor(long high, long low, NeighborState state) {
        this.high = high;
        this.low = low;
        this.state = state;
    }

    boolean isPassive() {
        return passiveCounter != NOT_PASSIVE;
    }

    boolean isV4() {
        return IpAddress.isV4(high, low);
    }

    /** True when a packet may go out with no further thought. */
    boolean isReachable(long nowNs) {
        return state == NeighborState.REACHABLE && nowNs < reachableUntilNs;
    }

    /** True when there is a hardware address to send to. */
    boolean hasMac() {
        return state != NeighborState.INCOMPLETE && state != NeighborState.REMOVED;
    }
}
