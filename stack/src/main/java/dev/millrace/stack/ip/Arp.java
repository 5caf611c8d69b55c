package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.IpAddress;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Address resolution for IPv4 (RFC 826) with address conflict detection (RFC 5227). Core thread only.
 *
 * <p>Configured addresses serve from the start, announced at once so that neighbours forget an older hardware address; probes run beside,
 * and a host that answers them wins: the address is then given up and counted. Later conflicts are defended (§2.4 c), at most once in
 * ten seconds.
 */
final class Arp implements NeighborSolicitor {
    // RFC 5227 §1.1
    private static final int PROBE_NUM = 3;
    private static final long PROBE_MIN_NS = 1_000_000_000L;
    private static final long PROBE_SPREAD_NS = 1_000_000_000L; // PROBE_MAX − PROBE_MIN
    private static final long ANNOUNCE_WAIT_NS = 2_000_000_000L;
    private static final int ANNOUNCE_NUM = 2;
    private static final long ANNOUNCE_INTERVAL_NS = 2_000_000_000L;
    private static final long DEFEND_INTERVAL_NS = 10_000_000_000L;

    private final NetworkInterface link;
    private final OwnAddresses own;
    private final Routes routes;
    private final Counters counters;
    private final RandomGenerator random;
    private final boolean answering;
    private long nextDeadlineNs = Long.MAX_VALUE;

    Arp(
            NetworkInterface link,
            OwnAddresses own,
            Routes routes,
            boolean answering,
            Counters counters,
            RandomGenerator random) {
        this.link = link;
        this.own = own;
        this.routes = routes;
        this.answering = answering;
        this.counters = counters;
        this.random = random;
    }

    // ---- receiving ----

    /** Takes an ARP packet that stands behind the Ethernet header of a frame from the link. */
    void onPacket(long address, int length, boolean toGroup, NeighborCache neighbors, long nowNs) {
        if (!ArpPacket.isValid(address, length)) {
            counters.increment(Counter.DROP_ARP_MALFORMED);
            return;
        }
        int sender = ArpPacket.senderIp(address);
        int target = ArpPacket.targetIp(address);
        long senderMac = ArpPacket.senderMac(address);
        boolean request = ArpPacket.operation(address) == ArpPacket.REQUEST;
        OwnAddress asked = find(target);
        if (senderMac == link.mac) {
            counters.increment(Counter.DROP_FRAME_OWN);
            return;
        }
        OwnAddress conflicting = find(sender);
        if (conflicting != null || (isProbing(asked) && request && sender == 0)) {
            onConflict(conflicting != null ? conflicting : asked, nowNs);
            return;
        }
        if (sender != 0 && !isOnLink(sender)) {
            counters.increment(Counter.DROP_ARP_MARTIAN);
            return;
        }
        if (request) {
            onRequest(asked, sender, senderMac, neighbors, nowNs);
        } else if (sender != 0) {
            boolean solicited = asked != null && !toGroup;
            neighbors.onAdvertisement(0, mapped(sender), senderMac, solicited, true, nowNs);
        } else {
            counters.increment(Counter.DROP_ARP_MALFORMED); // a reply for 0.0.0.0
        }
    }

    private void onRequest(
            @Nullable OwnAddress asked, int sender, long senderMac, NeighborCache neighbors, long nowNs) {
        if (asked == null) {
            if (sender != 0) { // RFC 826: what is already known is brought up to date
                neighbors.onAdvertisement(0, mapped(sender), senderMac, false, true, nowNs);
            }
            counters.increment(Counter.DROP_ARP_NOT_FOR_US);
            return;
        }
        if (sender != 0) {
            neighbors.onSolicitation(0, mapped(sender), senderMac, nowNs);
        }
        if (answering && transmit(ArpPacket.REPLY, asked.address.v4Bits(), senderMac, senderMac, sender)) {
            counters.increment(Counter.ARP_REQUESTS_ANSWERED);
        }
    }

    private @Nullable OwnAddress find(int address) {
        return own.find(0, mapped(address));
    }

    private static long mapped(int address) {
        return 0xffff_0000_0000L | (address & 0xffff_ffffL);
    }

