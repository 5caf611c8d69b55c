package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code channel.socket()}: a whole {@link Socket} or {@link ServerSocket} on top of the channel. */
class SocketAdaptorTest extends ContractTest {
    @Test
    void adaptorsKnowTheirChannels() throws Exception {
        ServerSocketChannel listener = listen();
        SocketChannel client = connect(listener);
        assertSame(client, client.socket().getChannel());
        assertSame(client.socket(), client.socket());
        assertSame(listener, listener.socket().getChannel());
        Socket socket = client.socket();
        assertTrue(socket.isConnected() && socket.isBound() && !socket.isClosed());
        assertEquals(client.getLocalAddress(), socket.getLocalSocketAddress());
        assertEquals(client.getRemoteAddress(), socket.getRemoteSocketAddress());
        assertEquals(((InetSocketAddress) listener.getLocalAddress()).getPort(), socket.getPort());
        assertEquals(((InetSocketAddress) client.getLocalAddress()).getPort(), socket.getLocalPort());
        assertEquals(loopback(), socket.getInetAddress());
        assertEquals(listener.getLocalAddress(), listener.socket().getLocalSocketAddress());
        socket.close();
        assertTrue(socket.isClosed());
        assertFalse(client.isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void streamsCarryBytesBothWaysAtOnce(ThreadKind kind) throws Exception {
        Pair pair = pair();
        InputStream input = pair.client().socket().getInputStream();
        OutputStream output = pair.client().socket().getOutputStream();
        Task<Integer> reader = Task.start(kind, input::read).awaitBlocked();
        output.write("question".getBytes(StandardCharsets.US_ASCII));
        assertEquals("question", receive(pair.server(), 8));
        send(pair.server(), "!");
        assertEquals('!', reader.result());
        send(pair.server(), "rest");
        pair.server().shutdownOutput();
        assertArrayEquals("rest".getBytes(StandardCharsets.US_ASCII), input.readAllBytes());
        assertEquals(-1, input.read());
    }

    @ParameterizedTest
    @EnumSource
    void readTimesOutAndGoesOn(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Socket socket = pair.client().socket();
        socket.setSoTimeout(50);
        assertEquals(50, socket.getSoTimeout());
        Task.start(kind, () -> socket.getInputStream().read()).failure(SocketTimeoutException.class);
        assertTrue(pair.client().isOpen());
        send(pair.server(), "x");
        assertEquals('x', socket.getInputStream().read());
    }

    @ParameterizedTest
    @EnumSource
    void acceptTimesOutAndGoesOn(ThreadKind kind) throws Exception {
        ServerSocketChannel listener = listen();
        ServerSocket socket = listener.socket();
        socket.setSoTimeout(50);
        Task.start(kind, socket::accept).failure(SocketTimeoutException.class);
        SocketChannel client = connect(listener);
        Socket accepted = closing(socket.accept());
        assertEquals(client.getLocalAddress(), accepted.getRemoteSocketAddress());
        assertTrue(accepted.getChannel() != null, "an adaptor accepts channels");
    }

    @Test
    void connectWithTimeout() throws Exception {
        SocketChannel channel = open();
        Socket socket = channel.socket();
        assertFalse(socket.isConnected());
        socket.connect(listen().getLocalAddress(), 10_000);
        assertTrue(channel.isConnected());
        SocketChannel refused = open();
        InetSocketAddress dead = deadAddress();
        ConnectException failure =
                assertThrows(ConnectException.class, () -> refused.socket().connect(dead, 10_000));
        assertEquals("Connection refused", failure.getMessage());
        assertFalse(refused.isOpen());
    }

    @Test
    void nonBlockingChannelsRefuseStreams() throws Exception {
        Pair pair = pair();
        InputStream input = pair.client().socket().getInputStream();
        pair.client().configureBlocking(false);
        assertThrows(IllegalBlockingModeException.class, input::read);
        assertThrows(
                IllegalBlockingModeException.class,
                () -> pair.client().socket().getOutputStream().write(1));
        ServerSocketChannel listener = listen();
        listener.configureBlocking(false);
        assertThrows(IllegalBlockingModeException.class, () -> listener.socket().accept());
    }

    @Test
    void optionsGoThrough() throws Exception {
        Pair pair = pair();
        Socket socket = pair.client().socket();
        socket.setTcpNoDelay(true);
        assertTrue(pair.client().getOption(StandardSocketOptions.TCP_NODELAY));
        socket.setKeepAlive(true);
        assertTrue(socket.getKeepAlive());
        socket.setSoLinger(true, 5);
        assertEquals(5, socket.getSoLinger());
        socket.setReceiveBufferSize(60_000);
        assertTrue(socket.getReceiveBufferSize() >= 60_000);
        socket.setSendBufferSize(60_000);
        assertTrue(socket.getSendBufferSize() >= 60_000);
        socket.setReuseAddress(true);
        assertTrue(socket.getReuseAddress());
        socket.setTrafficClass(8);
        socket.getTrafficClass();
        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, false);
        assertFalse(socket.getOption(StandardSocketOptions.SO_KEEPALIVE));
        assertEquals(pair.client().supportedOptions(), socket.supportedOptions());
    }

    @Test
    void halfCloseGoesThrough() throws Exception {
        Pair pair = pair();
        Socket socket = pair.client().socket();
        socket.shutdownOutput();
        assertTrue(socket.isOutputShutdown());
        assertEquals("", receive(pair.server(), 1));
        socket.shutdownInput();
        assertTrue(socket.isInputShutdown());
        assertThrows(ClosedChannelException.class, () -> pair.client().write(bytes("x")));
    }

    @Test
    void urgentDataIsReadInLine() throws Exception {
        Pair pair = pair();
        pair.server().socket().setOOBInline(true);
        assertTrue(pair.server().socket().getOOBInline());
        pair.client().socket().sendUrgentData('u');
        assertEquals("u", receive(pair.server(), 1));
    }

    @Test
    void urgentDataIsDiscardedUnlessWantedInLine() throws Exception {
        Pair pair = pair();
        assertFalse(pair.server().socket().getOOBInline());
        pair.client().socket().sendUrgentData('u');
        send(pair.client(), "after");
        assertEquals("after", receive(pair.server(), 5));
    }

    @Test
    void urgentDataNeedsAnOpenOutput() throws Exception {
        Pair pair = pair();
        pair.client().shutdownOutput();
        assertThrows(IOException.class, () -> pair.client().socket().sendUrgentData('u'));
    }

    @Test
    void bytesThatWaitAreAvailable() throws Exception {
        Pair pair = pair();
        InputStream input = pair.client().socket().getInputStream();
        assertEquals(0, input.available());
        send(pair.server(), "12345");
        assertEquals('1', input.read());
        assertEquals(4, input.available());
    }

    @Test
    void serverSocketBindsAndReports() throws Exception {
        ServerSocketChannel listener = closing(provider.openServerSocketChannel());
        ServerSocket socket = listener.socket();
        assertFalse(socket.isBound());
        assertEquals(-1, socket.getLocalPort());
        socket.setReuseAddress(true);
        socket.bind(new InetSocketAddress(loopback(), 0), 10);
        assertTrue(socket.isBound());
        assertTrue(socket.getLocalPort() > 0);
        assertEquals(loopback(), socket.getInetAddress());
        socket.close();
        assertFalse(listener.isOpen());
        assertThrows(ClosedChannelException.class, socket::accept);
    }
}
