package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_CONNECT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NoConnectionPendingException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connecting, and each way in which it fails. */
class ConnectTest extends ContractTest {
    @ParameterizedTest
    @EnumSource
    void refusedWhileBlocking(ThreadKind kind) throws Exception {
        InetSocketAddress dead = deadAddress();
        SocketChannel channel = open();
        ConnectException refused = Task.start(kind, () -> channel.connect(dead)).failure(ConnectException.class);
        assertEquals("Connection refused", refused.getMessage());
        assertFalse(channel.isOpen());
        assertThrows(ClosedChannelException.class, () -> channel.connect(dead));
    }

    @Test
    void refusedWithoutBlocking() throws Exception {
        InetSocketAddress dead = deadAddress();
        SocketChannel channel = open();
        channel.configureBlocking(false);
        SelectionKey key = channel.register(selector(), OP_CONNECT);
        ConnectException refused = assertThrows(ConnectException.class, () -> {
            assertFalse(channel.connect(dead));
            awaitReady(key, OP_CONNECT);
            channel.finishConnect();
        });
        assertEquals("Connection refused", refused.getMessage());
        assertFalse(channel.isOpen());
        assertFalse(key.isValid());
    }

    @Test
    void theOrderOfCallsIsChecked() throws Exception {
        SocketChannel channel = open();
        assertFalse(channel.isConnected());
        assertThrows(NotYetConnectedException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertThrows(NotYetConnectedException.class, () -> channel.write(ByteBuffer.allocate(1)));
        assertThrows(NotYetConnectedException.class, channel::shutdownInput);
        assertThrows(NotYetConnectedException.class, channel::shutdownOutput);
        assertThrows(NoConnectionPendingException.class, channel::finishConnect);
        ServerSocketChannel listener = listen();
        assertTrue(channel.connect(listener.getLocalAddress()));
        assertTrue(channel.isConnected());
        assertThrows(AlreadyConnectedException.class, () -> channel.connect(listener.getLocalAddress()));
    }

    @Test
    void wrongAddressesAreRefusedAndCloseNothing() throws Exception {
        SocketChannel channel = open();
        assertThrows(
                UnresolvedAddressException.class,
                () -> channel.connect(InetSocketAddress.createUnresolved("unresolved.invalid", 1)));
        assertThrows(
                UnsupportedAddressTypeException.class,
                () -> channel.connect(new SocketAddress() {
                    private static final long serialVersionUID = 1L;
                }));
        assertThrows(NullPointerException.class, () -> channel.connect(null));
        ServerSocketChannel listener = listen();
        assertTrue(channel.isOpen());
        assertTrue(channel.connect(listener.getLocalAddress()));
    }

    @Test
    void theWildcardAddressMeansLoopback() throws Exception {
        ServerSocketChannel listener = closing(provider.openServerSocketChannel());
        listener.bind(new InetSocketAddress(0));
        int port = ((InetSocketAddress) listener.getLocalAddress()).getPort();
        SocketChannel channel = open();
        assertTrue(channel.connect(new InetSocketAddress(port)));
        InetSocketAddress remote = (InetSocketAddress) channel.getRemoteAddress();
        assertTrue(remote.getAddress().isLoopbackAddress(), remote.toString());
        assertEquals(channel.getLocalAddress(), closing(listener.accept()).getRemoteAddress());
    }

    @Test
    void closeEndsAPendingConnect() throws Exception {
        ServerSocketChannel listener = listen();
        SocketChannel channel = open();
        channel.configureBlocking(false);
        channel.connect(listener.getLocalAddress());
        channel.close();
        assertThrows(ClosedChannelException.class, channel::finishConnect);
        assertFalse(channel.isConnectionPending());
    }

    @Test
    void waitingConnectionsAreAcceptedOnceEach() throws Exception {
        ServerSocketChannel listener = listen();
        Set<SocketAddress> connected = new HashSet<>();
        Set<SocketAddress> accepted = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            connected.add(connect(listener).getLocalAddress());
        }
        for (int i = 0; i < 20; i++) {
            accepted.add(closing(listener.accept()).getRemoteAddress());
        }
        assertEquals(connected, accepted);
    }
}
