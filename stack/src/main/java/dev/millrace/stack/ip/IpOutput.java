package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Sends packets along paths: finds or makes the path, writes checksum, IP and Ethernet headers, and asks for the neighbour when it must.
 * Core thread only.
 */
final class IpOutput {
    /** Time to live and hop limit of everything but neighbour discovery, unless set otherwise (RFC 1122 §3.2.1.7; Linux' ip_default_ttl). */
    private static final int HOP_LIMIT = 64;

    private final @Nullable NetworkInterface link;
    private final NetworkInterface loopback;
    private final OwnAddresses own;
    private final Routes routes;
    private @Nullable NeighborCache neighbors;
    private final PathTable paths;
    private final RandomGenerator random;
    private final ReplyPath loopbackReplyV4;
    private final ReplyPath loopbackReplyV6;
    private final @Nullable ReplyPath linkReplyV4;
    private final @Nullable ReplyPath linkReplyV6;
    private int linkMtuV6;
    private final int hopLimitV4;
    private final boolean hopLimitSet;
    private int hopLimitV6;

    IpOutput(
            @Nullable NetworkInterface link,
            NetworkInterface loopback,
            OwnAddresses own,
            Routes routes,
            int hopLimit,
            RandomGenerator random) {
        this.hopLimitSet = hopLimit > 0;
        this.hopLimitV4 = hopLimitSet ? hopLimit : HOP_LIMIT;
        this.hopLimitV6 = hopLimitV4;
        this.link = link;
        this.loopback = loopback;
        this.own = own;
        this.routes = routes;
        this.paths = new PathTable(random);
        this.random = random;
        this.linkMtuV6 = link == null ? 0 : link.mtu;
        this.loopbackReplyV4 = new ReplyPath(IpAddress.ANY4, loopback);
        this.loopbackReplyV6 = new ReplyPath(IpAddress.ANY6, loopback);
        this.linkReplyV4 = link == null ? null : new ReplyPath(IpAddress.ANY4, link);
        this.linkReplyV6 = link == null ? null : new ReplyPath(IpAddress.ANY6, link);
    }

    /** Where next hops are resolved; set once, when there is a link. */
    void neighbors(NeighborCache cache) {
        neighbors = cache;
    }

    // ---- paths ----

    /** The path, or null when the local address is not ours or there is no route. */
    @Nullable
    IpPath path(IpAddress local, IpAddress remote) {
        IpPath path = paths.find(local.high(), local.low(), remote.high(), remote.low());
        return path != null ? path : make(local, remote);
    }

    @Nullable
    IpPath path(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        IpPath path = paths.find(localHigh, localLow, remoteHigh, remoteLow);
        return path != null ? path : make(new IpAddress(localHigh, localLow), new IpAddress(remoteHigh, remoteLow));
    }

    private @Nullable IpPath make(IpAddress local, IpAddress remote) {
        if (local.isV4() != remote.isV4() || !own.isLocal(local.high(), local.low())) {
            return null;
        }
        IpPath path;
        NeighborCache cache = neighbors;
        if (own.isLocal(remote.high(), remote.low())) {
            path = new IpPath(local, remote, loopback, null, null, loopback.mtu, 0);
        } else {
            IpAddress nextHop = local.isLoopback() ? null : routes.nextHop(remote);
            if (link == null || cache == null || nextHop == null) {
                return null;
            }
            int mtu = local.isV4() ? link.mtu : linkMtuV6;
            path = new IpPath(local, remote, link, nextHop, cache, mtu, random.nextInt(1 << 20));
        }
        path.nextIdentification = random.nextInt();
        paths.add(path);
        return path;
    }

    /** What the configured gateway advertises for new paths (RFC 4861 §6.3.4). */
    void ipv6Parameters(int mtu, int hopLimit) {
        if (mtu > 0 && link != null) {
            linkMtuV6 = Math.min(mtu, link.mtu);
        }
        if (hopLimit > 0 && !hopLimitSet) {
            hopLimitV6 = hopLimit;
        }
    }

