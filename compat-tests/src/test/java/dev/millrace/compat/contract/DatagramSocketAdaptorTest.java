package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.Rule;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.MembershipKey;
import java.util.List;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code DatagramChannel.socket()}, options and groups. */
@Rule("tcp.md: UDP")
class DatagramSocketAdaptorTest extends ContractTest {
    private static final Map<SocketOption<?>, List<?>> EXACT = Map.of(
            StandardSocketOptions.SO_BROADCAST, List.of(true, false),
            StandardSocketOptions.SO_REUSEADDR, List.of(true, false),
            StandardSocketOptions.SO_REUSEPORT, List.of(true, false),
            StandardSocketOptions.IP_TOS, List.of(0x10, 0xb8, 0),
            StandardSocketOptions.IP_MULTICAST_TTL, List.of(0, 1, 255),
            StandardSocketOptions.IP_MULTICAST_LOOP, List.of(true, false),
            ExtendedSocketOptions.IP_DONTFRAGMENT, List.of(true, false));

    private DatagramChannel openDatagram() throws IOException {
        return closing(provider.openDatagramChannel());
    }

    private DatagramSocket bound() throws IOException {
        return openDatagram().bind(new InetSocketAddress(loopback(), 0)).socket();
    }

    private static DatagramPacket packet(int room) {
        return new DatagramPacket(new byte[room], room);
    }

    // ---- datagrams ----

    @Test
    void packetsAreExchanged() throws Exception {
        DatagramSocket a = bound();
        DatagramSocket b = bound();
        byte[] text = "xhello".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        a.send(new DatagramPacket(text, 1, 5, b.getLocalSocketAddress()));
        DatagramPacket packet = new DatagramPacket(new byte[20], 3, 17);
        b.receive(packet);
        assertEquals(a.getLocalSocketAddress(), packet.getSocketAddress());
        assertEquals(
                "hello",
                new String(
                        packet.getData(),
                        packet.getOffset(),
                        packet.getLength(),
                        java.nio.charset.StandardCharsets.UTF_8));
        assertEquals(3, packet.getOffset());
    }

    @Test
    void aPacketKeepsItsRoom() throws Exception {
        DatagramSocket a = bound();
        DatagramSocket b = bound();
        DatagramPacket first = packet(100);
        DatagramPacket second = packet(3);
        for (int size : new int[] {1, 50, 2, 100, 120}) {
            for (DatagramPacket packet : List.of(first, second)) {
                a.send(new DatagramPacket(new byte[size], size, b.getLocalSocketAddress()));
                b.receive(packet);
                assertEquals(Math.min(size, packet.getData().length), packet.getLength());
            }
        }
        first.setLength(10);
        a.send(new DatagramPacket(new byte[50], 50, b.getLocalSocketAddress()));
        b.receive(first);
        assertEquals(10, first.getLength());
    }

    @Test
    void aReceivedPacketIsItsOwnAnswer() throws Exception {
        DatagramSocket a = bound();
        DatagramSocket b = bound();
        a.send(new DatagramPacket(new byte[7], 7, b.getLocalSocketAddress()));
        DatagramPacket packet = packet(100);
        b.receive(packet);
        b.send(packet);
        a.receive(packet);
        assertEquals(7, packet.getLength());
        assertEquals(b.getLocalSocketAddress(), packet.getSocketAddress());
    }

    @ParameterizedTest
    @EnumSource
    void aTimedReceiveGivesUpAndTheSocketLives(ThreadKind kind) throws Exception {
        DatagramSocket a = bound();
        DatagramSocket b = bound();
        b.setSoTimeout(30);
        Task<?> receiving = Task.start(kind, () -> {
            b.receive(packet(1));
            return null;
        });
        SocketTimeoutException gaveUp = receiving.failure(SocketTimeoutException.class);
        assertEquals("Receive timed out", gaveUp.getMessage());
        a.send(new DatagramPacket(new byte[1], 1, b.getLocalSocketAddress()));
        b.setSoTimeout(20_000);
        b.receive(packet(1));
        assertEquals(20_000, b.getSoTimeout());
    }

