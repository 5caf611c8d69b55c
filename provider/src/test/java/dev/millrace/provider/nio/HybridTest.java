package dev.millrace.provider.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Stack and kernel side by side: listeners on both, clients routed to either, JDK channels in our selector. */
@Timeout(30)
class HybridTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private LoopProvider loop;
    private SelectorProvider ours;
    private final SelectorProvider kernel = KernelOracle.provider();

    @BeforeEach
    void start() throws IOException {
        loop = LoopProvider.start();
        ours = loop.provider();
    }

    @AfterEach
    void stop() throws IOException {
        loop.close();
    }

    private ServerSocketChannel listen() throws IOException {
        return ours.openServerSocketChannel().bind(LOOPBACK);
    }

    private static SocketChannel connect(SelectorProvider provider, ServerSocketChannel listener) throws IOException {
        SocketChannel channel = provider.openSocketChannel();
        channel.connect(listener.getLocalAddress());
        return channel;
    }

    private static <T> FutureTask<T> inThread(Callable<T> task) {
        FutureTask<T> future = new FutureTask<>(task);
        Thread.ofPlatform().daemon().start(future);
        return future;
    }

    private static void exchange(SocketChannel from, SocketChannel to) throws IOException {
        from.write(ByteBuffer.wrap("through".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
        ByteBuffer received = ByteBuffer.allocate(7);
        while (received.hasRemaining()) {
            assertTrue(to.read(received) >= 0, "ended early");
        }
        assertEquals("through", new String(received.array(), java.nio.charset.StandardCharsets.US_ASCII));
    }

    @Test
    void aBlockingAcceptTakesConnectionsFromTheStack() throws Exception {
        try (ServerSocketChannel listener = listen()) {
            FutureTask<SocketChannel> accepted = inThread(listener::accept);
            try (SocketChannel client = connect(ours, listener);
                    SocketChannel server = accepted.get()) {
                assertInstanceOf(StackSocketChannel.class, server);
                assertEquals(client.getLocalAddress(), server.getRemoteAddress());
                assertEquals(client.getRemoteAddress(), server.getLocalAddress());
                exchange(client, server);
                exchange(server, client);
            }
        }
    }

    @Test
    void aBlockingAcceptTakesConnectionsFromTheKernel() throws Exception {
        try (ServerSocketChannel listener = listen()) {
            FutureTask<SocketChannel> accepted = inThread(listener::accept);
            try (SocketChannel client = connect(kernel, listener);
                    SocketChannel server = accepted.get()) {
                assertFalse(server instanceof StackSocketChannel);
                exchange(client, server);
                exchange(server, client);
            }
        }
    }

    @Test
    void anInterruptEndsAnAcceptThatSleepsInTheKernel() throws Exception {
        ServerSocketChannel listener = listen();
        FutureTask<Boolean> accepting = new FutureTask<>(() -> {
            assertThrows(ClosedByInterruptException.class, listener::accept);
            return Thread.currentThread().isInterrupted();
        });
        Thread accepter = Thread.ofPlatform().daemon().start(accepting);
        while (!sleepsInKernel(accepter)) {
            Thread.onSpinWait();
        }
        accepter.interrupt();
        assertTrue(accepting.get(), "the flag stays set");
        assertFalse(listener.isOpen());
    }

    private static boolean sleepsInKernel(Thread thread) {
        return Stream.of(thread.getStackTrace())
                .anyMatch(frame -> frame.getClassName().equals("sun.nio.ch.EPoll"));
    }

    @Test
    void aSelectorReportsAListenersConnectionsFromBothSides() throws Exception {
        try (ServerSocketChannel listener = listen();
                Selector selector = ours.openSelector()) {
            listener.configureBlocking(false);
            SelectionKey key = listener.register(selector, SelectionKey.OP_ACCEPT);
            for (SelectorProvider side : List.of(ours, kernel, ours, kernel)) {
                FutureTask<SocketChannel> connecting = inThread(() -> connect(side, listener));
                assertEquals(1, selector.select());
                assertEquals(Set.of(key), selector.selectedKeys());
                selector.selectedKeys().clear();
                try (SocketChannel server = listener.accept();
                        SocketChannel client = connecting.get()) {
                    assertNotNull(server);
                    assertEquals(side.equals(ours), server instanceof StackSocketChannel);
                    exchange(client, server);
                    assertNull(listener.accept());
                }
                assertEquals(0, selector.selectNow());
            }
        }
    }

    @Test
    void aListenerRegisteredBeforeItIsBoundBecomesReady() throws Exception {
        try (ServerSocketChannel listener = ours.openServerSocketChannel();
                Selector selector = ours.openSelector()) {
            listener.configureBlocking(false);
            SelectionKey key = listener.register(selector, 0);
            listener.bind(LOOPBACK);
            key.interestOps(SelectionKey.OP_ACCEPT);
            for (SelectorProvider side : List.of(ours, kernel)) {
                FutureTask<SocketChannel> connecting = inThread(() -> connect(side, listener));
                assertEquals(1, selector.select());
                selector.selectedKeys().clear();
                listener.accept().close();
                connecting.get().close();
            }
        }
    }

    @Test
    void aClientRegisteredBeforeItConnectsToTheKernelBecomesReady() throws Exception {
        try (ServerSocketChannel listener = kernel.openServerSocketChannel().bind(LOOPBACK);
                SocketChannel client = ours.openSocketChannel();
                Selector selector = ours.openSelector()) {
            client.configureBlocking(false);
            SelectionKey key = client.register(selector, SelectionKey.OP_CONNECT);
            if (!client.connect(listener.getLocalAddress())) {
                assertEquals(1, selector.select());
                assertTrue(key.isConnectable());
                selector.selectedKeys().clear();
                assertTrue(client.finishConnect());
            }
            try (SocketChannel server = listener.accept()) {
                key.interestOps(SelectionKey.OP_READ);
                assertEquals(0, selector.selectNow());
                server.write(ByteBuffer.allocate(1));
                assertEquals(1, selector.select());
                assertTrue(key.isReadable());
                assertEquals(1, client.read(ByteBuffer.allocate(8)));
                key.cancel();
                client.configureBlocking(true);
                exchange(client, server);
            }
        }
    }

    @Test
    void aSelectRunningInAnotherThreadSeesAClientThatTheKernelConnects() throws Exception {
        try (ServerSocketChannel listener = kernel.openServerSocketChannel().bind(LOOPBACK);
                SocketChannel client = ours.openSocketChannel();
                Selector selector = ours.openSelector()) {
            client.configureBlocking(false);
            client.register(selector, SelectionKey.OP_CONNECT);
            selector.selectNow();
            FutureTask<Integer> selecting = inThread(() -> selector.select());
            client.connect(listener.getLocalAddress());
            assertEquals(1, selecting.get());
            assertTrue(client.finishConnect());
        }
    }

    @Test
    void aPipeInOurSelectorIsLevelTriggered() throws Exception {
        Pipe pipe = ours.openPipe();
        try (Pipe.SourceChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink();
                Selector selector = ours.openSelector()) {
            source.configureBlocking(false);
            SelectionKey key = source.register(selector, SelectionKey.OP_READ);
            assertEquals(0, selector.selectNow());
            sink.write(ByteBuffer.allocate(3));
            for (int i = 0; i < 3; i++) {
                assertEquals(1, selector.select());
                assertTrue(key.isReadable());
                assertTrue(selector.selectedKeys().remove(key));
            }
            source.read(ByteBuffer.allocate(8));
            assertEquals(0, selector.selectNow());
            key.interestOps(0);
            sink.write(ByteBuffer.allocate(3));
            assertEquals(0, selector.selectNow());
        }
    }

    @Test
    void stackTrafficWakesASelectThatSleepsInTheKernel() throws Exception {
        Pipe pipe = ours.openPipe();
        try (Pipe.SourceChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink();
                ServerSocketChannel listener = listen();
                SocketChannel client = connect(ours, listener);
                SocketChannel server = listener.accept();
                Selector selector = ours.openSelector()) {
            source.configureBlocking(false);
            source.register(selector, SelectionKey.OP_READ);
            server.configureBlocking(false);
            SelectionKey key = server.register(selector, SelectionKey.OP_READ);
            for (int i = 0; i < 100; i++) {
                FutureTask<Integer> selecting = inThread(() -> selector.select());
                client.write(ByteBuffer.allocate(1));
                assertEquals(1, selecting.get());
                assertTrue(selector.selectedKeys().remove(key));
                assertEquals(1, server.read(ByteBuffer.allocate(8)));
            }
            FutureTask<Integer> selecting = inThread(() -> selector.select());
            sink.write(ByteBuffer.allocate(1));
            assertEquals(1, selecting.get());
        }
    }

    @Test
    void aChannelOfTheJdkCanRegisterAgainAfterItsKeyWasCancelled() throws Exception {
        Pipe pipe = ours.openPipe();
        try (Pipe.SourceChannel source = pipe.source();
                Pipe.SinkChannel sink = pipe.sink();
                Selector selector = ours.openSelector()) {
            source.configureBlocking(false);
            for (int i = 0; i < 3; i++) {
                SelectionKey key = source.register(selector, SelectionKey.OP_READ);
                sink.write(ByteBuffer.allocate(1));
                assertEquals(1, selector.select());
                key.cancel();
                assertEquals(0, selector.selectNow());
                assertFalse(source.isRegistered());
                source.configureBlocking(true);
                source.read(ByteBuffer.allocate(1));
                source.configureBlocking(false);
            }
        }
    }

    @Test
    void closedChannelsOfTheJdkGiveTheirDescriptorsBack() throws Exception {
        try (Selector selector = ours.openSelector()) {
            closeRegisteredPipes(selector, 1); // opens the inner selector
            long before = openDescriptors();
            for (int i = 0; i < 20; i++) {
                closeRegisteredPipes(selector, 20);
                assertEquals(before, openDescriptors());
            }
        }
    }

    /** Half of them while the selector sleeps, so that the inner one notices first. */
    private void closeRegisteredPipes(Selector selector, int count) throws Exception {
        List<Pipe> pipes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Pipe pipe = ours.openPipe();
            pipe.source().configureBlocking(false);
            pipe.source().register(selector, SelectionKey.OP_READ);
            pipes.add(pipe);
        }
        selector.selectNow();
        FutureTask<Integer> selecting = inThread(() -> selector.select());
        for (Pipe pipe : pipes) {
            pipe.source().close();
            pipe.sink().close();
        }
        selector.wakeup();
        selecting.get();
        selector.selectNow();
    }

    @Test
    void aClosedSelectorReleasesClosedChannelsOfTheJdk() throws Exception {
        closeSelectorAfterItsChannel(); // loads what keeps files open of its own
        long before = openDescriptors();
        for (int i = 0; i < 20; i++) {
            closeSelectorAfterItsChannel();
        }
        assertEquals(before, openDescriptors());
    }

    private void closeSelectorAfterItsChannel() throws IOException {
        Selector selector = ours.openSelector();
        Pipe pipe = ours.openPipe();
        pipe.source().configureBlocking(false);
        pipe.source().register(selector, SelectionKey.OP_READ);
        pipe.sink().close();
        pipe.source().close();
        selector.close();
    }

    /** Pipes and selectors only: the JVM itself may open a file meanwhile (a jar, a log). */
    private static long openDescriptors() throws IOException {
        long count = 0;
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                if (targetOf(descriptor).matches("pipe:.*|anon_inode:.*event.*")) {
                    count++;
                }
            }
        }
        return count;
    }

    private static String targetOf(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (NoSuchFileException closedMeanwhile) {
            return "";
        }
    }

    @Test
    void optionsSetBeforeRoutingReachTheKernelChannel() throws Exception {
        try (ServerSocketChannel listener = kernel.openServerSocketChannel().bind(LOOPBACK);
                SocketChannel client = ours.openSocketChannel()) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true);
            client.setOption(StandardSocketOptions.SO_LINGER, 7);
            client.connect(listener.getLocalAddress());
            SocketChannel delegate = (SocketChannel) ((StackSocketChannel) client).kernelChannel();
            assertTrue(delegate.getOption(StandardSocketOptions.TCP_NODELAY));
            assertEquals(7, delegate.getOption(StandardSocketOptions.SO_LINGER));
        }
    }

    @Test
    void aBoundClientKeepsItsPortOnWhicheverSideItConnects() throws Exception {
        try (ServerSocketChannel onKernel = kernel.openServerSocketChannel().bind(LOOPBACK);
                ServerSocketChannel onBoth = listen()) {
            for (ServerSocketChannel listener : List.of(onKernel, onBoth)) {
                try (SocketChannel client = ours.openSocketChannel()) {
                    client.bind(LOOPBACK);
                    InetSocketAddress bound = (InetSocketAddress) client.getLocalAddress();
                    assertTrue(bound.getPort() > 0);
                    client.connect(listener.getLocalAddress());
                    assertEquals(bound, client.getLocalAddress());
                    try (SocketChannel server = listener.accept()) {
                        assertEquals(bound, server.getRemoteAddress());
                        exchange(client, server);
                    }
                }
            }
        }
    }
}
