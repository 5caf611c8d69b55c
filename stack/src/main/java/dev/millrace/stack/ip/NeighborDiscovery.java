package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.NeighborMessage;
import org.jspecify.annotations.Nullable;

/**
 * Neighbour discovery for IPv6 as a host speaks it (RFC 4861 §7): solicitations and advertisements. What concerns own addresses goes
 * to {@link DuplicateAddressDetection}, routers to {@link RouterDiscovery}, groups to {@link MulticastListener}. Core thread only.
 */
final class NeighborDiscovery implements NeighborSolicitor {
    private static final int HOP_LIMIT = 255;

    private final OwnAddresses own;
    private final Routes routes;
    private final boolean answering;
    private final Counters counters;
    private final DiscoveryOutput output;
    private final DuplicateAddressDetection duplicates;
    private final RouterDiscovery routers;
    private final MulticastListener groups;
    private @Nullable NeighborCache neighbors;

    NeighborDiscovery(
            OwnAddresses own,
            Routes routes,
            boolean answering,
            DiscoveryOutput output,
            DuplicateAddressDetection duplicates,
            RouterDiscovery routers,
            MulticastListener groups,
            Counters counters) {
        this.own = own;
        this.routes = routes;
        this.answering = answering;
        this.output = output;
        this.duplicates = duplicates;
        this.routers = routers;
        this.groups = groups;
        this.counters = counters;
    }

    /** The cache and its solicitor need each other. Called once, before any message. */
    void neighbors(NeighborCache cache) {
        neighbors = cache;
    }

    /** A message whose checksum is right, from the link. */
    void onMessage(long ip, long message, int length, boolean group, long nowNs) {
        NeighborCache cache = neighbors;
        assert cache != null : "not wired";
        int type = Icmpv6Message.type(message);
        if (type == Icmpv6Message.MULTICAST_LISTENER_QUERY) {
            groups.onQuery(ip, message, length, nowNs);
            return;
        }
        // RFC 4861 §6.1.2, 7.1: a packet with a full hop limit has passed no router
        if (Ipv6Header.hopLimit(ip) != HOP_LIMIT || Icmpv6Message.code(message) != 0) {
            counters.increment(Counter.DROP_ND_INVALID);
            return;
        }
        boolean taken = switch (type) {
            case Icmpv6Message.NEIGHBOR_SOLICITATION -> onSolicitation(ip, message, length, cache, nowNs);
            case Icmpv6Message.NEIGHBOR_ADVERTISEMENT -> onAdvertisement(message, length, group, cache, nowNs);
            default -> routers.onAdvertisement(ip, message, length, cache, nowNs);
        };
        if (!taken) {
            counters.increment(Counter.DROP_ND_INVALID);
        }
    }

    /** RFC 4861 §7.1.1, 7.2.3. */
    private boolean onSolicitation(long ip, long message, int length, NeighborCache cache, long nowNs) {
        if (!isWellFormed(message, length)) {
            return false;
        }
        long options = message + NeighborMessage.TARGET_BYTES;
        long mac = NeighborMessage.linkLayerAddress(options, message + length, NeighborMessage.SOURCE_LINK_LAYER);
        long sourceHigh = Ipv6Header.sourceHigh(ip);
        long sourceLow = Ipv6Header.sourceLow(ip);
        boolean probe = sourceHigh == 0 && sourceLow == 0;
        boolean toSolicitedNode = Ipv6Header.destinationHigh(ip) == NeighborMessage.SOLICITED_NODE_HIGH
                && Ipv6Header.destinationLow(ip)
                        == NeighborMessage.solicitedNodeLow(NeighborMessage.targetLow(message));
        if ((probe && (mac != 0 || !toSolicitedNode)) || (mac != 0 && !EthernetHeader.isStation(mac))) {
            return false;
        }
        OwnAddress target = own.find(NeighborMessage.targetHigh(message), NeighborMessage.targetLow(message));
        if (target == null) {
            counters.increment(Counter.DROP_ND_NOT_FOR_US);
            return true;
        }
        if (probe) {
            if (!duplicates.onProbe(target)) {
                defend(target);
            }
            return true;
        }
        if (!routes.isOnLink(new IpAddress(sourceHigh, sourceLow))) {
            return false; // RFC 5942: a stranger's question would put a stranger into the cache
        }
        if (mac != 0) {
            cache.onSolicitation(sourceHigh, sourceLow, mac, nowNs);
        }
        answer(target, sourceHigh, sourceLow, mac, cache, nowNs);
        return true;
    }