    private boolean isOnLink(int sender) {
        return !own.isBroadcast(sender) && routes.isOnLink(IpAddress.v4(sender));
    }

    private static boolean isProbing(@Nullable OwnAddress address) {
        return address != null && address.state == OwnAddress.State.OPTIMISTIC;
    }

    private void onConflict(@Nullable OwnAddress address, long nowNs) {
        assert address != null : "a conflict about nothing";
        counters.increment(Counter.DROP_ADDRESS_CONFLICT);
        if (!answering) {
            return;
        }
        if (isProbing(address)) {
            address.state = OwnAddress.State.DUPLICATE;
            counters.increment(Counter.ADDRESSES_GIVEN_UP);
        } else if (address.lastDefenceNs == Long.MIN_VALUE || nowNs - address.lastDefenceNs >= DEFEND_INTERVAL_NS) {
            address.lastDefenceNs = nowNs;
            announce(address);
        }
    }

    // ---- sending ----

    @Override
    public void solicit(Neighbor neighbor, boolean unicast, long nowNs) {
        int target = (int) neighbor.low;
        int source = sourceTowards(IpAddress.v4(target));
        transmit(
                ArpPacket.REQUEST,
                source,
                unicast ? neighbor.mac : EthernetHeader.BROADCAST,
                unicast ? neighbor.mac : 0,
                target);
    }

    private int sourceTowards(IpAddress target) {
        IpAddress source = routes.sourceFor(target);
        return source == null ? 0 : source.v4Bits();
    }

    /** RFC 5227 §3: an announcement is a request for the own address from itself. */
    private void announce(OwnAddress address) {
        int bits = address.address.v4Bits();
        transmit(ArpPacket.REQUEST, bits, EthernetHeader.BROADCAST, 0, bits);
    }

    private boolean transmit(int operation, int senderIp, long destination, long targetMac, int targetIp) {
        Packet packet = link.allocate();
        if (packet == null) {
            return false;
        }
        packet.reset(TxQueue.HEADROOM);
        packet.length = EthernetHeader.BYTES + ArpPacket.BYTES;
        EthernetHeader.write(packet.address, destination, link.mac, EthernetHeader.TYPE_ARP);
        ArpPacket.write(packet.address + EthernetHeader.BYTES, operation, link.mac, senderIp, targetMac, targetIp);
        link.enqueue(packet, Kind.CONTROL);
        return true;
    }

    // ---- timers ----

    /** Announces the own addresses and begins to probe them. */
    void start(long nowNs) {
        for (int i = 0; i < own.all().size(); i++) {
            OwnAddress address = own.all().get(i);
            if (!address.address.isV4()) {
                continue;
            }
            if (!answering) {
                address.state = OwnAddress.State.PREFERRED;
                continue;
            }
            announce(address);
            address.deadlineNs = nowNs;
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
        nextDeadlineNs = Long.MAX_VALUE;
        for (int i = 0; i < own.all().size(); i++) {
            OwnAddress address = own.all().get(i);
            if (!address.address.isV4() || !address.isUsable() || address.announcementsSent == ANNOUNCE_NUM) {
                continue;
            }
            if (address.deadlineNs <= nowNs) {
                advance(address, nowNs);
            }
            if (address.announcementsSent < ANNOUNCE_NUM) {
                nextDeadlineNs = Math.min(nextDeadlineNs, address.deadlineNs);
            }
        }
    }

    private void advance(OwnAddress address, long nowNs) {
        if (address.probesSent < PROBE_NUM) {
            address.probesSent++;
            transmit(ArpPacket.REQUEST, 0, EthernetHeader.BROADCAST, 0, address.address.v4Bits());
            long wait = PROBE_MIN_NS + random.nextLong(PROBE_SPREAD_NS);
            address.deadlineNs = nowNs + (address.probesSent < PROBE_NUM ? wait : ANNOUNCE_WAIT_NS);
            return;
        }
        address.state = OwnAddress.State.PREFERRED;
        address.announcementsSent++;
        announce(address);
        address.deadlineNs = nowNs + ANNOUNCE_INTERVAL_NS;
    }
}
