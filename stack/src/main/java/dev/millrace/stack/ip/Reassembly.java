package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.FragmentHeader;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Puts fragments together (RFC 791 §3.2, 1122 §3.3.2, 8200 §4.5) within a small budget: {@value #MAX_DATAGRAMS} packets at a time, of
 * which one source has {@value #MAX_PER_SOURCE} at most. Overlapping fragments void their packet and all that still comes of it
 * (RFC 5722; for IPv4 by the same reasoning). Memory is taken when the first fragment comes. Core thread only.
 */
final class Reassembly {
    /** Stands for the protocol in IPv6's keys, and so keeps the families apart. */
    static final int V6 = -1;

    private static final int MAX_DATAGRAMS = 16;
    private static final int MAX_PER_SOURCE = 4;

    /** Linux' time for IPv4, RFC 8200's for IPv6. */
    private static final long TIMEOUT_V4_NS = 30_000_000_000L;

    private static final long TIMEOUT_V6_NS = 60_000_000_000L;

    /** Told when a packet is given up because its fragments did not come in time. */
    interface TimeoutListener {
        /** {@code packet} has its first fragment. */
        void onReassemblyTimeout(Datagram packet, long nowNs);
    }

    private final Counters counters;
    private final TimeoutListener timeouts;
    private final @Nullable Datagram[] datagrams = new @Nullable Datagram[MAX_DATAGRAMS];
    private @Nullable Arena arena;
    private long nextDeadlineNs = Long.MAX_VALUE;

    Reassembly(TimeoutListener timeouts, Counters counters) {
        this.timeouts = timeouts;
        this.counters = counters;
    }

    /** Takes a fragment whose header has been checked. Returns the whole packet when this was the last piece; release it then. */
    @Nullable
    Datagram addV4(long packet, long nowNs) {
        int headerBytes = Ipv4Header.headerBytes(packet);
        int length = Ipv4Header.totalLength(packet) - headerBytes;
        boolean last = !Ipv4Header.moreFragments(packet);
        if (length == 0 || (!last && length % 8 != 0)) {
            counters.increment(Counter.DROP_FRAGMENT_MALFORMED);
            return null;
        }
        Datagram datagram = obtain(
                0,
                Ipv4Header.source(packet),
                0,
                Ipv4Header.destination(packet),
                Ipv4Header.identification(packet),
                Ipv4Header.protocol(packet),
                nowNs,
                TIMEOUT_V4_NS);
        int offset = Ipv4Header.fragmentOffset(packet);
        if (offset == 0) {
            firstHeader(datagram, packet, headerBytes);
        }
        int ecn = Ipv4Header.trafficClass(packet) & 3;
        return add(datagram, packet + headerBytes, offset, length, last, ecn, true);
    }

    /** As for IPv4; {@code fragment} is the address of the fragment header. A middle piece's length has been checked. */
    @Nullable
    Datagram addV6(long packet, long fragment, int fragmentBytes, long nowNs) {
        int length = fragmentBytes - FragmentHeader.BYTES;
        if (length == 0) {
            counters.increment(Counter.DROP_FRAGMENT_MALFORMED);
            return null;
        }
        Datagram datagram = obtain(
                Ipv6Header.sourceHigh(packet),
                Ipv6Header.sourceLow(packet),
                Ipv6Header.destinationHigh(packet),
                Ipv6Header.destinationLow(packet),
                FragmentHeader.identification(fragment),
                V6,
                nowNs,
                TIMEOUT_V6_NS);
        int offset = FragmentHeader.offset(fragment);
        if (offset == 0) {
            firstHeader(datagram, packet, Ipv6Header.BYTES);
            datagram.nextHeader = FragmentHeader.nextHeader(fragment);
        }
        boolean last = !FragmentHeader.moreFragments(fragment);
        int ecn = Ipv6Header.trafficClass(packet) & 3;
        return add(datagram, fragment + FragmentHeader.BYTES, offset, length, last, ecn, false);
    }

    private static void firstHeader(Datagram datagram, long packet, int bytes) {
        if (!datagram.hasFirstFragment() && !datagram.poisoned) {
            datagram.header(packet, bytes);
        }
    }

    private @Nullable Datagram add(
            Datagram datagram, long address, int offset, int length, boolean last, int ecn, boolean v4) {
        if (datagram.poisoned) {
            counters.increment(Counter.DROP_FRAGMENT_OVERLAP);
            return null;
        }
        switch (datagram.add(address, offset, length, last, ecn)) {
            case INCOMPLETE -> {
                return null;
            }
            case COMPLETE -> {
                if (datagram.finish(v4)) {
                    counters.increment(Counter.PACKETS_REASSEMBLED);
                    return datagram;
                }
                counters.add(Counter.DROP_FRAGMENT_MALFORMED, datagram.pieces);
                release(datagram);
                return null;
            }
            case DUPLICATE -> {
                counters.increment(Counter.DROP_FRAGMENT_DUPLICATE);
                return null;
            }
            case OVERLAP -> poison(datagram, Counter.DROP_FRAGMENT_OVERLAP);
            case TOO_MANY -> poison(datagram, Counter.DROP_FRAGMENT_BUDGET);
        }
        return null;
    }

    private void poison(Datagram datagram, Counter reason) {
        counters.add(reason, datagram.pieces + 1);
        datagram.poisoned = true;
        datagram.pieces = 0;
    }

    /** Frees a packet that {@link #addV4} or {@link #addV6} returned. */
    void release(Datagram datagram) {
        datagram.inUse = false;
    }

    // ---- the table ----

    private Datagram obtain(
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow,
            int identification,
            int protocol,
            long nowNs,
            long timeoutNs) {
        Datagram free = null;
        Datagram oldest = null;
        Datagram oldestOfSource = null;
        int ofSource = 0;
        int empty = -1;
        for (int i = 0; i < MAX_DATAGRAMS; i++) {
            Datagram each = datagrams[i];
            if (each == null) {
                empty = i;
                continue;
            }
            if (!each.inUse) {
                free = each;
                continue;
            }
            if (each.sourceLow == sourceLow && each.sourceHigh == sourceHigh) {
                if (each.identification == identification
                        && each.destinationLow == destinationLow
                        && each.destinationHigh == destinationHigh
                        && each.protocol == protocol) {
                    return each;
                }
                ofSource++;
                oldestOfSource = older(oldestOfSource, each);
            }
            oldest = older(oldest, each);
        }
        Datagram chosen = free;
        if (ofSource >= MAX_PER_SOURCE && oldestOfSource != null) {
            chosen = oldestOfSource;
            counters.add(Counter.DROP_FRAGMENT_BUDGET, chosen.pieces);
        } else if (free == null && empty >= 0) {
            chosen = new Datagram(memory());
            datagrams[empty] = chosen;
        } else if (free == null) {
            assert oldest != null : "neither free nor in use";
            chosen = oldest;
            counters.add(Counter.DROP_FRAGMENT_BUDGET, chosen.pieces);
        }
        assert chosen != null : "nothing chosen";
        chosen.sourceHigh = sourceHigh;
        chosen.sourceLow = sourceLow;
        chosen.destinationHigh = destinationHigh;
        chosen.destinationLow = destinationLow;
        chosen.identification = identification;
        chosen.protocol = protocol;
        chosen.reset(nowNs + timeoutNs);
        nextDeadlineNs = Math.min(nextDeadlineNs, chosen.deadlineNs);
        return chosen;
    }

    private static Datagram older(@Nullable Datagram a, Datagram b) {
        return a == null || b.deadlineNs < a.deadlineNs ? b : a;
    }

    private long memory() {
        Arena memory = arena;
        if (memory == null) {
            memory = Arena.ofShared();
            arena = memory;
        }
        return memory.allocate(Datagram.BUFFER_BYTES, 8).address();
    }

    // ---- timers ----

    long nextDeadlineNs() {
        return nextDeadlineNs;
    }

    void onTimers(long nowNs) {
        if (nowNs < nextDeadlineNs) {
            return;
        }
        nextDeadlineNs = Long.MAX_VALUE;
        for (int i = 0; i < MAX_DATAGRAMS; i++) {
            Datagram each = datagrams[i];
            if (each == null || !each.inUse) {
                continue;
            }
            if (each.deadlineNs > nowNs) {
                nextDeadlineNs = Math.min(nextDeadlineNs, each.deadlineNs);
                continue;
            }
            counters.add(Counter.DROP_FRAGMENT_TIMEOUT, each.pieces);
            if (each.hasFirstFragment() && !each.poisoned) {
                timeouts.onReassemblyTimeout(each, nowNs);
            }
            release(each);
        }
    }

    /** Gives all memory back. */
    void close() {
        Arena memory = arena;
        if (memory != null) {
            arena = null;
            Arrays.fill(datagrams, null);
            memory.close();
        }
    }
}
