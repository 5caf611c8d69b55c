package dev.millrace.stack.ip;

import dev.millrace.stack.wire.IpAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the IP layer is told about its network. Immutable.
 *
 * @param addresses own addresses on the link; loopback addresses are always there and not listed
 * @param gateways next hops for everything off-link, at most one per family
 * @param shard number of this instance among those of its stack
 * @param shards how many there are
 * @param hopLimit time to live and hop limit of what is sent; 0 for the usual, which over IPv6 a router may advertise
 */
public record NetworkConfig(
        List<InterfaceAddress> addresses, List<IpAddress> gateways, int shard, int shards, int hopLimit) {

    /** One own address and the length of its on-link prefix in bits (of 32 or 128). */
    public record InterfaceAddress(IpAddress address, int prefixLength) {
        public boolean contains(IpAddress other) {
            return address.sharesPrefix(other, prefixLength);
        }
    }

    public NetworkConfig {
        addresses = List.copyOf(addresses);
        gateways = List.copyOf(gateways);
    }

    /** With the usual hop limit. */
    public NetworkConfig(List<InterfaceAddress> addresses, List<IpAddress> gateways, int shard, int shards) {
        this(addresses, gateways, shard, shards, 0);
    }

    /**
     * Whether this instance speaks for the host: answers ARP requests and neighbour solicitations, announces and defends addresses.
     * Exactly one does; all of them learn, from the copies of ARP and neighbour discovery frames that the port gives to every shard.
     */
    public boolean answering() {
        return shard == 0;
    }

    /** The gateway of that family, or null. */
    public @Nullable IpAddress gateway(boolean v4) {
        for (IpAddress gateway : gateways) {
            if (gateway.isV4() == v4) {
                return gateway;
            }
        }
        return null;
    }
}
