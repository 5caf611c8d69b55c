package dev.millrace.stack.ip;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.NeighborMessage;

/**
 * Duplicate address detection for IPv6 (RFC 4862 §5.4) in its optimistic form (RFC 4429): addresses serve while the question is out.
 * Core thread only.
 */
final class DuplicateAddressDetection {
    /** RFC 4862 §5.1 DupAddrDetectTransmits 1, RFC 4861 §10 RETRANS_TIMER. */
    private static final int TRANSMITS = 1;

    private static final long RETRANS_NS = 1_000_000_000L;

    private final OwnAddresses own;
    private final DiscoveryOutput output;
    private final boolean answering;
    private final Counters counters;
    private long nextDeadlineNs = Long.MAX_VALUE;

    DuplicateAddressDetection(OwnAddresses own, DiscoveryOutput output, boolean answering, Counters counters) {
        this.own = own;
        this.output = output;
        this.answering = answering;
        this.counters = counters;
    }

    void start(long nowNs) {
        for (int i = 0; i < own.all().size(); i++) {
            OwnAddress address = own.all().get(i);
            if (address.address.isV4()) {
                continue;
            }
            if (!answering) {
                address.state = OwnAddress.State.PREFERRED;
                continue;
            }
            address.deadlineNs = nowNs;
            nextDeadlineNs = nowNs;
        }
    }

    /**
     * Somebody asks, as we do or did, whether an address of ours is free (RFC 4862 §5.4.3).
     *
     * @return true when the address has been given up; otherwise it is to be defended
     */
    boolean onProbe(OwnAddress address) {
        if (address.state == OwnAddress.State.OPTIMISTIC && answering) {
            onConflict(address);
            return true;
        }
        return false;
    }

    /** Somebody says that an address of ours is his (RFC 4862 §5.4.4). Once detection is over, ours stays (§5.4). */
    void onConflict(OwnAddress address) {
        counters.increment(Counter.DROP_ADDRESS_CONFLICT);
        if (address.state == OwnAddress.State.OPTIMISTIC && answering) {
            address.state = OwnAddress.State.DUPLICATE;
            counters.increment(Counter.ADDRESSES_GIVEN_UP);
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
            if (address.address.isV4() || address.state != OwnAddress.State.OPTIMISTIC) {
                continue;
            }
            if (address.deadlineNs <= nowNs) {
                advance(address, nowNs);
            }
            if (address.state == OwnAddress.State.OPTIMISTIC) {
                nextDeadlineNs = Math.min(nextDeadlineNs, address.deadlineNs);
            }
        }
    }

    private void advance(OwnAddress address, long nowNs) {
        if (address.probesSent < TRANSMITS) {
            address.probesSent++;
            output.solicitation(IpAddress.ANY6, address.address.high(), address.address.low(), 0, false);
            address.deadlineNs = nowNs + RETRANS_NS;
        } else {
            address.state = OwnAddress.State.PREFERRED;
            announce(address);
        }
    }

    /** Unsolicited, so that neighbours forget an older hardware address (RFC 4861 §7.2.6). */
    private void announce(OwnAddress address) {
        output.advertisement(
                address.address,
                NeighborMessage.LINK_SCOPE_HIGH,
                NeighborMessage.ALL_NODES_LOW,
                0,
                NeighborMessage.OVERRIDE);
    }
}
