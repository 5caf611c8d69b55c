package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_READ;
import static java.nio.channels.SelectionKey.OP_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.Rule;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Waiting for datagrams: in blocking calls, which interrupt and close end, and in selectors, beside channels of other kinds. */
@Rule("tcp.md: UDP")
class DatagramBlockingTest extends ContractTest {
    private DatagramChannel bound() throws IOException {
        return closing(provider.openDatagramChannel()).bind(new InetSocketAddress(loopback(), 0));
    }

    private DatagramChannel connectedTo(DatagramChannel peer) throws IOException {
        DatagramChannel channel = bound();
        channel.connect(peer.getLocalAddress());
        return channel;
    }

    // ---- blocking ----

    @ParameterizedTest
    @EnumSource
    void receiveWaits(ThreadKind kind) throws Exception {
        DatagramChannel receiver = bound();
        DatagramChannel sender = bound();
        for (int i = 0; i < 20; i++) {
            Task<SocketAddress> receiving = Task.start(kind, () -> receiver.receive(ByteBuffer.allocate(10)))
                    .awaitBlocked();
            sender.send(bytes("x"), receiver.getLocalAddress());
            assertEquals(sender.getLocalAddress(), receiving.result());
        }
    }

    @ParameterizedTest
    @EnumSource
    void receiveWaitsForTheKernelToo(ThreadKind kind) throws Exception {
        DatagramChannel receiver = bound();
        try (DatagramSocket kernel = new DatagramSocket(0, loopback())) {
            for (int i = 0; i < 20; i++) {
                Task<SocketAddress> receiving = Task.start(kind, () -> receiver.receive(ByteBuffer.allocate(10)))
                        .awaitBlocked();
                kernel.send(new DatagramPacket(new byte[3], 3, receiver.getLocalAddress()));
                assertEquals(kernel.getLocalSocketAddress(), receiving.result());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void readWaits(ThreadKind kind) throws Exception {
        DatagramChannel peer = bound();
        DatagramChannel channel = connectedTo(peer);
        Task<Integer> reading =
                Task.start(kind, () -> channel.read(ByteBuffer.allocate(10))).awaitBlocked();
        peer.send(bytes("abc"), channel.getLocalAddress());
        assertEquals(3, reading.result());
    }

    @ParameterizedTest
    @EnumSource
    void anEmptyDatagramLooksLikeTheEndOfAStreamToARead(ThreadKind kind) throws Exception {
        DatagramChannel peer = bound();
        DatagramChannel channel = connectedTo(peer);
        Task<Integer> reading =
                Task.start(kind, () -> channel.read(ByteBuffer.allocate(10))).awaitBlocked();
        peer.send(ByteBuffer.allocate(0), channel.getLocalAddress());
        assertEquals(-1, reading.result());
    }

    @ParameterizedTest
    @EnumSource
    void aBlockedReadHearsThatThePeerIsGone(ThreadKind kind) throws Exception {
        DatagramChannel peer = bound();
        DatagramChannel channel = connectedTo(peer);
        peer.close();
        Task<Integer> reading =
                Task.start(kind, () -> channel.read(ByteBuffer.allocate(10))).awaitBlocked();
        channel.write(bytes("x"));
        reading.failure(PortUnreachableException.class);
        assertTrue(channel.isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void sendingGoesOnWhileAnotherThreadReceives(ThreadKind kind) throws Exception {
        DatagramChannel echo = bound();
        DatagramChannel channel = closing(provider.openDatagramChannel());
        Task<SocketAddress> receiving =
                Task.start(kind, () -> channel.receive(ByteBuffer.allocate(10))).awaitBlocked();
        channel.send(bytes("q"), echo.getLocalAddress());
        echo.send(bytes("a"), echo.receive(ByteBuffer.allocate(1)));
        assertEquals(echo.getLocalAddress(), receiving.result());
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAReceive(ThreadKind kind) throws Exception {
        DatagramChannel channel = bound();
        interruptEnds(kind, channel, () -> channel.receive(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAReadOfAConnectedChannel(ThreadKind kind) throws Exception {
        DatagramChannel channel = connectedTo(bound());
        interruptEnds(kind, channel, () -> channel.read(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAReceiveOfAnUnboundChannel(ThreadKind kind) throws Exception {
        DatagramChannel channel = closing(provider.openDatagramChannel());
        interruptEnds(kind, channel, () -> channel.receive(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAReceiveOfTheAdaptor(ThreadKind kind) throws Exception {
        DatagramChannel channel = bound();
        interruptEnds(kind, channel, () -> {
            channel.socket().receive(new DatagramPacket(new byte[1], 1));
            return null;
        });
    }

    private static void interruptEnds(ThreadKind kind, DatagramChannel channel, Callable<?> call) throws Exception {
        Task<Boolean> task = Task.start(kind, () -> {
                    assertThrows(ClosedByInterruptException.class, call::call);
                    return Thread.currentThread().isInterrupted();
                })
                .awaitBlocked();
        task.thread().interrupt();
        assertTrue(task.result(), "the interrupt flag stays set");
        assertFalse(channel.isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void aThreadThatIsAlreadyInterruptedDoesNotWait(ThreadKind kind) throws Exception {
        DatagramChannel channel = bound();
        Task<Boolean> task = Task.start(kind, () -> {
            Thread.currentThread().interrupt();
            assertThrows(ClosedByInterruptException.class, () -> channel.receive(ByteBuffer.allocate(1)));
            return Thread.currentThread().isInterrupted();
        });
        assertTrue(task.result());
        assertFalse(channel.isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsAReceive(ThreadKind kind) throws Exception {
        DatagramChannel channel = bound();
        InetSocketAddress address = (InetSocketAddress) channel.getLocalAddress();
        Task<?> receiving =
                Task.start(kind, () -> channel.receive(ByteBuffer.allocate(1))).awaitBlocked();
        channel.close();
        receiving.failure(AsynchronousCloseException.class);
        assertEquals(
                address, closing(provider.openDatagramChannel()).bind(address).getLocalAddress());
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsAReadOfAConnectedChannel(ThreadKind kind) throws Exception {
        DatagramChannel channel = connectedTo(bound());
        Task<?> reading =
                Task.start(kind, () -> channel.read(ByteBuffer.allocate(1))).awaitBlocked();
        channel.close();
        reading.failure(AsynchronousCloseException.class);
    }

    @ParameterizedTest
    @EnumSource
    void closeAtAnyMomentEndsSenderAndReceiverAndFreesThePort(ThreadKind kind) throws Exception {
        DatagramChannel peer = bound();
        SocketAddress target = peer.getLocalAddress();
        for (int i = 0; i < 100; i++) {
            DatagramChannel channel = bound();
            InetSocketAddress address = (InetSocketAddress) channel.getLocalAddress();
            Task<?> receiving = Task.start(kind, () -> channel.receive(ByteBuffer.allocate(1)));
            Task<?> sending = Task.start(kind, () -> sendForEver(channel, target));
            for (int spin = 0; spin < i * 50; spin++) {
                Thread.onSpinWait();
            }
            channel.close();
            receiving.failure(ClosedChannelException.class);
            sending.failure(ClosedChannelException.class);
            try (DatagramChannel next = provider.openDatagramChannel()) {
                next.bind(address);
            }
        }
    }

    private static Integer sendForEver(DatagramChannel channel, SocketAddress target) throws IOException {
        while (true) {
            channel.send(bytes("x"), target);
        }
    }

    @Test
    void withoutBlockingNothingWaits() throws Exception {
        DatagramChannel channel = bound();
        channel.configureBlocking(false);
        assertNull(channel.receive(ByteBuffer.allocate(1)));
        assertThrows(
                IllegalBlockingModeException.class, () -> channel.socket().receive(new DatagramPacket(new byte[1], 1)));
        channel.connect(bound().getLocalAddress());
        assertEquals(0, channel.read(ByteBuffer.allocate(1)));
        assertEquals(0, channel.read(new ByteBuffer[] {ByteBuffer.allocate(1)}));
    }

    @Test
    void aPollingThreadGetsItsDatagrams() throws Exception {
        DatagramChannel a = bound();
        DatagramChannel b = bound();
        a.configureBlocking(false);
        b.configureBlocking(false);
        ByteBuffer buffer = ByteBuffer.allocate(10);
        for (int i = 0; i < 1000; i++) {
            assertEquals(4, a.send(ByteBuffer.allocate(4).putInt(0, i), b.getLocalAddress()));
            while (b.receive(buffer.clear()) == null) {
                Thread.onSpinWait();
            }
            assertEquals(i, buffer.getInt(0));
        }
    }

    @Test
    void theModeCanChange() throws Exception {
        DatagramChannel channel = closing(provider.openDatagramChannel());
        channel.configureBlocking(false);
        channel.bind(new InetSocketAddress(loopback(), 0));
        assertNull(channel.receive(ByteBuffer.allocate(1)));
        channel.configureBlocking(true);
        Task<SocketAddress> receiving =
                Task.start(() -> channel.receive(ByteBuffer.allocate(1))).awaitBlocked();
        DatagramChannel sender = bound();
        sender.send(bytes("x"), channel.getLocalAddress());
        assertEquals(sender.getLocalAddress(), receiving.result());
    }

    // ---- selecting ----

    @Test
    void anUnboundChannelIsWritable() throws Exception {
        Selector selector = selector();
        SelectionKey key = register(closing(provider.openDatagramChannel()), selector, OP_READ | OP_WRITE);
        assertEquals(1, selector.selectNow());
        assertEquals(OP_WRITE, key.readyOps());
    }

    @Test
    void aDatagramMakesItsChannelReadable() throws Exception {
        Selector selector = selector();
        DatagramChannel receiver = bound();
        DatagramChannel sender = bound();
        SelectionKey key = register(receiver, selector, OP_READ);
        assertEquals(0, selector.selectNow());
        for (int i = 0; i < 50; i++) {
            Task<Integer> selecting = Task.start(() -> selector.select()).awaitBlocked();
            sender.send(bytes("x"), receiver.getLocalAddress());
            assertEquals(1, selecting.result());
            assertEquals(OP_READ, key.readyOps());
            selector.selectedKeys().clear();
            assertEquals(1, selector.selectNow(), "level-triggered");
            assertEquals(sender.getLocalAddress(), receiver.receive(ByteBuffer.allocate(1)));
            selector.selectedKeys().clear();
            assertEquals(0, selector.selectNow());
        }
    }

    @Test
    void aChannelThatWasRegisteredUnboundIsSelectedOnceBound() throws Exception {
        Selector selector = selector();
        DatagramChannel receiver = closing(provider.openDatagramChannel());
        SelectionKey key = register(receiver, selector, OP_READ);
        receiver.bind(new InetSocketAddress(loopback(), 0));
        DatagramChannel sender = bound();
        sender.send(bytes("x"), receiver.getLocalAddress());
        awaitReady(key, OP_READ);
        try (DatagramSocket kernel = new DatagramSocket(0, loopback())) {
            receiver.receive(ByteBuffer.allocate(1));
            selector.selectedKeys().clear();
            kernel.send(new DatagramPacket(new byte[3], 3, receiver.getLocalAddress()));
            awaitReady(key, OP_READ);
            assertEquals(kernel.getLocalSocketAddress(), receiver.receive(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void datagramsConnectionsAndPipesEndOneSelect() throws Exception {
        Selector selector = selector();
        DatagramChannel receiver = bound();
        DatagramChannel sender = bound();
        Pair pair = pair();
        Pipe pipe = provider.openPipe();
        closing(pipe.sink());
        SelectionKey datagrams = register(receiver, selector, OP_READ);
        SelectionKey connection = register(pair.server(), selector, OP_READ);
        SelectionKey pipes = register(closing(pipe.source()), selector, OP_READ);
        for (int i = 0; i < 60; i++) {
            Task<Integer> selecting = Task.start(() -> selector.select()).awaitBlocked();
            SelectionKey expected;
            if (i % 3 == 0) {
                expected = datagrams;
                sender.send(bytes("x"), receiver.getLocalAddress());
            } else if (i % 3 == 1) {
                expected = connection;
                send(pair.client(), "x");
            } else {
                expected = pipes;
                pipe.sink().write(bytes("x"));
            }
            assertEquals(1, selecting.result());
            assertTrue(selector.selectedKeys().remove(expected));
            ByteBuffer one = ByteBuffer.allocate(1);
            switch (i % 3) {
                case 0 -> receiver.receive(one);
                case 1 -> pair.server().read(one);
                default -> pipe.source().read(one);
            }
            assertEquals(1, one.position());
        }
    }

    @Test
    void aConnectedChannelIsReadableByItsPeerAloneAndWritable() throws Exception {
        Selector selector = selector();
        DatagramChannel peer = bound();
        DatagramChannel stranger = bound();
        DatagramChannel channel = connectedTo(peer);
        SelectionKey key = register(channel, selector, OP_READ | OP_WRITE);
        stranger.send(bytes("x"), channel.getLocalAddress());
        awaitReady(key, OP_WRITE);
        assertEquals(OP_WRITE, key.readyOps());
        key.interestOps(OP_READ);
        selector.selectedKeys().clear();
        peer.send(bytes("x"), channel.getLocalAddress());
        awaitReady(key, OP_READ);
        assertEquals(1, channel.read(ByteBuffer.allocate(10)));
    }

    @Test
    void anUnreachablePeerMakesItsChannelReady() throws Exception {
        Selector selector = selector();
        DatagramChannel peer = bound();
        DatagramChannel channel = connectedTo(peer);
        peer.close();
        SelectionKey key = register(channel, selector, OP_READ);
        channel.write(bytes("x"));
        awaitReady(key, OP_READ);
        assertThrows(PortUnreachableException.class, () -> channel.read(ByteBuffer.allocate(1)));
        selector.selectedKeys().clear();
        assertEquals(0, selector.selectNow());
    }

    @Test
    void disconnectingMakesStrangersHeardAgain() throws Exception {
        Selector selector = selector();
        DatagramChannel peer = bound();
        DatagramChannel channel = connectedTo(peer);
        SelectionKey key = register(channel, selector, OP_READ);
        assertEquals(0, selector.selectNow());
        channel.disconnect();
        try (DatagramSocket kernel = new DatagramSocket(0, loopback())) {
            kernel.send(new DatagramPacket(new byte[3], 3, channel.getLocalAddress()));
            awaitReady(key, OP_READ);
            assertEquals(kernel.getLocalSocketAddress(), channel.receive(ByteBuffer.allocate(1)));
        }
    }

    @Test
    void aClosedChannelLeavesItsSelectorAndItsPort() throws Exception {
        Selector selector = selector();
        DatagramChannel channel = bound();
        InetSocketAddress address = (InetSocketAddress) channel.getLocalAddress();
        SelectionKey key = register(channel, selector, OP_READ);
        selector.selectNow();
        channel.close();
        assertFalse(key.isValid());
        selector.selectNow();
        assertTrue(selector.keys().isEmpty());
        assertEquals(
                address, closing(provider.openDatagramChannel()).bind(address).getLocalAddress());
    }

    @Test
    void aCancelledChannelBlocksAgain() throws Exception {
        Selector selector = selector();
        DatagramChannel channel = bound();
        SelectionKey key = register(channel, selector, OP_READ);
        selector.selectNow();
        key.cancel();
        selector.selectNow();
        channel.configureBlocking(true);
        Task<SocketAddress> receiving =
                Task.start(() -> channel.receive(ByteBuffer.allocate(1))).awaitBlocked();
        DatagramChannel sender = bound();
        sender.send(bytes("x"), channel.getLocalAddress());
        assertEquals(sender.getLocalAddress(), receiving.result());
    }
}
