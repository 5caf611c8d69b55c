package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.NeighborMessage;
import org.jspecify.annotations.Nullable;

/**
 * What a host with a configured gateway takes from router advertisements (RFC 4861 §6.3): that gateway's hardware address, hop limit,
 * timers and MTU. Routers and prefixes that nobody configured are not believed: an advertisement is the easiest message to forge.
 * Core thread only.
 */
final class RouterDiscovery {
    // RFC 4861 §10
    private static final int MAX_SOLICITATIONS = 3;
    private static final long SOLICITATION_INTERVAL_NS = 4_000_000_000L;
    private static final long MAX_SOLICITATION_DELAY_NS = 1_000_000_000L;

    private static final int MIN_MTU = 1280;
    private static final long NS_PER_MS = 1_000_000L;
    /** RFC 4861 §6.2.1: no router may advertise more. */
    private static final int MAX_REACHABLE_MS = 3_600_000;

    /** Bounds for the retransmission timer: neither a storm of solicitations nor none. */
    private static final int MIN_RETRANS_MS = 100;

    private static final int MAX_RETRANS_MS = 10_000;

    private final OwnAddresses own;
    private final Routes routes;
    private final @Nullable IpAddress gateway;
    private final DiscoveryOutput output;
    private final IpOutput paths;
    private final boolean answering;
    private final Counters counters;
    private int solicitationsSent;
    private long nextDeadlineNs = Long.MAX_VALUE;

    RouterDiscovery(
            OwnAddresses own,
            Routes routes,
            @Nullable IpAddress gateway,
            DiscoveryOutput output,
            IpOutput paths,
            boolean answering,
            Counters counters) {
        this.own = own;
        this.routes = routes;
        this.gateway = gateway;
        this.output = output;
        this.paths = paths;
        this.answering = answering;
        this.counters = counters;
    }

    /** Returns false when the message is invalid (RFC 4861 §6.1.2). */
    boolean onAdvertisement(long ip, long message, int length, NeighborCache neighbors, long nowNs) {
        long options = message + NeighborMessage.ROUTER_ADVERTISEMENT_BYTES;
        long end = message + length;
        if (length < NeighborMessage.ROUTER_ADVERTISEMENT_BYTES
                || Ipv6Header.sourceHigh(ip) >>> 54 != 0x3fa // link-local
                || !NeighborMessage.optionsAreValid(options, end)) {
            return false;
        }
        long mac = NeighborMessage.linkLayerAddress(options, end, NeighborMessage.SOURCE_LINK_LAYER);
        if (mac != 0 && !EthernetHeader.isStation(mac)) {
            return false;
        }
        if (!isGateway(ip, mac, neighbors)) {
            counters.increment(Counter.DROP_ND_NOT_FOR_US);
            return true;
        }
        nextDeadlineNs = Long.MAX_VALUE;
        if (mac != 0) {
            neighbors.onSolicitation(Ipv6Header.sourceHigh(ip), Ipv6Header.sourceLow(ip), mac, nowNs);
        }
        int reachableMs = NeighborMessage.reachableTime(message);
        int retransMs = NeighborMessage.retransTimer(message);
        neighbors.timing(
                reachableMs > 0 && reachableMs <= MAX_REACHABLE_MS ? reachableMs * NS_PER_MS : 0,
                retransMs > 0 ? Math.clamp(retransMs, MIN_RETRANS_MS, MAX_RETRANS_MS) * NS_PER_MS : 0);
        paths.ipv6Parameters(mtu(options, end), NeighborMessage.currentHopLimit(message));
        return true;
    }

    /** The gateway speaks from its link-local address; a gateway configured by another address is known by its hardware address. */
    private boolean isGateway(long ip, long mac, NeighborCache neighbors) {
        IpAddress configured = gateway;
        if (configured == null) {
            return false;
        }
        if (configured.high() == Ipv6Header.sourceHigh(ip) && configured.low() == Ipv6Header.sourceLow(ip)) {
            return true;
        }
        Neighbor known = neighbors.find(configured.high(), configured.low());
        return mac != 0 && known != null && known.hasMac() && known.mac == mac;
    }

    /** The MTU option's value when it is one (RFC 4861 §4.6.4), else 0. */
    private static int mtu(long options, long end) {
        long option = NeighborMessage.option(options, end, NeighborMessage.MTU);
        if (option == 0 || Memory.getUnsignedByte(option + 1) != 1) {
            return 0;
        }
        int mtu = Memory.getInt(option + 4);
        return mtu >= MIN_MTU ? mtu : 0;
    }

    void start(long nowNs) {
        if (gateway != null && answering) {
            nextDeadlineNs = nowNs + MAX_SOLICITATION_DELAY_NS; // by then, duplicate detection has an answer
        }
    }

    long nextDeadlineNs() {
        return nextDeadlineNs;
    }

    void onTimers(long nowNs) {
        IpAddress configured = gateway;
        if (nowNs < nextDeadlineNs || configured == null) {
            return;
        }
        nextDeadlineNs = ++solicitationsSent < MAX_SOLICITATIONS ? nowNs + SOLICITATION_INTERVAL_NS : Long.MAX_VALUE;
        for (int i = 0; i < own.all().size(); i++) {
            OwnAddress each = own.all().get(i);
            if (each.address.isLinkLocal() && !each.address.isV4() && each.isUsable()) {
                output.routerSolicitation(each.address);
                return;
            }
        }
        IpAddress source = routes.sourceFor(configured);
        if (source != null) {
            output.routerSolicitation(source);
        }
    }
}
