package dev.millrace.provider.nio;

import dev.millrace.provider.routing.Route;
import dev.millrace.stack.wire.IpAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The peers that a channel has exchanged datagrams with lately, as the application names them and as the stack does, so that neither
 * direction makes objects for a peer it knows. Set-associative: of more peers than a set has places the latest stay. One thread at a time.
 */
final class DatagramPeers {
    private static final int SETS = 16;
    private static final int PLACES_PER_SET = 4;

    /** One of them. */
    static final class Peer {
        final InetSocketAddress socketAddress;
        /** Where datagrams to it go; loopback instead of the any-address. */
        final IpAddress address;

        final int port;

        /** The sender's own note of which side leads to it; null when none does, or before it is {@link #routed}. */
        @Nullable
        Route route;

        boolean routed;

        /** The next datagram to it may go otherwise. */
        boolean mayChange;

        private Peer(InetSocketAddress socketAddress, IpAddress address, int port) {
            this.socketAddress = socketAddress;
            this.address = address;
            this.port = port;
        }

        private boolean is(long high, long low, int otherPort) {
            return port == otherPort && address.low() == low && address.high() == high;
        }
    }

    private @Nullable Peer @Nullable [] places;
    private int replaced;

    /** The peer with this address, which a datagram came from. */
    Peer of(long high, long low, int port) {
        @Nullable Peer[] all = places();
        int set = set((int) (low ^ low >>> 32 ^ high ^ high >>> 32) + port);
        for (int i = set; i < set + PLACES_PER_SET; i++) {
            Peer known = all[i];
            if (known != null && known.is(high, low, port)) {
                return known;
            }
        }
        IpAddress address = new IpAddress(high, low);
        return keep(new Peer(Addresses.socketAddress(address, port), address, port), set);
    }

    /** The peer that the application calls {@code target}: resolved, checked. */
    Peer of(InetSocketAddress target) {
        @Nullable Peer[] all = places();
        int set = set(target.hashCode());
        for (int i = set; i < set + PLACES_PER_SET; i++) {
            Peer known = all[i];
            if (known != null && known.socketAddress.equals(target)) {
                return known;
            }
        }
        return keep(new Peer(target, Addresses.ip(Addresses.loopbackIfAny(target)), target.getPort()), set);
    }

    /** In place of the set's others in turn. */
    private Peer keep(Peer peer, int set) {
        places()[set + (replaced++ & PLACES_PER_SET - 1)] = peer;
        return peer;
    }

    /** Where the set begins. */
    private static int set(int hash) {
        return (hash * 0x9e37_79b9 >>> -Integer.numberOfTrailingZeros(SETS)) * PLACES_PER_SET;
    }

    private @Nullable Peer[] places() {
        @Nullable Peer[] existing = places;
        if (existing == null) {
            existing = new @Nullable Peer[SETS * PLACES_PER_SET];
            places = existing;
        }
        return existing;
    }
}
