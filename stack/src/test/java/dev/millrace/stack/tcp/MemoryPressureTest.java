package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.Chunk;
import dev.millrace.stack.metrics.Counter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Buffer memory that runs out: who waits, who is woken, and who has to go (sockstress). */
class MemoryPressureTest {
    private static final int CHUNKS = 256;

    /** 1 MiB of memory for all buffers. */
    private final Trace t = new Trace(TcpConfig.of(0), 1 << 20);

    private final List<Chunk> taken = new ArrayList<>();

    @AfterEach
    void close() {
        t.host.close();
    }

    private void takeAllMemory() {
        for (Chunk chunk = t.host.chunks.take(); chunk != null; chunk = t.host.chunks.take()) {
            taken.add(chunk);
        }
    }

    private boolean isWritable(TcpSocket connection) {
        return (connection.readiness() & TcpSocket.WRITABLE) != 0;
    }

    /** A connection of a port of its own. */
    private TcpSocket accept(int port) {
        t.ignoreSent();
        t.peerPort = port;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends(".", 1, 1, 0);
        TcpSocket connection = t.listenerOrFail().accept();
        assertNotNull(connection);
        return connection;
    }

    @Test
    void aSocketIsNotWritableWhileMemoryCannotBeHad() {
        TcpSocket connection = t.acceptConnection();
        takeAllMemory();
        assertTrue(isWritable(connection), "nobody has tried");
        assertEquals(0, t.write(1, 100));
        assertFalse(isWritable(connection), "a selector would spin");
        t.after(ms(500));
        assertFalse(isWritable(connection));
    }

    @Test
    void chunksThatComeBackWakeWriters() {
        TcpSocket connection = t.acceptConnection();
        int[] wakeUps = {0};
        connection.observer(() -> wakeUps[0]++);
        t.turn();
        takeAllMemory();
        t.write(1, 100);
        int before = wakeUps[0];
        t.host.chunks.give(taken.removeLast());
        t.after(ms(11));
        assertTrue(isWritable(connection));
        assertEquals(before + 1, wakeUps[0]);
        assertEquals(100, t.write(1, 100));
        assertEquals(Long.MAX_VALUE, t.host.tcp.memory.nextDeadlineNs(), "nobody waits any more");
    }