    /** @param mac what the solicitation told, or 0 */
    private void answer(OwnAddress target, long high, long low, long mac, NeighborCache cache, long nowNs) {
        if (!answering) {
            return;
        }
        Neighbor asking = cache.find(high, low);
        long known = mac == 0 && asking != null && asking.hasMac() ? asking.mac : mac;
        int flags = NeighborMessage.SOLICITED | overrideFlag(target);
        boolean sent = known == 0
                ? output.advertisementToUnresolved(target.address, high, low, flags, cache, nowNs)
                : output.advertisement(target.address, high, low, known, flags);
        if (sent) {
            counters.increment(Counter.NEIGHBOR_SOLICITATIONS_ANSWERED);
        }
    }

    /** Tells a host that tries an address of ours, and everybody, that it is taken (RFC 4861 §7.2.4). */
    private void defend(OwnAddress target) {
        long high = NeighborMessage.LINK_SCOPE_HIGH;
        if (answering
                && output.advertisement(target.address, high, NeighborMessage.ALL_NODES_LOW, 0, overrideFlag(target))) {
            counters.increment(Counter.NEIGHBOR_SOLICITATIONS_ANSWERED);
        }
    }

    /** An optimistic address overrides nobody's cache (RFC 4429 §3.3). */
    private static int overrideFlag(OwnAddress target) {
        return target.state == OwnAddress.State.PREFERRED ? NeighborMessage.OVERRIDE : 0;
    }

    /** RFC 4861 §7.1.2, 7.2.5. */
    private boolean onAdvertisement(long message, int length, boolean group, NeighborCache cache, long nowNs) {
        if (!isWellFormed(message, length)) {
            return false;
        }
        int flags = NeighborMessage.flags(message);
        boolean solicited = (flags & NeighborMessage.SOLICITED) != 0;
        boolean override = (flags & NeighborMessage.OVERRIDE) != 0;
        long options = message + NeighborMessage.TARGET_BYTES;
        long mac = NeighborMessage.linkLayerAddress(options, message + length, NeighborMessage.TARGET_LINK_LAYER);
        if ((solicited && group) || (mac != 0 && !EthernetHeader.isStation(mac))) {
            return false;
        }
        long high = NeighborMessage.targetHigh(message);
        long low = NeighborMessage.targetLow(message);
        OwnAddress ours = own.find(high, low);
        if (ours != null) {
            duplicates.onConflict(ours);
        } else {
            cache.onAdvertisement(high, low, mac, solicited, override, nowNs);
        }
        return true;
    }

    private static boolean isWellFormed(long message, int length) {
        return length >= NeighborMessage.TARGET_BYTES
                && NeighborMessage.targetHigh(message) >>> 56 != 0xff
                && !IpAddress.isV4(NeighborMessage.targetHigh(message), NeighborMessage.targetLow(message))
                && NeighborMessage.optionsAreValid(message + NeighborMessage.TARGET_BYTES, message + length);
    }

    @Override
    public void solicit(Neighbor neighbor, boolean unicast, long nowNs) {
        IpAddress source = routes.sourceFor(new IpAddress(neighbor.high, neighbor.low));
        if (source == null) {
            return; // every own address was given up meanwhile; the cache gives up after its three tries
        }
        OwnAddress from = own.find(source.high(), source.low());
        // an optimistic address does not put itself into others' caches (RFC 4429 §3.2)
        boolean tellMac = from != null && from.state == OwnAddress.State.PREFERRED;
        output.solicitation(source, neighbor.high, neighbor.low, unicast ? neighbor.mac : 0, tellMac);
    }

    // ---- timers ----

    void start(long nowNs) {
        duplicates.start(nowNs);
        groups.start(nowNs);
        routers.start(nowNs);
    }

    long nextDeadlineNs() {
        return Math.min(duplicates.nextDeadlineNs(), Math.min(groups.nextDeadlineNs(), routers.nextDeadlineNs()));
    }

    void onTimers(long nowNs) {
        groups.onTimers(nowNs); // before the probes, so that switches pass the answers (RFC 4862 §5.4.2)
        duplicates.onTimers(nowNs);
        routers.onTimers(nowNs);
    }
}
