package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.BindException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetBoundException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import org.junit.jupiter.api.Test;

/** Binding, and the addresses that a channel reports. */
class AddressTest extends ContractTest {
    @Test
    void bothEndsAgreeOnTheirAddresses() throws Exception {
        ServerSocketChannel listener = listen();
        SocketChannel client = connect(listener);
        SocketChannel server = closing(listener.accept());
        assertEquals(listener.getLocalAddress(), client.getRemoteAddress());
        assertEquals(listener.getLocalAddress(), server.getLocalAddress());
        assertEquals(client.getLocalAddress(), server.getRemoteAddress());
        assertTrue(((InetSocketAddress) client.getLocalAddress()).getAddress().isLoopbackAddress());
    }

    @Test
    void unboundChannelsHaveNone() throws Exception {
        assertNull(open().getLocalAddress());
        assertNull(open().getRemoteAddress());
        ServerSocketChannel listener = closing(provider.openServerSocketChannel());
        assertNull(listener.getLocalAddress());
        assertThrows(NotYetBoundException.class, listener::accept);
        listener.close();
        assertThrows(ClosedChannelException.class, listener::getLocalAddress);
    }

    @Test
    void nullAndPortZeroMeanAnEphemeralPort() throws Exception {
        ServerSocketChannel first = closing(provider.openServerSocketChannel());
        assertEquals(first, first.bind(null));
        SocketChannel second = open();
        second.bind(new InetSocketAddress(loopback(), 0));
        InetSocketAddress firstAddress = (InetSocketAddress) first.getLocalAddress();
        InetSocketAddress secondAddress = (InetSocketAddress) second.getLocalAddress();
        assertTrue(firstAddress.getAddress().isAnyLocalAddress());
        assertEquals(loopback(), secondAddress.getAddress());
        assertTrue(firstAddress.getPort() > 0 && secondAddress.getPort() > 0);
        assertNotEquals(firstAddress.getPort(), secondAddress.getPort());
    }

    @Test
    void aBoundClientKeepsItsPort() throws Exception {
        ServerSocketChannel listener = listen();
        SocketChannel client = open();
        client.bind(new InetSocketAddress(loopback(), 0));
        InetSocketAddress local = (InetSocketAddress) client.getLocalAddress();
        client.connect(listener.getLocalAddress());
        assertEquals(local, client.getLocalAddress());
        assertEquals(local, closing(listener.accept()).getRemoteAddress());
    }

    @Test
    void aWildcardListenerReportsTheWildcardAndItsConnectionsTheirOwn() throws Exception {
        ServerSocketChannel listener = closing(provider.openServerSocketChannel());
        listener.bind(new InetSocketAddress(0));
        InetSocketAddress bound = (InetSocketAddress) listener.getLocalAddress();
        assertTrue(bound.getAddress().isAnyLocalAddress());
        SocketChannel client = open();
        client.connect(new InetSocketAddress(loopback(), bound.getPort()));
        SocketChannel server = closing(listener.accept());
        assertEquals(new InetSocketAddress(loopback(), bound.getPort()), server.getLocalAddress());
    }

    @Test
    void bindingTwiceIsRefused() throws Exception {
        ServerSocketChannel listener = listen();
        assertThrows(AlreadyBoundException.class, () -> listener.bind(null));
        SocketChannel client = open();
        client.bind(null);
        assertThrows(AlreadyBoundException.class, () -> client.bind(null));
    }

    @Test
    void aPortInUseIsRefused() throws Exception {
        ServerSocketChannel listener = listen();
        ServerSocketChannel other = closing(provider.openServerSocketChannel());
        BindException refused = assertThrows(BindException.class, () -> other.bind(listener.getLocalAddress()));
        assertEquals("Address already in use", refused.getMessage());
        assertTrue(other.isOpen());
    }

    @Test
    void aPortIsFreeAgainAfterItsListenerClosed() throws Exception {
        ServerSocketChannel listener = listen();
        InetSocketAddress address = (InetSocketAddress) listener.getLocalAddress();
        SocketChannel client = connect(listener);
        SocketChannel server = closing(listener.accept());
        listener.close();
        ServerSocketChannel next = closing(provider.openServerSocketChannel());
        next.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        next.bind(address);
        send(server, "the old connection lives on");
        assertEquals("the old", receive(client, 7));
        connect(next);
        assertEquals(address, closing(next.accept()).getLocalAddress());
    }

    @Test
    void foreignAndWrongAddressesAreRefused() throws Exception {
        SocketChannel channel = open();
        BindException refused = assertThrows(
                BindException.class,
                () -> channel.bind(new InetSocketAddress(InetAddress.ofLiteral("198.18.255.254"), 0)));
        assertEquals("Cannot assign requested address", refused.getMessage());
        assertThrows(
                UnresolvedAddressException.class,
                () -> open().bind(InetSocketAddress.createUnresolved("unresolved.invalid", 1)));
    }

    @Test
    void familiesAreKept() throws Exception {
        SocketChannel inet = closing(provider.openSocketChannel(StandardProtocolFamily.INET));
        InetSocketAddress six = new InetSocketAddress(InetAddress.ofLiteral("::1"), 0);
        assertThrows(UnsupportedAddressTypeException.class, () -> inet.bind(six));
        inet.bind(null);
        assertInstanceOf(Inet4Address.class, ((InetSocketAddress) inet.getLocalAddress()).getAddress());
        assertThrows(
                UnsupportedOperationException.class,
                () -> provider.openDatagramChannel(StandardProtocolFamily.UNIX).close());
    }

    @Test
    void ipv6Works() throws Exception {
        ServerSocketChannel listener = closing(provider.openServerSocketChannel(StandardProtocolFamily.INET6));
        listener.bind(new InetSocketAddress(InetAddress.ofLiteral("::1"), 0));
        SocketChannel client = closing(provider.openSocketChannel(StandardProtocolFamily.INET6));
        client.connect(listener.getLocalAddress());
        SocketChannel server = closing(listener.accept());
        assertEquals(InetAddress.ofLiteral("::1"), ((InetSocketAddress) client.getLocalAddress()).getAddress());
        send(client, "six");
        assertEquals("six", receive(server, 3));
    }
}