    /** As {@link dev.millrace.stack.tcp.SegmentOutput#replyPath}. */
    @Nullable
    IpPath replyPath(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        IpPath known = paths.find(localHigh, localLow, remoteHigh, remoteLow);
        if (known != null) {
            return known;
        }
        boolean v4 = IpAddress.isV4(remoteHigh, remoteLow);
        if (IpAddress.isV4(localHigh, localLow) != v4 || !own.isLocal(localHigh, localLow)) {
            return null;
        }
        ReplyPath reply;
        if (own.isLocal(remoteHigh, remoteLow)) {
            reply = v4 ? loopbackReplyV4 : loopbackReplyV6;
        } else {
            IpAddress nextHop = OwnAddresses.isLoopback(localHigh, localLow)
                    ? null
                    : routes.nextHop(new IpAddress(remoteHigh, remoteLow));
            reply = v4 ? linkReplyV4 : linkReplyV6;
            if (nextHop == null || reply == null) {
                return null;
            }
            reply.nextHopHigh = nextHop.high();
            reply.nextHopLow = nextHop.low();
        }
        reply.aim(localHigh, localLow, remoteHigh, remoteLow);
        return reply;
    }

    // ---- packets ----

    /** An empty packet, its window where the upper layer's header belongs; null when packets or ring space are short. */
    @Nullable
    Packet allocate(IpPath path) {
        Packet packet = path.out.allocate();
        if (packet != null) {
            packet.reset(TxQueue.HEADROOM);
        }
        return packet;
    }

    /** Completes and sends a TCP segment whose checksum field is zero. */
    void sendTcp(Packet packet, IpPath path, int trafficClass, Kind kind, long nowNs) {
        long segment = packet.address;
        int length = packet.length;
        long sum = Checksum.addInt(path.pseudoHeaderSum, length);
        if (path.out.partialChecksum) {
            packet.flags |= path.out.checksumFlags;
            Memory.putShortNative(segment + 16, Checksum.fold(sum));
        } else {
            Memory.putShortNative(segment + 16, Checksum.finish(Checksum.add(sum, segment, length)));
        }
        if (kind == Kind.DATA) {
            packet.flags |= Packet.DATA;
        }
        send(packet, path, IpProtocol.TCP, trafficClass, kind, nowNs);
    }

    /** Sends what stands in the packet's window as the payload of an IP packet. */
    void send(Packet packet, IpPath path, int protocol, int trafficClass, Kind kind, long nowNs) {
        writeHeader(packet, path, protocol, trafficClass);
        forward(packet, path, kind, nowNs);
    }

    /** Puts the IP header of an unfragmented packet before what stands in the window. */
    void writeHeader(Packet packet, IpPath path, int protocol, int trafficClass) {
        int length = packet.length;
        if (path.local.isV4()) {
            packet.prepend(Ipv4Header.MIN_BYTES);
            Ipv4Header.write(
                    packet.address, trafficClass, packet.length, hopLimitV4, protocol, (int) path.localLow, (int)
                            path.remoteLow);
        } else {
            packet.prepend(Ipv6Header.BYTES);
            Ipv6Header.write(
                    packet.address,
                    trafficClass,
                    path.flowLabel,
                    length,
                    protocol,
                    hopLimitV6,
                    path.localHigh,
                    path.localLow,
                    path.remoteHigh,
                    path.remoteLow);
        }
    }

    /** Hands a complete IP packet to the next hop, which may have to be asked for its hardware address first. */
    void forward(Packet packet, IpPath path, Kind kind, long nowNs) {
        path.ageMtu(nowNs);
        if (!path.neighbor.isReachable(nowNs) && !admit(path, packet, nowNs)) {
            return;
        }
        writeEthernet(packet, path.neighbor.mac, path.out, path.local.isV4());
        path.out.enqueue(packet, kind);
    }

    private boolean admit(IpPath path, Packet packet, long nowNs) {
        NeighborCache cache = neighbors;
        assert cache != null : "loopback is always reachable";
        if (path.neighbor.state == NeighborState.REMOVED) {
            path.neighbor = cache.obtain(path.nextHopHigh, path.nextHopLow, nowNs);
            if (path.neighbor.isReachable(nowNs)) {
                return true;
            }
        }
        return cache.admit(path.neighbor, packet, nowNs);
    }

    static void writeEthernet(Packet packet, long destination, NetworkInterface out, boolean v4) {
        packet.prepend(EthernetHeader.BYTES);
        EthernetHeader.write(
                packet.address, destination, out.mac, v4 ? EthernetHeader.TYPE_IPV4 : EthernetHeader.TYPE_IPV6);
    }
}
