package dev.millrace.provider.nio;

import dev.millrace.provider.routing.Route;
import dev.millrace.stack.wire.IpAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The peers that a channel has exchanged datagrams with lately, as the application names them and as the stack does, so that neither
 * direction makes objects for a peer it knows. Direct-mapped: of two peers with one place the later stays. One thread at a time.
 */
final class DatagramPeers {
    private static final int PLACES = 32;

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

    /** The peer with this address, which a datagram came from. */
    Peer of(long high, long low, int port) {
        int place = place((int) (low ^ low >>> 32 ^ high ^ high >>> 32) + port);
        Peer known = places()[place];
        if (known == null || !known.is(high, low, port)) {
            IpAddress address = new IpAddress(high, low);
            known = new Peer(Addresses.socketAddress(address, port), address, port);
            places()[place] = known;
        }
        return known;
    }

    /** The peer that the application calls {@code target}: resolved, checked. */
    Peer of(InetSocketAddress target) {
        int place = place(target.hashCode());
        Peer known = places()[place];
        if (known == null || !known.socketAddress.equals(target)) {
            known = new Peer(target, Addresses.ip(Addresses.loopbackIfAny(target)), target.getPort());
            places()[place] = known;
        }
        return known;
    }

    private static int place(int hash) {
        return hash * 0x9e37_79b9 >>> -Integer.numberOfTrailingZeros(PLACES);
    }

    private @Nullable Peer[] places() {
        @Nullable Peer[] existing = places;
        if (existing == null) {
            existing = new @Nullable Peer[PLACES];
            places = existing;
        }
        return existing;
    }
}