    @Test
    void aConnectedSocketNeedsNoAddressAndTakesNoOther() throws Exception {
        DatagramSocket a = bound();
        DatagramSocket b = bound();
        DatagramSocket c = bound();
        a.connect(b.getLocalSocketAddress());
        DatagramPacket packet = packet(3);
        a.send(packet);
        assertEquals(b.getLocalSocketAddress(), packet.getSocketAddress());
        b.receive(packet(3));
        assertEquals(
                "Connected and packet address differ",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> a.send(new DatagramPacket(new byte[1], 1, c.getLocalSocketAddress())))
                        .getMessage());
        a.connect(c.getLocalSocketAddress());
        assertEquals(c.getLocalSocketAddress(), a.getRemoteSocketAddress());
        a.send(packet(2));
        c.receive(packet(2));
        a.disconnect();
        assertFalse(a.isConnected());
        assertEquals(
                "Address not set",
                assertThrows(IllegalArgumentException.class, () -> a.send(packet(1)))
                        .getMessage());
    }

    @Test
    void theViewAnswersAsTheJdks() throws Exception {
        DatagramChannel channel = openDatagram();
        DatagramSocket socket = channel.socket();
        assertSame(socket, channel.socket());
        assertSame(channel, socket.getChannel());
        assertFalse(socket.isBound() || socket.isConnected() || socket.isClosed());
        assertEquals(0, socket.getLocalPort());
        assertEquals(-1, socket.getPort());
        assertNull(socket.getInetAddress());
        assertNull(socket.getLocalSocketAddress());
        assertNull(socket.getRemoteSocketAddress());
        assertTrue(socket.getLocalAddress().isAnyLocalAddress());
        socket.bind(null);
        assertTrue(socket.isBound());
        assertEquals(channel.getLocalAddress(), socket.getLocalSocketAddress());
        SocketException twice = assertThrows(SocketException.class, () -> socket.bind(null));
        assertEquals("Already bound", twice.getMessage());
        DatagramSocket peer = bound();
        socket.connect(peer.getLocalAddress(), peer.getLocalPort());
        assertEquals(peer.getLocalPort(), socket.getPort());
        assertEquals(peer.getLocalAddress(), socket.getInetAddress());
        assertEquals(peer.getLocalSocketAddress(), channel.getRemoteAddress());
        socket.close();
        assertTrue(socket.isClosed());
        assertEquals(-1, socket.getLocalPort());
        assertNull(socket.getLocalAddress());
        assertNull(socket.getLocalSocketAddress());
        assertEquals(
                "Socket closed",
                assertThrows(SocketException.class, () -> socket.receive(packet(1)))
                        .getMessage());
        assertEquals(
                "Socket closed",
                assertThrows(SocketException.class, () -> socket.send(packet(1)))
                        .getMessage());
        assertEquals(
                "Socket is closed",
                assertThrows(SocketException.class, () -> socket.setSoTimeout(1))
                        .getMessage());
    }

    @Test
    void refusals() throws Exception {
        DatagramSocket socket = openDatagram().socket();
        assertThrows(IllegalArgumentException.class, () -> socket.connect(null));
        assertThrows(IllegalArgumentException.class, () -> socket.setSoTimeout(-1));
        assertThrows(IllegalArgumentException.class, () -> socket.setReceiveBufferSize(0));
        assertThrows(IllegalArgumentException.class, () -> socket.setSendBufferSize(0));
        SocketException unresolved = assertThrows(
                SocketException.class,
                () -> socket.connect(InetSocketAddress.createUnresolved("unresolved.invalid", 1)));
        assertEquals("Unresolved address", unresolved.getMessage());
        DatagramChannel channel = openDatagram();
        channel.configureBlocking(false);
        DatagramPacket packet = new DatagramPacket(new byte[1], 1, bound().getLocalSocketAddress());
        assertThrows(IllegalBlockingModeException.class, () -> channel.socket().send(packet));
        assertThrows(IllegalBlockingModeException.class, () -> channel.socket().receive(packet));
    }

    // ---- options ----

    @Test
    void theSameOptionsWithTheSameValues() throws Exception {
        try (DatagramChannel oracle = Subject.jdk().openDatagramChannel()) {
            DatagramChannel channel = openDatagram();
            assertEquals(oracle.supportedOptions(), channel.supportedOptions());
            for (SocketOption<?> option : oracle.supportedOptions()) {
                assertEquals(oracle.getOption(option), channel.getOption(option), option.name());
            }
        }
    }

    @Test
    void optionsAreKeptOverBindAndConnect() throws Exception {
        DatagramSocket peer = bound();
        for (Map.Entry<SocketOption<?>, List<?>> entry : EXACT.entrySet()) {
            for (Object value : entry.getValue()) {
                DatagramChannel channel = openDatagram();
                check(channel, entry.getKey(), value, true);
                channel.bind(new InetSocketAddress(loopback(), 0));
                check(channel, entry.getKey(), value, false);
                channel.connect(peer.getLocalSocketAddress());
                check(channel, entry.getKey(), value, false);
                check(channel, entry.getKey(), value, true);
            }
        }
    }

    @SuppressWarnings("unchecked") // the table has values of the options' types
    private static <T> void check(DatagramChannel channel, SocketOption<T> option, Object value, boolean set)
            throws IOException {
        if (set) {
            channel.setOption(option, (T) value);
        }
        assertEquals(value, channel.getOption(option), option.name());
    }

    @Test
    void wrongOptionsAreRefused() throws Exception {
        DatagramChannel channel = openDatagram();
        assertThrows(
                UnsupportedOperationException.class, () -> channel.setOption(StandardSocketOptions.TCP_NODELAY, true));
        assertThrows(UnsupportedOperationException.class, () -> channel.getOption(StandardSocketOptions.SO_LINGER));
        assertThrows(IllegalArgumentException.class, () -> channel.setOption(StandardSocketOptions.SO_RCVBUF, -1));
        assertThrows(NullPointerException.class, () -> channel.getOption(null));
        channel.close();
        assertThrows(ClosedChannelException.class, () -> channel.getOption(StandardSocketOptions.SO_RCVBUF));
        assertThrows(ClosedChannelException.class, () -> channel.setOption(StandardSocketOptions.SO_RCVBUF, 4096));
    }

    @Test
    void aSmallReceiveBufferDropsWhatItDoesNotHold() throws Exception {
        DatagramChannel receiver = openDatagram();
        receiver.setOption(StandardSocketOptions.SO_RCVBUF, 4096);
        receiver.bind(new InetSocketAddress(loopback(), 0));
        DatagramChannel last = openDatagram().bind(new InetSocketAddress(loopback(), 0));
        DatagramChannel sender = openDatagram();
        int sent = 1000;
        for (int i = 0; i < sent; i++) {
            assertEquals(1000, sender.send(ByteBuffer.allocate(1000), receiver.getLocalAddress()));
        }
        sender.send(bytes("x"), last.getLocalAddress());
        last.receive(ByteBuffer.allocate(1)); // by then the others have arrived or were dropped
        int received = receiver.receive(ByteBuffer.allocate(1000)) == null ? 0 : 1;
        receiver.configureBlocking(false);
        while (receiver.receive(ByteBuffer.allocate(1000)) != null) {
            received++;
        }
        assertTrue(received > 0 && received < sent, received + " received");
    }

    @Test
    void aPortIsSharedByThoseWhoAllowIt() throws Exception {
        for (SocketOption<Boolean> share :
                List.of(StandardSocketOptions.SO_REUSEADDR, StandardSocketOptions.SO_REUSEPORT)) {
            DatagramChannel first = openDatagram().setOption(share, true);
            first.bind(new InetSocketAddress(loopback(), 0));
            assertTrue(first.getOption(share));
            DatagramChannel second = openDatagram().setOption(share, true);
            second.bind(first.getLocalAddress());
            assertEquals(first.getLocalAddress(), second.getLocalAddress());
            DatagramChannel third = openDatagram();
            assertThrows(java.net.BindException.class, () -> third.bind(first.getLocalAddress()));
        }
    }

    // ---- groups ----

    @Test
    void groupsAreTheKernels() throws Exception {
        NetworkInterface loopback = NetworkInterface.getByInetAddress(InetAddress.ofLiteral("127.0.0.1"));
        InetAddress group = InetAddress.ofLiteral("239.18.18.18");
        DatagramChannel receiver = closing(provider.openDatagramChannel(StandardProtocolFamily.INET));
        MembershipKey key = receiver.join(group, loopback);
        assertEquals(key, receiver.join(group, loopback));
        assertSame(receiver, key.channel());
        assertEquals(group, key.group());
        receiver.bind(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0));
        DatagramChannel sender = closing(provider.openDatagramChannel(StandardProtocolFamily.INET));
        sender.setOption(StandardSocketOptions.IP_MULTICAST_IF, loopback);
        int port = ((InetSocketAddress) receiver.getLocalAddress()).getPort();
        sender.send(bytes("group"), new InetSocketAddress(group, port));
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertNotNull(receiver.receive(buffer));
        assertEquals(5, buffer.position());
        key.drop();
        assertFalse(key.isValid());
        receiver.socket().joinGroup(new InetSocketAddress(group, 0), loopback);
        receiver.socket().leaveGroup(new InetSocketAddress(group, 0), loopback);
        assertThrows(IllegalArgumentException.class, () -> receiver.join(loopback(), loopback));
    }
}
