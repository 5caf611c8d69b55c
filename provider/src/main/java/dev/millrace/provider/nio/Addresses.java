package dev.millrace.provider.nio;

import dev.millrace.stack.wire.IpAddress;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Socket addresses as the application gives and gets them, checked and converted the way the JDK's channels do it. */
final class Addresses {
    private static final InetAddress ANY4 = inet(IpAddress.ANY4);
    private static final InetAddress ANY6 = inet(new byte[16]);
    private static final InetAddress LOOPBACK4 = inet(IpAddress.v4(0x7f00_0001));
    private static final InetAddress LOOPBACK6 = inet(new IpAddress(0, 1));

    private Addresses() {}

    /**
     * A resolved IPv4 or IPv6 socket address, of the channel's family.
     *
     * @throws UnresolvedAddressException if it has no address yet
     * @throws UnsupportedAddressTypeException if it is of another kind, or IPv6 on a channel of family INET
     */
    static InetSocketAddress check(SocketAddress address, ProtocolFamily family) {
        Objects.requireNonNull(address);
        if (!(address instanceof InetSocketAddress inet)) {
            throw new UnsupportedAddressTypeException();
        }
        if (inet.isUnresolved()) {
            throw new UnresolvedAddressException();
        }
        if (family == StandardProtocolFamily.INET && inet.getAddress() instanceof Inet6Address) {
            throw new UnsupportedAddressTypeException();
        }
        return inet;
    }

    /** As {@link #check}; the any-address becomes loopback, as a connect to it reaches the own host. */
    static InetSocketAddress checkRemote(SocketAddress remote, ProtocolFamily family) {
        return loopbackIfAny(check(remote, family));
    }

    /** Where a packet to this address goes: to the own host, for the any-address. */
    static InetSocketAddress loopbackIfAny(InetSocketAddress remote) {
        if (!remote.getAddress().isAnyLocalAddress()) {
            return remote;
        }
        InetAddress loopback = remote.getAddress() instanceof Inet4Address ? LOOPBACK4 : LOOPBACK6;
        return new InetSocketAddress(loopback, remote.getPort());
    }

    /**
     * What to bind to: {@code null} stands for any address and an ephemeral port, and any-address means the family's own: on a socket of
     * family INET6 both families at once.
     */
    static InetSocketAddress checkLocal(@Nullable SocketAddress local, ProtocolFamily family) {
        if (local == null) {
            return new InetSocketAddress(any(family), 0);
        }
        InetSocketAddress inet = check(local, family);
        return inet.getAddress().isAnyLocalAddress() ? new InetSocketAddress(any(family), inet.getPort()) : inet;
    }

    static InetAddress any(ProtocolFamily family) {
        return family == StandardProtocolFamily.INET ? ANY4 : ANY6;
    }

    static IpAddress ip(InetSocketAddress address) {
        return IpAddress.of(address.getAddress().getAddress());
    }

    static InetSocketAddress socketAddress(IpAddress address, int port) {
        return new InetSocketAddress(address.equals(IpAddress.ANY6) ? ANY6 : inet(address), port);
    }

    private static InetAddress inet(IpAddress address) {
        return inet(address.bytes());
    }

    private static InetAddress inet(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 or 16 bytes are always an address", e);
        }
    }
}