    @Test
    void asManyWritersAreWokenAsThereAreChunksInTheOrderTheyCame() {
        t.listener = t.host.listen(Trace.PORT, 16);
        List<TcpSocket> connections = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            connections.add(accept(2000 + i));
        }
        takeAllMemory();
        for (TcpSocket connection : connections) {
            assertEquals(0, connection.write(ByteBuffer.allocate(10), 0, 10));
            t.turn();
        }
        t.host.chunks.give(taken.removeLast());
        t.host.chunks.give(taken.removeLast());
        t.host.tcp.onTimers(t.nowNs);
        for (int i = 0; i < 5; i++) {
            assertEquals(i < 2, isWritable(connections.get(i)), "writer " + i);
        }
        assertEquals(10, connections.get(0).write(ByteBuffer.allocate(10), 0, 10));
        t.turn();
        t.after(ms(11));
        assertTrue(isWritable(connections.get(2)), "the second did not use what there was");
    }

    @Test
    void aWriteThatFitsPartlyWaitsForTheRest() {
        TcpSocket connection = t.acceptConnection();
        takeAllMemory();
        t.host.chunks.give(taken.removeLast());
        assertEquals(Chunk.SIZE, t.write(1, 10_000));
        assertFalse(isWritable(connection));
    }

    @Test
    void anEndedConnectionWaitsForNoMemory() {
        TcpSocket connection = t.acceptConnection();
        takeAllMemory();
        t.write(1, 100);
        t.peerSends("R", 1, 0, 0);
        assertTrue((connection.readiness() & TcpSocket.FAILED) != 0);
        assertTrue(isWritable(connection), "to learn the error");
    }

    // ---- sockstress ----

    /** Its peer closes the window, and the application fills as much of the send buffer as there is memory. */
    private TcpSocket holder(int port, int bytes) {
        TcpSocket connection = accept(port);
        t.peerSends(".", 1, 1, 0, s -> s.window = 0);
        assertEquals(bytes, connection.write(ByteBuffer.allocate(bytes), 0, bytes));
        t.turn();
        return connection;
    }

    @Test
    @Rule("tcp.md: zero-window holders (sockstress)")
    void theOldestHoldersGoWhenMemoryIsUsedUp() {
        t.listener = t.host.listen(Trace.PORT, 16);
        List<TcpSocket> holders = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            holders.add(holder(2000 + i, 100_000));
            t.after(ms(3000)); // probes begin in this order
        }
        t.ignoreSent();
        TcpSocket honest = accept(3000);
        assertEquals(0, t.count(Counter.TCP_ABORT_ON_MEMORY), "there is memory: closed windows may stay closed");
        takeAllMemory();
        assertEquals(0, honest.write(ByteBuffer.allocate(5000), 0, 5000));
        t.turn();
        assertEquals(1, t.count(Counter.TCP_OUT_RSTS));
        assertEquals(1, t.count(Counter.TCP_ABORT_ON_MEMORY));
        assertEquals(TcpError.TIMED_OUT, holders.get(0).error(), "the oldest");
        assertEquals(TcpError.NONE, holders.get(1).error(), "one was enough");
        assertTrue(isWritable(honest));
        assertEquals(5000, honest.write(ByteBuffer.allocate(5000), 0, 5000));
    }

    @Test
    @Rule("tcp.md: zero-window holders (sockstress)")
    void holdersGoForReceivedBytesToo() {
        t.listener = t.host.listen(Trace.PORT, 16);
        TcpSocket holder = holder(2000, 50_000);
        t.after(ms(3000));
        TcpSocket honest = accept(3000);
        takeAllMemory();
        t.peerSends("P.", 1, 1, 100);
        assertEquals(TcpError.TIMED_OUT, holder.error());
        t.peerSends("P.", 1, 1, 100); // as it was not acknowledged
        assertEquals(100, honest.readableBytes());
    }

    /** Its peer does not close its window: it just never acknowledges. */
    @Test
    void aClosedConnectionIsNotRetransmittedWithTheLastOfTheMemory() {
        t.acceptConnection();
        t.write(1, 1000);
        t.stackSends(".", 1, 1, 1000);
        t.socket().close();
        t.turn();
        t.stackSends("F.", 1001, 1, 0);
        takeAllMemory();
        t.after(ms(1500));
        t.ignoreSent();
        assertEquals(0, t.host.tcp.liveConnections);
        assertEquals(1, t.count(Counter.TCP_ABORT_ON_MEMORY));
    }

    @Test
    void aPeerThatOpensItsWindowIsNoHolder() {
        t.listener = t.host.listen(Trace.PORT, 16);
        TcpSocket slow = holder(2000, 50_000);
        t.after(ms(3000));
        t.peerSends(".", 1, 1, 0, s -> s.window = 10_000);
        takeAllMemory();
        t.ignoreSent();
        TcpSocket honest = accept(3000);
        assertEquals(0, honest.write(ByteBuffer.allocate(100), 0, 100));
        t.turn();
        assertEquals(TcpError.NONE, slow.error());
        assertEquals(0, t.count(Counter.TCP_ABORT_ON_MEMORY));
    }

    @Test
    @Rule("tcp.md: zero-window holders (sockstress)")
    void aClosedConnectionDoesNotWaitForTheWindowForEver() {
        t.listener = t.host.listen(Trace.PORT, 16);
        TcpSocket orphan = holder(2000, 1000);
        orphan.close();
        t.turn();
        for (int i = 0; i < 2000 && (orphan.readiness() & TcpSocket.GONE) == 0; i++) {
            t.after(ms(1000));
            t.peerSends(".", 1, 1, 0, s -> s.window = 0); // alive, and never ready
        }
        assertTrue((orphan.readiness() & TcpSocket.GONE) != 0, "Linux gives orphans up at the longest interval");
        assertEquals(0, t.host.chunks.chunksInUse());
    }

    @Test
    @Rule("tcp.md: out-of-order flood")
    void bytesBeyondGapsNeverTakeTheLastOfTheMemory() {
        t.options.receiveBufferBytes = 256 << 10;
        t.peerScale = 4;
        t.listener = t.host.listen(Trace.PORT, 64, t.options);
        for (int i = 0; i < 40; i++) {
            accept(2000 + i);
            for (int at = 4096; at < 60_000; at += 1400) {
                t.peerSends("P.", 1 + at, 1, 1400);
            }
            t.ignoreSent();
        }
        assertTrue(t.count(Counter.TCP_OUT_OF_ORDER_REFUSED) > 0);
        int free = CHUNKS - t.host.chunks.chunksInUse();
        assertTrue(free >= CHUNKS / 16 - 1, "free chunks " + free);
        TcpSocket honest = accept(3000);
        t.peerSends("P.", 1, 1, 1000);
        assertEquals(1000, honest.readableBytes());
    }

    @Test
    @Rule("tcp.md: tiny segments holding big buffers")
    void tinySegmentsShareChunks() {
        TcpSocket connection = t.acceptConnection();
        for (int i = 0; i < 3000; i++) {
            t.peerSendsInBurst(".", 1 + i, 1, 1);
        }
        t.endOfBurst();
        assertEquals(3000, connection.readableBytes());
        assertEquals(1, t.host.chunks.chunksInUse(), "3,000 segments of a byte in 4 KiB");
    }

    @Test
    @Rule("tcp.md: tiny segments holding big buffers")
    void aByteInEachChunkIsChargedToTheWindow() {
        t.acceptConnection();
        for (int i = 1; i < 1000; i++) {
            t.peerSends(".", 1 + i * (long) Chunk.SIZE, 1, 1);
        }
        int window = 65_535;
        assertTrue(t.host.chunks.chunksInUse() <= window / Chunk.SIZE + 1, "chunks " + t.host.chunks.chunksInUse());
        assertNull(t.host.tcp.lastBroken());
    }
}
