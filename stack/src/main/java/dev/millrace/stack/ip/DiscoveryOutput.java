package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.Icmpv6Message;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv6Header;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the messages that a host sends on its own link before and without any path: neighbour and router discovery (RFC 4861 §4),
 * multicast listener reports (RFC 3810 §5.2). Core thread only.
 */
final class DiscoveryOutput {
    /** RFC 4861 §7.1: proves that no router has touched it. */
    private static final int DISCOVERY_HOP_LIMIT = 255;

    private static final int LISTENER_HOP_LIMIT = 1;
    /** Hop-by-hop options: ICMPv6 follows, length 0, router alert for MLD (RFC 2711), two bytes of padding. */
    private static final long ROUTER_ALERT = (long) IpProtocol.ICMPV6 << 56 | 0x05L << 40 | 0x02L << 32 | 0x01L << 8;

    private static final int ROUTER_ALERT_BYTES = 8;
    private static final int RECORD_BYTES = 20;
    /** Groups per report, so that it fits the smallest link. */
    static final int MAX_RECORDS = 32;

    private static final int MODE_IS_EXCLUDE = 2;
    private static final int CHANGE_TO_EXCLUDE = 4;

    private final NetworkInterface link;

    DiscoveryOutput(NetworkInterface link) {
        this.link = link;
    }

    /**
     * Asks for a hardware address (RFC 4861 §4.3).
     *
     * @param source the unspecified address for duplicate detection
     * @param mac where to ask, 0 for the solicited-node group
     * @return false when there was no packet
     */
    boolean solicitation(IpAddress source, long targetHigh, long targetLow, long mac, boolean tellMac) {
        boolean group = mac == 0;
        int length = NeighborMessage.TARGET_BYTES + (tellMac ? NeighborMessage.LINK_LAYER_OPTION_BYTES : 0);
        Packet packet = begin(length);
        if (packet == null) {
            return false;
        }
        long message = packet.address;
        NeighborMessage.writeTarget(message, targetHigh, targetLow);
        if (tellMac) {
            long option = message + NeighborMessage.TARGET_BYTES;
            NeighborMessage.writeLinkLayerAddress(option, NeighborMessage.SOURCE_LINK_LAYER, link.mac);
        }
        long high = group ? NeighborMessage.SOLICITED_NODE_HIGH : targetHigh;
        long low = group ? NeighborMessage.solicitedNodeLow(targetLow) : targetLow;
        send(packet, Icmpv6Message.NEIGHBOR_SOLICITATION, 0, source, high, low, mac);
        return true;
    }

    /** Tells the own hardware address (RFC 4861 §4.4); {@code mac} 0 for a group. */
    boolean advertisement(IpAddress target, long high, long low, long mac, int flags) {
        Packet packet = advertisementPacket(target, high, low, flags);
        if (packet == null) {
            return false;
        }
        transmit(packet, mac == 0 ? EthernetHeader.ofIpv6Multicast(low) : mac);
        return true;
    }

    /** As above, to somebody whose hardware address must be asked for first. */
    boolean advertisementToUnresolved(
            IpAddress target, long high, long low, int flags, NeighborCache neighbors, long nowNs) {
        Packet packet = advertisementPacket(target, high, low, flags);
        if (packet == null) {
            return false;
        }
        Neighbor neighbor = neighbors.obtain(high, low, nowNs);
        if (neighbor.isReachable(nowNs) || neighbors.admit(neighbor, packet, nowNs)) {
            transmit(packet, neighbor.mac);
        }
        return true;
    }

    private @Nullable Packet advertisementPacket(IpAddress target, long high, long low, int flags) {
        Packet packet = begin(NeighborMessage.TARGET_BYTES + NeighborMessage.LINK_LAYER_OPTION_BYTES);
        if (packet == null) {
            return null;
        }
        long message = packet.address;
        NeighborMessage.writeTarget(message, target.high(), target.low());
        NeighborMessage.writeLinkLayerAddress(
                message + NeighborMessage.TARGET_BYTES, NeighborMessage.TARGET_LINK_LAYER, link.mac);
        writeMessage(packet, Icmpv6Message.NEIGHBOR_ADVERTISEMENT, flags << 24, target, high, low);
        writeIp(packet, IpProtocol.ICMPV6, DISCOVERY_HOP_LIMIT, target, high, low);
        return packet;
    }

