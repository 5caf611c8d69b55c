package dev.millrace.stack.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.port.LoopPort;
import dev.millrace.stack.port.Sleeper;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole stacks on a manual clock, with themselves as peer over their loopback: what an application sees through the calls of {@link Stack}. */
class StackTest {
    private static final IpAddress LOCALHOST = IpAddress.v4(0x7f000001);
    private static final long STEP_NS = 10_000;

    private static final class NoSleep implements Sleeper {
        @Override
        public void await(long timeoutNs) {}

        @Override
        public void wake() {}
    }

    private Stack stack;
    private LoopPort link;
    private long nowNs = 1_000_000_000L;

    private void start(int shards) {
        link = new LoopPort("loop", shards, 1500, 1024, queue -> new NoSleep());
        stack = new Stack(StackConfig.of(List.of(), List.of(), 1500), link, new SplittableRandom(1));
    }

    @AfterEach
    void stop() {
        stack.close();
        link.close();
    }

    private void turn(int times) {
        for (int i = 0; i < times; i++) {
            nowNs += STEP_NS;
            for (int shard = 0; shard < stack.shards(); shard++) {
                stack.core(shard).turn(nowNs);
            }
        }
    }

    @Test
    void aReadingOfTheClockFromBeforeTheLastTurnCountsAsThatTurns() {
        start(1);
        long[] seenNs = new long[1];
        stack.core(0).turn(nowNs);
        stack.core(0).submit(now -> seenNs[0] = now);
        stack.core(0).turn(nowNs - 5_000_000);
        assertEquals(nowNs, seenNs[0]);
        stack.core(0).submit(now -> seenNs[0] = now);
        stack.core(0).turn(nowNs + 1);
        assertEquals(nowNs + 1, seenNs[0]);
    }

    private TcpSocket connect(int port) {
        ConnectCall call = stack.connect(null, LOCALHOST, port, new TcpOptions(), TcpObserver.NONE);
        call.core().submit(call);
        turn(4);
        assertTrue(call.isDone(), "connect is answered within a few turns");
        assertEquals(TcpError.NONE, call.error());
        return call.result();
    }

    private TcpAcceptor listen(int backlog) throws TcpException {
        LocalBinding binding = stack.bind(LOCALHOST, 0, new TcpOptions());
        return stack.listen(binding, backlog, new TcpOptions(), TcpObserver.NONE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void carriesBytesBothWaysAndClosesInBothDirections(int shards) throws TcpException {
        start(shards);
        TcpAcceptor acceptor = listen(16);
        for (int i = 0; i < 20; i++) {
            TcpSocket client = connect(acceptor.localPort());
            turn(10);
            TcpSocket server = acceptor.accept();
            assertNotNull(server, "connection " + i + " is accepted");
            assertTrue((client.readiness() & TcpSocket.CONNECTED) != 0);
            assertEquals(client.localPort(), server.remotePort());

            ByteBuffer text = ByteBuffer.wrap("through the millrace".getBytes(StandardCharsets.US_ASCII));
            assertEquals(text.capacity(), client.write(text, 0, text.capacity()));
            turn(10);
            ByteBuffer read = ByteBuffer.allocate(64);
            assertEquals(text.capacity(), server.read(read, 0, 64));
            assertEquals(text, read.slice(0, text.capacity()));

            client.close();
            turn(10);
            assertEquals(TcpSocket.END, server.read(read, 0, 64));
            server.close();
            turn(10);
            assertTrue((server.readiness() & TcpSocket.GONE) != 0);
            assertTrue((client.readiness() & TcpSocket.GONE) != 0);
        }
        for (int shard = 0; shard < shards; shard++) {
            assertEquals(0, stack.core(shard).chunks().chunksInUse(), "idle connections hold no memory");
        }
        acceptor.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void refusesAConnectionNobodyListensFor(int shards) {
        start(shards);
        TcpSocket client = connect(9);
        turn(10);
        assertEquals(TcpError.CONNECTION_REFUSED, client.error());
        client.close();
    }

    @Rule("RFC 9293 MUST-43")
    @Rule("RFC 9293 MUST-45")
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void connectsFromABoundPortWhateverShardItHashesTo(int shards) throws TcpException {
        start(shards);
        TcpAcceptor acceptor = listen(64);
        for (int port = 20_000; port < 20_032; port++) {
            LocalBinding binding = stack.bind(LOCALHOST, port, new TcpOptions());
            ConnectCall call =
                    stack.connect(binding, LOCALHOST, acceptor.localPort(), new TcpOptions(), TcpObserver.NONE);
            call.core().submit(call);
            turn(10);
            assertEquals(TcpError.NONE, call.error());
            TcpSocket client = call.result();
            assertTrue((client.readiness() & TcpSocket.CONNECTED) != 0, "port " + port);
            assertEquals(port, client.localPort());
            client.abort();
            turn(4);
            stack.bind(LOCALHOST, port, new TcpOptions()).close(); // free again
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1})
    void refusesToBindWhatIsNotItsOwn(int shards) {
        start(shards);
        IpAddress foreign = IpAddress.v4(0xc6120001);
        TcpException refused = assertThrows(TcpException.class, () -> stack.bind(foreign, 80, new TcpOptions()));
        assertEquals(TcpError.ADDRESS_NOT_AVAILABLE, refused.error());
    }
}
