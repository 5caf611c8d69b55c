package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.tcp.Path;
import dev.millrace.stack.tcp.SegmentOutput;
import dev.millrace.stack.udp.UdpOutput;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv4Message;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One shard's IP layer, both families, over a link and a loopback: what the core gives frames to and TCP gives segments to. It wires
 * the parts of this package. Core thread only.
 *
 * <p>Each frame that is not delivered increments exactly one {@code DROP_} counter; no frame makes it throw.
 *
 * <p>With several shards each has an {@code Ip} of its own with its own neighbours. ARP and neighbour discovery frames are copied to every
 * shard by the port that spreads them, so all learn; only the one that is {@link NetworkConfig#answering} answers those. Everything else
 * reaches exactly one shard, which deals with it alone.
 */
public final class Ip implements SegmentOutput {
    private final @Nullable NetworkInterface link;
    private final NetworkInterface loopback;
    private final Counters counters;
    private final OwnAddresses own;
    private final Routes routes;
    private final IpOutput output;
    private final Ipv4Input v4;
    private final Ipv6Input v6;
    private final Icmpv4 icmpv4;
    private final Icmpv6 icmpv6;
    private final IcmpErrors icmpErrors;
    private final Reassembly reassembly;
    private final DatagramOutput datagrams;
    // these three are there when there is a link
    private final @Nullable NeighborCache neighbors;
    private final @Nullable Arp arp;
    private final @Nullable NeighborDiscovery discovery;

    private final @Nullable IpAddress[] gateways;
    private boolean started;

    /**
     * @param link where the network is; null when there is none but the loopback
     * @param loopback where packets to own addresses go
     */
    public Ip(
            NetworkConfig config,
            @Nullable NetworkInterface link,
            NetworkInterface loopback,
            IpUpcalls upcalls,
            Counters counters,
            RandomGenerator random) {
        this.link = link;
        this.loopback = loopback;
        this.counters = counters;
        boolean answering = config.answering();
        this.gateways = new @Nullable IpAddress[] {config.gateway(true), config.gateway(false)};
        own = new OwnAddresses(config.addresses(), link == null ? 0 : link.mac);
        routes = new Routes(own, config);
        icmpErrors = new IcmpErrors(own, upcalls, counters);
        output = new IpOutput(link, loopback, own, routes, config.hopLimit(), random);
        datagrams = new DatagramOutput(output, routes);
        if (link == null) {
            neighbors = null;
            arp = null;
            discovery = null;
        } else {
            arp = new Arp(link, own, routes, answering, counters, random);
            discovery = discovery(config, link, random);
            neighbors = new NeighborCache(link, arp, discovery, this::onUnresolved, counters, random);
            discovery.neighbors(neighbors);
            output.neighbors(neighbors);
        }
        icmpv4 = new Icmpv4(output, icmpErrors, counters, random);
        icmpv6 = new Icmpv6(output, icmpErrors, discovery, counters, random);
        reassembly = new Reassembly(this::onReassemblyTimeout, counters);
        Relay relay = new Relay(loopback, config.shard(), config.shards(), link == null ? 0 : link.mac, counters);
        TcpInput tcp = new TcpInput(upcalls, counters);
        UdpInput udp = new UdpInput(upcalls, counters);
        v4 = new Ipv4Input(own, reassembly, icmpv4, tcp, udp, relay, counters);
        v6 = new Ipv6Input(own, reassembly, icmpv6, tcp, udp, relay, counters);
    }

    private NeighborDiscovery discovery(NetworkConfig config, NetworkInterface over, RandomGenerator random) {
        DiscoveryOutput messages = new DiscoveryOutput(over);
        boolean answering = config.answering();
        return new NeighborDiscovery(
                own,
                routes,
                answering,
                messages,
                new DuplicateAddressDetection(own, messages, answering, counters),
                new RouterDiscovery(own, routes, config.gateway(false), messages, output, answering, counters),
                new MulticastListener(own, messages, answering, counters, random),
                counters);
    }

    // ---- inbound ----

    /** Takes one received frame; everything it causes happens before this returns. The frame stays the caller's to release. */
    public void onFrame(Packet frame, NetworkInterface from, long nowNs) {
        long address = frame.address;
        if (frame.length < EthernetHeader.BYTES) {
            counters.increment(Counter.DROP_FRAME_TOO_SHORT);
            return;
        }
        boolean toGroup = false;
        boolean onLink = !from.loopback || Relay.isRelayed(address);
        boolean verified = !onLink;
        if (!from.loopback) {
            verified = from.trusted || (frame.flags & Packet.CHECKSUM_VERIFIED) != 0;
            long destination = EthernetHeader.destination(address);
            toGroup = EthernetHeader.isGroup(destination);
            if (!toGroup && destination != from.mac) {
                counters.increment(Counter.DROP_FRAME_NOT_FOR_US);
                return;
            }
            if (EthernetHeader.source(address)
                    == from.mac) { // a reflection; or somebody else with our hardware address
                counters.increment(Counter.DROP_FRAME_OWN);
                return;
            }
        }
        long packet = address + EthernetHeader.BYTES;
        int length = frame.length - EthernetHeader.BYTES;
        switch (EthernetHeader.type(address)) {
            case EthernetHeader.TYPE_IPV4 -> v4.onPacket(packet, length, onLink, verified, toGroup, nowNs);
            case EthernetHeader.TYPE_IPV6 -> v6.onPacket(packet, length, onLink, verified, toGroup, nowNs);
            case EthernetHeader.TYPE_ARP -> onArp(packet, length, from, toGroup, nowNs);
            default -> counters.increment(Counter.DROP_FRAME_TYPE);
        }
    }

    private void onArp(long packet, int length, NetworkInterface from, boolean toGroup, long nowNs) {
        if (from.loopback || arp == null || neighbors == null) {
            counters.increment(Counter.DROP_FRAME_TYPE);
        } else {
            arp.onPacket(packet, length, toGroup, neighbors, nowNs);
        }
    }

    // ---- outbound ----

    /** How UDP sends. */
    public UdpOutput datagrams() {
        return datagrams;
    }

    @Override
    public @Nullable Path path(IpAddress local, IpAddress remote) {
        return output.path(local, remote);
    }

    @Override
    public @Nullable Path replyPath(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        return output.replyPath(localHigh, localLow, remoteHigh, remoteLow);
    }

    @Override
    public @Nullable IpAddress sourceFor(IpAddress remote) {
        return routes.sourceFor(remote);
    }

    @Override
    public @Nullable Packet allocate(Path path) {
        return output.allocate((IpPath) path);
    }

    @Override
    public void send(Packet packet, Path path, int trafficClass, Kind kind, long nowNs) {
        output.sendTcp(packet, (IpPath) path, trafficClass, kind, nowNs);
    }

    /**
     * Transmits the turn's packets: control segments, acknowledgments, data; what the ring does not take waits for the next flush.
     *
     * @return true when {@link #allocate} had refused and is worth another try: the core then calls {@code Tcp.onOutputAvailable}
     */
    public boolean flush() {
        boolean available = loopback.flush();
        if (link != null) {
            available |= link.flush();
        }
        return available;
    }

    /** True while frames wait for ring space, or an allocation was refused: the core turns again soon, whatever its timers say. */
    public boolean outputBlocked() {
        return isBlocked(loopback) || (link != null && isBlocked(link));
    }

    private static boolean isBlocked(NetworkInterface out) {
        return out.refused() || out.backlog() > 0;
    }

    // ---- timers ----

    /** When {@link #onTimers} is due; at once until it has been called for the first time. */
    public long nextDeadlineNs() {
        if (!started) {
            return Long.MIN_VALUE;
        }
        long next = reassembly.nextDeadlineNs();
        if (neighbors != null && arp != null && discovery != null) {
            next = Math.min(next, Math.min(neighbors.nextDeadlineNs(), arp.nextDeadlineNs()));
            next = Math.min(next, discovery.nextDeadlineNs());
        }
        return next;
    }

    /** Runs what is due. The first call announces the own addresses. */
    public void onTimers(long nowNs) {
        if (!started) {
            start(nowNs);
        }
        if (neighbors != null && arp != null && discovery != null) {
            neighbors.onTimers(nowNs);
            arp.onTimers(nowNs);
            discovery.onTimers(nowNs);
        }
        reassembly.onTimers(nowNs);
    }

    private void start(long nowNs) {
        started = true;
        if (neighbors == null || arp == null || discovery == null) {
            return;
        }
        for (IpAddress gateway : gateways) {
            if (gateway != null) {
                neighbors.pin(gateway.high(), gateway.low(), nowNs);
            }
        }
        arp.start(nowNs);
        discovery.start(nowNs);
    }

    private void onUnresolved(Packet packet, long nowNs) {
        icmpErrors.onUnresolved(packet.address, packet.length, nowNs);
    }

    private void onReassemblyTimeout(Datagram packet, long nowNs) {
        if (packet.protocol == Reassembly.V6) {
            icmpv6.sendError(
                    packet.packetAddress(),
                    packet.contiguousBytes(),
                    Icmpv6Message.TIME_EXCEEDED,
                    Icmpv6Message.REASSEMBLY_TIME,
                    0,
                    nowNs);
        } else if (Ipv4Header.protocol(packet.packetAddress()) != IpProtocol.ICMP) {
            icmpv4.sendError(
                    packet.packetAddress(),
                    packet.contiguousBytes(),
                    Icmpv4Message.TIME_EXCEEDED,
                    Icmpv4Message.REASSEMBLY_TIME,
                    nowNs);
        }
    }

    /** Gives packets and memory back. Nothing else may be called afterwards. */
    public void close() {
        if (neighbors != null) {
            neighbors.close();
        }
        if (link != null) {
            link.close();
        }
        loopback.close();
        reassembly.close();
    }
}