    /** Asks routers to advertise themselves (RFC 4861 §4.1). */
    boolean routerSolicitation(IpAddress source) {
        Packet packet = begin(NeighborMessage.ROUTER_SOLICITATION_BYTES + NeighborMessage.LINK_LAYER_OPTION_BYTES);
        if (packet == null) {
            return false;
        }
        NeighborMessage.writeLinkLayerAddress(
                packet.address + NeighborMessage.ROUTER_SOLICITATION_BYTES,
                NeighborMessage.SOURCE_LINK_LAYER,
                link.mac);
        long high = NeighborMessage.LINK_SCOPE_HIGH;
        send(packet, Icmpv6Message.ROUTER_SOLICITATION, 0, source, high, NeighborMessage.ALL_ROUTERS_LOW, 0);
        return true;
    }

    /**
     * Reports groups that this host listens to, from any source (RFC 3810 §5.2).
     *
     * @param lows low halves of their addresses, of which {@code [from, to)} go into this report
     * @param change the host has just joined them, rather than answers a query
     */
    boolean listenerReport(IpAddress source, List<Long> lows, int from, int to, boolean change) {
        int records = to - from;
        assert records <= MAX_RECORDS : "too many for one report";
        Packet packet = begin(Icmpv6Message.HEADER_BYTES + records * RECORD_BYTES);
        if (packet == null) {
            return false;
        }
        long record = packet.address + Icmpv6Message.HEADER_BYTES;
        for (int i = from; i < to; i++) {
            Memory.putInt(record, (change ? CHANGE_TO_EXCLUDE : MODE_IS_EXCLUDE) << 24);
            Memory.putLong(record + 4, NeighborMessage.SOLICITED_NODE_HIGH);
            Memory.putLong(record + 12, lows.get(i));
            record += RECORD_BYTES;
        }
        long high = NeighborMessage.LINK_SCOPE_HIGH;
        long low = NeighborMessage.MLDV2_ROUTERS_LOW;
        writeMessage(packet, Icmpv6Message.MULTICAST_LISTENER_REPORT_V2, records, source, high, low);
        packet.prepend(ROUTER_ALERT_BYTES);
        Memory.putLong(packet.address, ROUTER_ALERT);
        writeIp(packet, IpProtocol.HOP_BY_HOP, LISTENER_HOP_LIMIT, source, high, low);
        transmit(packet, EthernetHeader.ofIpv6Multicast(low));
        return true;
    }

    private @Nullable Packet begin(int messageBytes) {
        Packet packet = link.allocate();
        if (packet == null) {
            return null;
        }
        packet.reset(TxQueue.HEADROOM);
        packet.length = messageBytes;
        return packet;
    }

    private void send(Packet packet, int type, int rest, IpAddress source, long high, long low, long mac) {
        writeMessage(packet, type, rest, source, high, low);
        writeIp(packet, IpProtocol.ICMPV6, DISCOVERY_HOP_LIMIT, source, high, low);
        transmit(packet, mac == 0 ? EthernetHeader.ofIpv6Multicast(low) : mac);
    }

    private static void writeMessage(Packet packet, int type, int rest, IpAddress source, long high, long low) {
        Icmpv6Message.write(packet.address, type, 0, rest, packet.length, source.high(), source.low(), high, low);
    }

    private static void writeIp(Packet packet, int nextHeader, int hops, IpAddress source, long high, long low) {
        int payload = packet.length;
        packet.prepend(Ipv6Header.BYTES);
        Ipv6Header.write(packet.address, 0, 0, payload, nextHeader, hops, source.high(), source.low(), high, low);
    }

    private void transmit(Packet packet, long mac) {
        IpOutput.writeEthernet(packet, mac, link, false);
        link.enqueue(packet, Kind.CONTROL);
    }
}
