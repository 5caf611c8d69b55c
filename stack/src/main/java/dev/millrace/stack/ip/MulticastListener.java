package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Tells switches and routers which IPv6 groups this host listens to: the solicited-node group of each own address (RFC 3810; RFC 4862
 * §5.4.2 wants it said before duplicate detection asks). Answers every query with a full report after a random delay. Core thread only.
 */
final class MulticastListener {
    /** RFC 3810 §9.1, 9.11. */
    private static final int ROBUSTNESS = 2;

    private static final long UNSOLICITED_INTERVAL_NS = 1_100_000_000L;
    private static final long NS_PER_MS = 1_000_000L;
    /** Longest delay that is honoured: an hour of silence would lose the group. */
    private static final int MAX_RESPONSE_MS = 10_000;

    private static final int QUERY_BYTES = 24;

    private final OwnAddresses own;
    private final DiscoveryOutput output;
    private final boolean answering;
    private final Counters counters;
    private final RandomGenerator random;
    private final List<Long> groups = new ArrayList<>();
    private int changesReported;
    private long nextDeadlineNs = Long.MAX_VALUE;

    MulticastListener(
            OwnAddresses own, DiscoveryOutput output, boolean answering, Counters counters, RandomGenerator random) {
        this.own = own;
        this.output = output;
        this.answering = answering;
        this.counters = counters;
        this.random = random;
        for (OwnAddress each : own.all()) {
            long group = NeighborMessage.solicitedNodeLow(each.address.low());
            if (!each.address.isV4() && !groups.contains(group)) {
                groups.add(group);
            }
        }
    }

    /** A query (RFC 3810 §5.1), from a router on the link: general or about a group, version 1 or 2. */
    void onQuery(long ip, long message, int length, long nowNs) {
        boolean linkLocal = Ipv6Header.sourceHigh(ip) >>> 54 == 0x3fa;
        if (length < QUERY_BYTES || Ipv6Header.hopLimit(ip) != 1 || !linkLocal) {
            counters.increment(Counter.DROP_ND_INVALID);
            return;
        }
        if (!answering || groups.isEmpty()) {
            counters.increment(Counter.DROP_ND_NOT_FOR_US);
            return;
        }
        int maxResponseMs = Math.min(MAX_RESPONSE_MS, Icmpv6Message.rest(message) >>> 16);
        long answerNs = nowNs + random.nextLong(maxResponseMs * NS_PER_MS + 1);
        nextDeadlineNs = Math.min(nextDeadlineNs, answerNs);
    }

    void start(long nowNs) {
        if (answering && !groups.isEmpty()) {
            nextDeadlineNs = nowNs;
        }
    }

    long nextDeadlineNs() {
        return nextDeadlineNs;
    }

    void onTimers(long nowNs) {
        if (nowNs < nextDeadlineNs) {
            return;
        }
        boolean change = changesReported < ROBUSTNESS;
        IpAddress source = source();
        for (int from = 0; from < groups.size(); from += DiscoveryOutput.MAX_RECORDS) {
            int to = Math.min(groups.size(), from + DiscoveryOutput.MAX_RECORDS);
            output.listenerReport(source, groups, from, to, change);
        }
        changesReported += change ? 1 : 0;
        nextDeadlineNs = changesReported < ROBUSTNESS ? nowNs + UNSOLICITED_INTERVAL_NS : Long.MAX_VALUE;
    }

    /** The link-local address once it is sure, else the unspecified one (RFC 3590 §4). */
    private IpAddress source() {
        for (OwnAddress each : own.all()) {
            boolean linkLocal = !each.address.isV4() && each.address.isLinkLocal();
            if (linkLocal && each.state == OwnAddress.State.PREFERRED) {
                return each.address;
            }
        }
        return IpAddress.ANY6;
    }
}
