package dev.millrace.stack.ip;

import dev.millrace.stack.tcp.Path;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import org.jspecify.annotations.Nullable;

/**
 * A way from an own address to a remote one: interface, next hop, path MTU, and what its headers have in common. A packet to a
 * resolved neighbour looks nothing up. Core thread only.
 */
class IpPath extends Path {
    /** RFC 1191 §6.3: after this a larger packet is tried again. */
    private static final long MTU_AGE_NS = 600_000_000_000L;

    /** Below, a packet-too-big is believed down to this only: RFC 8201 §4 for IPv6; Linux' min_pmtu for IPv4. */
    private static final int MIN_MTU_V6 = 1280;

    private static final int MIN_MTU_V4 = 552;

    // constant, but for ReplyPath's
    NetworkInterface out;
    long localHigh;
    long localLow;
    long remoteHigh;
    long remoteLow;
    long nextHopHigh;
    long nextHopLow;
    /** Sum over the TCP pseudo-header but its length. */
    long pseudoHeaderSum;

    Neighbor neighbor;
    /** Of the next packet that is sent in fragments; begins anywhere, so that nobody can guess it (RFC 7739 §5.1). */
    int nextIdentification;

    /** One label for all flows between the two addresses: constant per flow, hard to guess (RFC 6437 §3). */
    final int flowLabel;

    private final @Nullable NeighborCache neighbors;
    private final int linkMtu;
    private int mtu;
    private long mtuUntilNs = Long.MAX_VALUE;

    /** @param nextHop null when packets stay in this host */
    IpPath(
            IpAddress local,
            IpAddress remote,
            NetworkInterface out,
            @Nullable IpAddress nextHop,
            @Nullable NeighborCache neighbors,
            int linkMtu,
            int flowLabel) {
        super(local, remote);
        this.out = out;
        this.localHigh = local.high();
        this.localLow = local.low();
        this.remoteHigh = remote.high();
        this.remoteLow = remote.low();
        if (nextHop != null) {
            this.nextHopHigh = nextHop.high();
            this.nextHopLow = nextHop.low();
        }
        this.neighbors = neighbors;
        this.neighbor = nextHop == null ? Neighbor.LOOPBACK : Neighbor.UNKNOWN;
        this.pseudoHeaderSum = Checksum.pseudoHeader(local, remote, IpProtocol.TCP, 0);
        this.flowLabel = flowLabel;
        this.linkMtu = linkMtu;
        this.mtu = linkMtu;
    }

    @Override
    public int mtu() {
        return mtu;
    }

    @Override
    public void confirm(long nowNs) {
        if (neighbors != null) {
            neighbors.confirm(neighbor, nowNs);
        }
    }

    @Override
    public void onPacketTooBig(int reportedMtu, long nowNs) {
        int floor = local.isV4() ? MIN_MTU_V4 : MIN_MTU_V6;
        int lowered = Math.max(reportedMtu, floor);
        if (lowered < mtu) {
            mtu = lowered;
            mtuUntilNs = nowNs + MTU_AGE_NS;
        }
    }

    /** Forgets a lowered MTU when its time is over. Called with every packet, so it costs one comparison. */
    void ageMtu(long nowNs) {
        if (nowNs >= mtuUntilNs) {
            mtu = linkMtu;
            mtuUntilNs = Long.MAX_VALUE;
        }
    }
}
