package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.Rule;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Datagrams, whole, from whom and to whom; addresses, connecting, and everything that is refused. */
@Rule("tcp.md: UDP")
class DatagramTest extends ContractTest {
    private static final int MAX_PAYLOAD = 65_507;

    private DatagramChannel openDatagram() throws IOException {
        return closing(provider.openDatagramChannel());
    }

    private DatagramChannel bound() throws IOException {
        return openDatagram().bind(new InetSocketAddress(loopback(), 0));
    }

    private static InetSocketAddress addressOf(DatagramChannel channel) throws IOException {
        return (InetSocketAddress) channel.getLocalAddress();
    }

    private static String textOf(ByteBuffer received) {
        byte[] bytes = new byte[received.flip().remaining()];
        received.get(bytes);
        return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }

    /** A local address that nobody has any more. */
    private InetSocketAddress gone() throws IOException {
        try (DatagramChannel channel = provider.openDatagramChannel()) {
            channel.bind(new InetSocketAddress(loopback(), 0));
            return addressOf(channel);
        }
    }

    // ---- exchange ----

    @Test
    void aDatagramArrivesWithItsSender() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        assertEquals(5, a.send(bytes("hello"), b.getLocalAddress()));
        ByteBuffer buffer = ByteBuffer.allocate(100);
        assertEquals(a.getLocalAddress(), b.receive(buffer));
        assertEquals("hello", textOf(buffer));
    }

    @Test
    void oneSenderIsOneObject() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        a.send(bytes("1"), b.getLocalAddress());
        a.send(bytes("2"), b.getLocalAddress());
        SocketAddress first = b.receive(ByteBuffer.allocate(1));
        assertSame(first, b.receive(ByteBuffer.allocate(1)));
    }

    @Test
    void boundariesAndOrderAreKept() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        for (int i = 0; i < 100; i++) {
            a.send(ByteBuffer.allocate(i), b.getLocalAddress());
        }
        for (int i = 0; i < 100; i++) {
            ByteBuffer buffer = ByteBuffer.allocate(200);
            assertEquals(a.getLocalAddress(), b.receive(buffer));
            assertEquals(i, buffer.position());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1472, 1473, 9000, MAX_PAYLOAD})
    void bytesOfEverySizeArrive(int size) throws Exception {
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        ByteBuffer direct = ByteBuffer.allocateDirect(size + 3).position(3);
        direct.put(content).flip().position(3);
        assertEquals(size, a.send(direct, b.getLocalAddress()));
        assertEquals(0, direct.remaining());
        ByteBuffer buffer = ByteBuffer.allocate(size + 10).position(7);
        b.receive(buffer);
        byte[] received = new byte[size];
        buffer.get(7, received);
        assertEquals(7 + size, buffer.position());
        assertArrayEquals(content, received);
    }

    @Test
    void whatDoesNotFitIsLost() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        a.send(bytes("truncated"), b.getLocalAddress());
        a.send(bytes("nothing"), b.getLocalAddress());
        a.send(bytes("whole"), b.getLocalAddress());
        ByteBuffer four = ByteBuffer.allocate(4);
        b.receive(four);
        assertEquals("trun", textOf(four));
        assertEquals(a.getLocalAddress(), b.receive(ByteBuffer.allocate(0)));
        ByteBuffer buffer = ByteBuffer.allocate(100);
        b.receive(buffer);
        assertEquals("whole", textOf(buffer));
    }

    @Test
    void tooLongIsRefused() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        ByteBuffer longer = ByteBuffer.allocate(MAX_PAYLOAD + 1);
        SocketException refused = assertThrows(SocketException.class, () -> a.send(longer, b.getLocalAddress()));
        assertEquals("Message too long", refused.getMessage());
        assertEquals(MAX_PAYLOAD + 1, longer.remaining());
        a.connect(b.getLocalAddress());
        IOException connected = assertThrows(IOException.class, () -> a.write(longer));
        assertEquals("Message too long", connected.getMessage());
        assertEquals(
                "Message too long",
                assertThrows(IOException.class, () -> a.write(new ByteBuffer[] {longer, longer}))
                        .getMessage());
    }

    @Test
    void anEmptyDatagramIsOne() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        assertEquals(0, a.send(ByteBuffer.allocate(0), b.getLocalAddress()));
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertEquals(a.getLocalAddress(), b.receive(buffer));
        assertEquals(0, buffer.position());
    }

    @Test
    void anEmptyBufferToThePeerSendsNothing() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        a.connect(b.getLocalAddress());
        assertEquals(0, a.write(ByteBuffer.allocate(0)));
        assertEquals(0, a.write(new ByteBuffer[] {ByteBuffer.allocate(0)}));
        assertEquals(0, a.send(ByteBuffer.allocate(0), b.getLocalAddress()));
        a.write(bytes("x"));
        ByteBuffer buffer = ByteBuffer.allocate(10);
        b.receive(buffer);
        assertEquals("x", textOf(buffer));
    }

    @Test
    void gatherMakesOneDatagramAndScatterTakesItApart() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        a.connect(b.getLocalAddress());
        b.connect(a.getLocalAddress());
        ByteBuffer[] sources = {bytes("unused"), bytes("one "), ByteBuffer.allocateDirect(0), bytes("datagram")};
        assertEquals(12, a.write(sources, 1, 3));
        assertEquals(6, sources[0].remaining());
        assertEquals(0, sources[3].remaining());
        ByteBuffer[] targets = {ByteBuffer.allocate(2), ByteBuffer.allocateDirect(3), ByteBuffer.allocate(100)};
        assertEquals(12, b.read(targets));
        assertEquals("on", textOf(targets[0]));
        assertEquals("e d", textOf(targets[1]));
        assertEquals("atagram", textOf(targets[2]));
        a.write(bytes("truncated"));
        ByteBuffer[] small = {ByteBuffer.allocate(2), ByteBuffer.allocate(2)};
        assertEquals(4, b.read(small));
        assertEquals("un", textOf(small[1]));
    }

    @Test
    void readingIntoNothingLeavesTheDatagram() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        a.connect(b.getLocalAddress());
        b.connect(a.getLocalAddress());
        a.write(bytes("abc"));
        assertEquals(0, b.read(ByteBuffer.allocate(0)));
        assertEquals(0, b.read(new ByteBuffer[] {ByteBuffer.allocate(0)}));
        assertEquals(3, b.read(ByteBuffer.allocate(10)));
    }

    @Test
    void anUnboundChannelIsBoundByItsFirstUse() throws Exception {
        DatagramChannel server = bound();
        DatagramChannel client = openDatagram();
        client.send(bytes("q"), server.getLocalAddress());
        InetSocketAddress local = addressOf(client);
        assertTrue(local.getAddress().isAnyLocalAddress() && local.getPort() > 0);
        SocketAddress from = server.receive(ByteBuffer.allocate(1));
        assertEquals(new InetSocketAddress(loopback(), local.getPort()), from);
        server.send(bytes("answer"), from);
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertEquals(server.getLocalAddress(), client.receive(buffer));
        assertEquals("answer", textOf(buffer));
    }

    @Test
    void aWildcardIsReachedAtAnyLoopbackAddress() throws Exception {
        DatagramChannel server = openDatagram().bind(new InetSocketAddress(0));
        int port = addressOf(server).getPort();
        for (String address : new String[] {"127.0.0.1", "::1"}) {
            DatagramChannel client = openDatagram();
            client.send(bytes("x"), new InetSocketAddress(InetAddress.ofLiteral(address), port));
            InetSocketAddress from = (InetSocketAddress) server.receive(ByteBuffer.allocate(1));
            assertEquals(InetAddress.ofLiteral(address), from.getAddress());
            server.send(bytes("y"), from);
            assertEquals(
                    new InetSocketAddress(InetAddress.ofLiteral(address), port),
                    client.receive(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void theAnyAddressReachesTheOwnHost() throws Exception {
        DatagramChannel server = openDatagram().bind(new InetSocketAddress(0));
        DatagramChannel client = openDatagram();
        client.send(bytes("x"), new InetSocketAddress(addressOf(server).getPort()));
        assertEquals(
                addressOf(client).getPort(), ((InetSocketAddress) server.receive(ByteBuffer.allocate(1))).getPort());
    }

    @Test
    void kernelSocketsOfOtherProgramsAreReached() throws Exception {
        try (DatagramSocket kernel = new DatagramSocket(0, loopback())) {
            DatagramChannel channel = openDatagram().bind(null);
            channel.send(bytes("to the kernel"), kernel.getLocalSocketAddress());
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            kernel.receive(packet);
            assertEquals(13, packet.getLength());
            assertEquals(addressOf(channel).getPort(), packet.getPort());
            kernel.send(packet);
            ByteBuffer buffer = ByteBuffer.allocate(100);
            assertEquals(kernel.getLocalSocketAddress(), channel.receive(buffer));
            assertEquals("to the kernel", textOf(buffer));
            channel.connect(kernel.getLocalSocketAddress());
            channel.write(bytes("connected"));
            kernel.receive(packet);
            kernel.send(packet);
            assertEquals(9, channel.read(buffer.clear()));
        }
    }

    // ---- connecting ----

    @Test
    void aConnectedChannelHearsItsPeerAlone() throws Exception {
        DatagramChannel peer = bound();
        DatagramChannel stranger = bound();
        DatagramChannel channel = bound();
        stranger.send(bytes("before"), channel.getLocalAddress());
        awaitReadable(channel);
        assertSame(channel, channel.connect(peer.getLocalAddress()));
        assertTrue(channel.isConnected());
        assertEquals(peer.getLocalAddress(), channel.getRemoteAddress());
        stranger.send(bytes("after"), channel.getLocalAddress());
        peer.send(bytes("peer"), channel.getLocalAddress());
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertEquals(4, channel.read(buffer));
        assertEquals("peer", textOf(buffer));
        channel.disconnect();
        assertNull(channel.getRemoteAddress());
        stranger.send(bytes("again"), channel.getLocalAddress());
        String heard = "after";
        while (heard.equals("after")) { // which may have been on its way for that long
            assertEquals(stranger.getLocalAddress(), channel.receive(buffer.clear()));
            heard = textOf(buffer);
        }
        assertEquals("again", heard);
    }

    private void awaitReadable(DatagramChannel channel) throws IOException {
        try (Selector selector = provider.openSelector()) {
            awaitReady(register(channel, selector, SelectionKey.OP_READ), SelectionKey.OP_READ);
        }
        channel.configureBlocking(true);
    }

    @Test
    void connectingChoosesTheLocalAddressAndDisconnectingGivesItBack() throws Exception {
        DatagramChannel peer = bound();
        DatagramChannel channel = openDatagram();
        channel.connect(peer.getLocalAddress());
        InetSocketAddress local = addressOf(channel);
        assertEquals(loopback(), local.getAddress());
        channel.disconnect();
        assertTrue(addressOf(channel).getAddress().isAnyLocalAddress());
        assertEquals(local.getPort(), addressOf(channel).getPort());
        channel.disconnect();
        channel.connect(peer.getLocalAddress());
        channel.write(bytes("x"));
        assertEquals(local, peer.receive(ByteBuffer.allocate(1)));
    }

    @Test
    void aPeerThatIsGoneIsPortUnreachable() throws Exception {
        DatagramChannel channel = openDatagram();
        channel.connect(gone());
        for (Callable<?> call : java.util.List.<Callable<?>>of(
                () -> channel.read(ByteBuffer.allocate(1)),
                () -> channel.receive(ByteBuffer.allocate(1)),
                () -> channel.read(new ByteBuffer[] {ByteBuffer.allocate(1)}))) {
            channel.write(bytes("x"));
            assertThrows(PortUnreachableException.class, call::call);
        }
        assertTrue(channel.isOpen() && channel.isConnected());
    }

    @Test
    void aWriteReportsThatAnEarlierOneWasInVain() throws Exception {
        DatagramChannel channel = openDatagram();
        channel.connect(gone());
        assertThrows(PortUnreachableException.class, () -> {
            while (channel.write(bytes("x")) == 1) {
                Thread.onSpinWait();
            }
        });
    }

    @Test
    void anUnconnectedChannelNeverHearsOfIt() throws Exception {
        InetSocketAddress gone = gone();
        DatagramChannel channel = bound();
        DatagramChannel other = bound();
        for (int i = 0; i < 20; i++) {
            assertEquals(1, channel.send(bytes("x"), gone));
        }
        other.send(bytes("y"), channel.getLocalAddress());
        assertEquals(other.getLocalAddress(), channel.receive(ByteBuffer.allocate(1)));
    }

    @Test
    void connectingTwiceIsRefused() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        DatagramChannel c = bound();
        a.connect(b.getLocalAddress());
        assertThrows(AlreadyConnectedException.class, () -> a.connect(b.getLocalAddress()));
        assertThrows(AlreadyConnectedException.class, () -> a.connect(c.getLocalAddress()));
        assertThrows(AlreadyConnectedException.class, () -> a.send(bytes("x"), c.getLocalAddress()));
        assertEquals(1, a.send(bytes("x"), b.getLocalAddress()));
    }

    // ---- addresses and refusals ----

    @Test
    void addressesAreThoseOfTheBind() throws Exception {
        DatagramChannel channel = openDatagram();
        assertNull(channel.getLocalAddress());
        assertNull(channel.getRemoteAddress());
        assertSame(channel, channel.bind(null));
        assertTrue(addressOf(channel).getAddress().isAnyLocalAddress());
        assertNotEquals(0, addressOf(channel).getPort());
        assertThrows(AlreadyBoundException.class, () -> channel.bind(null));
        assertEquals(loopback(), addressOf(bound()).getAddress());
        channel.close();
        assertThrows(ClosedChannelException.class, channel::getLocalAddress);
        assertThrows(ClosedChannelException.class, channel::getRemoteAddress);
    }

    @Test
    void aPortInUseIsRefusedAndTheChannelMayBindAnother() throws Exception {
        DatagramChannel first = bound();
        DatagramChannel second = openDatagram();
        BindException refused = assertThrows(BindException.class, () -> second.bind(first.getLocalAddress()));
        assertEquals("Address already in use", refused.getMessage());
        second.bind(new InetSocketAddress(loopback(), 0));
        first.close();
        openDatagram().bind(new InetSocketAddress(loopback(), 0));
    }

    @Test
    void aPortIsFreeAfterTheClose() throws Exception {
        InetSocketAddress address = gone();
        assertEquals(address, openDatagram().bind(address).getLocalAddress());
    }

    @Test
    void foreignAddressesAreRefused() throws Exception {
        BindException refused = assertThrows(
                BindException.class,
                () -> openDatagram().bind(new InetSocketAddress(InetAddress.ofLiteral("198.18.255.254"), 0)));
        assertEquals("Cannot assign requested address", refused.getMessage());
    }

    @Test
    void unresolvedNullAndWrongAddressesAreRefused() throws Exception {
        InetSocketAddress unresolved = InetSocketAddress.createUnresolved("unresolved.invalid", 1);
        DatagramChannel channel = openDatagram();
        assertThrows(UnresolvedAddressException.class, () -> channel.bind(unresolved));
        assertThrows(UnresolvedAddressException.class, () -> channel.connect(unresolved));
        assertThrows(UnresolvedAddressException.class, () -> channel.send(bytes("x"), unresolved));
        assertThrows(NullPointerException.class, () -> channel.send(bytes("x"), null));
        assertThrows(NullPointerException.class, () -> channel.send(null, addressOf(bound())));
        assertThrows(NullPointerException.class, () -> channel.connect(null));
        SocketAddress wrong = new SocketAddress() {
            private static final long serialVersionUID = 1;
        };
        assertThrows(UnsupportedAddressTypeException.class, () -> channel.send(bytes("x"), wrong));
        assertThrows(UnsupportedAddressTypeException.class, () -> channel.connect(wrong));
        assertNull(channel.getLocalAddress());
    }

    @Test
    void portZeroIsNoDestination() throws Exception {
        InetSocketAddress zero = new InetSocketAddress(loopback(), 0);
        DatagramChannel channel = openDatagram();
        assertEquals(
                "Can't send to port 0",
                assertThrows(SocketException.class, () -> channel.send(bytes("x"), zero))
                        .getMessage());
        assertEquals(
                "Can't connect to port 0",
                assertThrows(SocketException.class, () -> channel.connect(zero)).getMessage());
    }

    @Test
    void familiesAreKept() throws Exception {
        DatagramChannel inet = closing(provider.openDatagramChannel(StandardProtocolFamily.INET));
        InetSocketAddress six = new InetSocketAddress(InetAddress.ofLiteral("::1"), 9);
        assertThrows(UnsupportedAddressTypeException.class, () -> inet.send(bytes("x"), six));
        assertThrows(UnsupportedAddressTypeException.class, () -> inet.bind(six));
        assertThrows(UnsupportedAddressTypeException.class, () -> inet.connect(six));
        inet.bind(null);
        assertEquals("0.0.0.0", addressOf(inet).getAddress().getHostAddress());
        assertThrows(
                UnsupportedOperationException.class,
                () -> provider.openDatagramChannel(StandardProtocolFamily.UNIX).close());
        assertThrows(NullPointerException.class, () -> provider.openDatagramChannel(null));
    }

    @Test
    void fromALoopbackAddressOnlyLoopbackOfItsFamilyIsReached() throws Exception {
        InetSocketAddress far = new InetSocketAddress(InetAddress.ofLiteral("198.18.0.9"), 9);
        InetSocketAddress six = new InetSocketAddress(InetAddress.ofLiteral("::1"), 9);
        assertThrows(SocketException.class, () -> bound().send(bytes("x"), six));
        DatagramChannel fromSix = openDatagram().bind(new InetSocketAddress(six.getAddress(), 0));
        assertThrows(SocketException.class, () -> fromSix.send(bytes("x"), far));
    }

    @Test
    void readAndWriteNeedAPeer() throws Exception {
        DatagramChannel channel = openDatagram();
        assertThrows(NotYetConnectedException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertThrows(NotYetConnectedException.class, () -> channel.read(new ByteBuffer[] {ByteBuffer.allocate(1)}));
        assertThrows(NotYetConnectedException.class, () -> channel.write(bytes("x")));
        assertThrows(NotYetConnectedException.class, () -> channel.write(new ByteBuffer[] {bytes("x")}));
    }

    @Test
    void readOnlyBuffersAreNoTargets() throws Exception {
        ByteBuffer readOnly = ByteBuffer.allocate(1).asReadOnlyBuffer();
        DatagramChannel channel = bound();
        assertThrows(IllegalArgumentException.class, () -> channel.receive(readOnly));
        channel.connect(bound().getLocalAddress());
        assertThrows(IllegalArgumentException.class, () -> channel.read(readOnly));
        assertThrows(IllegalArgumentException.class, () -> channel.read(new ByteBuffer[] {readOnly}));
    }

    @Test
    void aClosedChannelDoesNothing() throws Exception {
        DatagramChannel channel = bound();
        InetSocketAddress other = addressOf(bound());
        channel.close();
        assertThrows(ClosedChannelException.class, () -> channel.send(bytes("x"), other));
        assertThrows(ClosedChannelException.class, () -> channel.receive(ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, () -> channel.write(bytes("x")));
        assertThrows(ClosedChannelException.class, () -> channel.bind(null));
        assertThrows(ClosedChannelException.class, () -> channel.connect(other));
        assertSame(channel, channel.disconnect());
    }
}
