package dev.millrace.stack.ip;

import dev.millrace.stack.wire.IpAddress;
import org.jspecify.annotations.Nullable;

/**
 * Where packets go next, and from which address: own prefixes, then the gateway of the family (RFC 1122 §3.3.1, 4861 §5.2). Core
 * thread only; used when a path is made, not per packet.
 */
final class Routes {
    private static final IpAddress LOOPBACK4 = IpAddress.v4(0x7f00_0001);
    private static final IpAddress LOOPBACK6 = new IpAddress(0, 1);

    private final OwnAddresses own;
    private final NetworkConfig config;

    Routes(OwnAddresses own, NetworkConfig config) {
        this.own = own;
        this.config = config;
    }

    /** The neighbour to hand packets for {@code remote} to, which is not this host; null when there is no route. */
    @Nullable
    IpAddress nextHop(IpAddress remote) {
        if (remote.isMulticast() || remote.isAny() || (remote.isV4() && own.isBroadcast(remote.v4Bits()))) {
            return null;
        }
        if (isOnLink(remote)) {
            return remote;
        }
        return config.gateway(remote.isV4());
    }

    /** Whether an address is reached directly: link-local, in an own prefix, or a gateway. */
    boolean isOnLink(IpAddress remote) {
        boolean v6LinkLocal = !remote.isV4() && remote.isLinkLocal();
        boolean family = false;
        for (int i = 0; i < own.all().size(); i++) {
            OwnAddress each = own.all().get(i);
            if (each.address.isV4() == remote.isV4()) {
                family = true;
                if (each.onLink(remote)) {
                    return true;
                }
            }
        }
        return family && (v6LinkLocal || remote.equals(config.gateway(remote.isV4())));
    }

    /** The own address for packets to {@code remote}, or null when there is no route (RFC 1122 §3.3.4.3, 6724 §5). */
    @Nullable
    IpAddress sourceFor(IpAddress remote) {
        if (remote.isLoopback()) {
            return remote.isV4() ? LOOPBACK4 : LOOPBACK6;
        }
        OwnAddress itself = own.find(remote.high(), remote.low());
        if (itself != null) {
            return itself.address;
        }
        IpAddress nextHop = nextHop(remote);
        if (nextHop == null) {
            return null;
        }
        OwnAddress best = null;
        for (int i = 0; i < own.all().size(); i++) {
            OwnAddress each = own.all().get(i);
            if (each.isUsable()
                    && each.address.isV4() == remote.isV4()
                    && (best == null || SourceAddressRule.prefers(each, best, remote, nextHop))) {
                best = each;
            }
        }
        return best == null ? null : best.address;
    }
}
