package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocking read, write and accept: they park, they are woken, and interrupt and close end them as the JDK's do. */
class BlockingTest extends ContractTest {
    @ParameterizedTest
    @EnumSource
    void readWaitsForData(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Task<String> reader = Task.start(kind, () -> receive(pair.server(), 5)).awaitBlocked();
        send(pair.client(), "hello");
        assertEquals("hello", reader.result());
    }

    @ParameterizedTest
    @EnumSource
    void acceptWaitsForAPeer(ThreadKind kind) throws Exception {
        ServerSocketChannel listener = listen();
        Task<SocketChannel> accepter =
                Task.start(kind, () -> closing(listener.accept())).awaitBlocked();
        SocketChannel client = connect(listener);
        assertEquals(client.getLocalAddress(), accepter.result().getRemoteAddress());
        assertTrue(accepter.result().isBlocking(), "an accepted channel blocks, whatever its listener does");
    }

    @ParameterizedTest
    @EnumSource
    void writeWaitsForTheReader(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Task<Integer> writer =
                Task.start(kind, () -> writeMoreThanBuffers(pair.client())).awaitBlocked();
        drain(pair.server(), MORE_THAN_BUFFERS);
        assertEquals(MORE_THAN_BUFFERS, writer.result());
    }

    @ParameterizedTest
    @EnumSource
    void readReturnsMinusOneWhenThePeerCloses(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Task<Integer> reader = Task.start(kind, () -> pair.server().read(ByteBuffer.allocate(1)))
                .awaitBlocked();
        pair.client().close();
        assertEquals(-1, reader.result());
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsARead(ThreadKind kind) throws Exception {
        Pair pair = pair();
        interruptEnds(kind, pair.server(), () -> pair.server().read(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAWrite(ThreadKind kind) throws Exception {
        Pair pair = pair();
        interruptEnds(kind, pair.client(), () -> writeMoreThanBuffers(pair.client()));
    }

    @ParameterizedTest
    @EnumSource
    void interruptEndsAnAccept(ThreadKind kind) throws Exception {
        ServerSocketChannel listener = listen();
        interruptEnds(kind, listener, listener::accept);
    }

    private static void interruptEnds(ThreadKind kind, Channel channel, Callable<?> call) throws Exception {
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
    void aThreadThatIsAlreadyInterruptedDoesNotBlock(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Task<Boolean> task = Task.start(kind, () -> {
            Thread.currentThread().interrupt();
            assertThrows(ClosedByInterruptException.class, () -> pair.server().read(ByteBuffer.allocate(1)));
            return Thread.currentThread().isInterrupted();
        });
        assertTrue(task.result());
        assertFalse(pair.server().isOpen());
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsARead(ThreadKind kind) throws Exception {
        Pair pair = pair();
        closeEnds(kind, pair.server(), () -> pair.server().read(ByteBuffer.allocate(1)));
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsAWrite(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Task<?> task =
                Task.start(kind, () -> writeMoreThanBuffers(pair.client())).awaitBlocked();
        pair.client().close();
        // Of a write that had taken some bytes the JDK returns their number; then it is the next one that fails.
        task.failure(ClosedChannelException.class);
    }

    @ParameterizedTest
    @EnumSource
    void closeEndsAnAccept(ThreadKind kind) throws Exception {
        ServerSocketChannel listener = listen();
        closeEnds(kind, listener, listener::accept);
    }

    private static void closeEnds(ThreadKind kind, Channel channel, Callable<?> call) throws Exception {
        Task<?> task = Task.start(kind, call).awaitBlocked();
        channel.close();
        task.failure(AsynchronousCloseException.class);
    }

    @Test
    void shutdownInputEndsARead() throws Exception {
        Pair pair = pair();
        Task<Integer> reader =
                Task.start(() -> pair.server().read(ByteBuffer.allocate(1))).awaitBlocked();
        pair.server().shutdownInput();
        assertEquals(-1, reader.result());
    }

    @ParameterizedTest
    @EnumSource
    void readAndWriteGoOnAtTheSameTime(ThreadKind kind) throws Exception {
        Pair pair = pair();
        Task<Integer> reader = Task.start(kind, () -> pair.client().read(ByteBuffer.allocate(1)))
                .awaitBlocked();
        send(pair.client(), "written while another thread reads");
        assertEquals("written", receive(pair.server(), 7));
        send(pair.server(), "x");
        assertEquals(1, reader.result());
    }

    /** Writes until all is taken: a write by a virtual thread may return after a part. */
    private static int writeMoreThanBuffers(SocketChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(MORE_THAN_BUFFERS);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        return bytes.position();
    }

    @Test
    void closedChannelsRefuseEverything() throws Exception {
        Pair pair = pair();
        pair.client().close();
        assertThrows(ClosedChannelException.class, () -> pair.client().read(ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, () -> pair.client().write(ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, () -> pair.client().getLocalAddress());
        assertThrows(ClosedChannelException.class, () -> pair.client().configureBlocking(false));
        assertThrows(ClosedChannelException.class, () -> pair.client().shutdownInput());
    }
}
