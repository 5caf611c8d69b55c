package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Two stacks and a link between them, all from one seed: bytes arrive equal, memory returns, connections end. */
class TransferTest {
    private static final IpAddress A = IpAddress.v4(0xc6120001);
    private static final IpAddress B = IpAddress.v4(0xc6120002);
    private static final long MS = 1_000_000L;

    /** A segment that arrives at a time; {@code order} keeps the queue deterministic. */
    private record Arrival(long atNs, long order, TcpHost to, TcpHost.Wire wire) implements Comparable<Arrival> {
        @Override
        public int compareTo(Arrival other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    /** One direction of an application: writes a pattern to its end, then closes its side. */
    private static final class Flow {
        final TcpSocket from;
        final TcpSocket to;
        final long total;
        long written;
        long read;
        boolean ended;

        Flow(TcpSocket from, TcpSocket to, long total) {
            this.from = from;
            this.to = to;
            this.total = total;
        }

        static byte at(long position) {
            return (byte) (position * 0x9e3779b97f4a7c15L >>> 56);
        }

        void step(SplittableRandom random, int maxPiece) {
            write(1 + random.nextInt(maxPiece));
            read(1 + random.nextInt(maxPiece));
        }

        private void write(int wanted) {
            int length = (int) Math.min(wanted, total - written);
            if (length > 0) {
                ByteBuffer bytes = ByteBuffer.allocate(length);
                for (int i = 0; i < length; i++) {
                    bytes.put(i, at(written + i));
                }
                int taken = from.write(bytes, 0, length);
                assertTrue(taken >= 0, "write failed: " + from.error());
                written += taken;
            }
            if (written == total) {
                from.shutdownOutput();
            }
        }

        private void read(int wanted) {
            ByteBuffer bytes = ByteBuffer.allocate(wanted);
            int count = to.read(bytes, 0, wanted);
            if (count == TcpSocket.END) {
                ended = true;
                return;
            }
            assertTrue(count >= 0, "read failed: " + to.error());
            for (int i = 0; i < count; i++) {
                assertEquals(at(read + i), bytes.get(i), "byte " + (read + i));
            }
            read += count;
        }
    }

    private static final class World {
        final SplittableRandom random;
        final TcpHost a;
        final TcpHost b;
        final PriorityQueue<Arrival> wire = new PriorityQueue<>();
        final double loss;
        final double reorder;
        final double duplicate;
        long nowNs = 5_000 * MS;
        long order;
        long segments;

        World(long seed, double loss, double reorder, double duplicate) {
            this.random = new SplittableRandom(seed);
            this.loss = loss;
            this.reorder = reorder;
            this.duplicate = duplicate;
            this.a = new TcpHost(A, TcpConfig.of(0), random.nextLong());
            this.b = new TcpHost(B, TcpConfig.of(0), random.nextLong());
        }

        void collect(TcpHost from, TcpHost to) {
            for (TcpHost.Wire sent = from.sent.poll(); sent != null; sent = from.sent.poll()) {
                segments++;
                if (random.nextDouble() < loss) {
                    continue;
                }
                boolean late = random.nextDouble() < reorder;
                long delay = MS / 2 + (late ? random.nextLong(5 * MS) : 0);
                wire.add(new Arrival(nowNs + delay, order++, to, sent));
                if (random.nextDouble() < duplicate) {
                    wire.add(new Arrival(nowNs + delay + random.nextLong(MS), order++, to, sent));
                }
            }
        }

        /** Runs both stacks until the next thing happens. */
        void step() {
            a.turn(nowNs);
            b.turn(nowNs);
            collect(a, b);
            collect(b, a);
            long next = Math.min(a.tcp.nextDeadlineNs(), b.tcp.nextDeadlineNs());
            Arrival first = wire.peek();
            if (first != null) {
                next = Math.min(next, first.atNs());
            }
            // an application that is not told anything looks again after a while
            nowNs = Math.max(nowNs, Math.min(next, nowNs + 10 * MS));
            while (!wire.isEmpty() && wire.element().atNs() <= nowNs) {
                Arrival arrival = wire.remove();
                arrival.to().receive(arrival.wire(), nowNs);
            }
            a.tcp.endOfBurst(nowNs);
            b.tcp.endOfBurst(nowNs);
            a.checkUnbroken();
            b.checkUnbroken();
        }
    }

    @Rule("tcp.md: TCP core")
    @ParameterizedTest(name = "seed {0}, {1} bytes, loss {2}, reordering {3}, duplication {4}, pieces of {5}")
    @CsvSource({
        "1, 65536, 0, 0, 0, 65536",
        "2, 4000000, 0, 0, 0, 65536",
        "3, 1000000, 0.01, 0.02, 0.01, 20000",
        "4, 2000000, 0.02, 0.1, 0.02, 65536",
        "5, 300000, 0.1, 0.1, 0.05, 3000",
        "6, 100000, 0.2, 0.2, 0.1, 500",
        "7, 65536, 0.05, 0.5, 0.2, 1",
    })
    void bytesArriveEqualWhateverTheLinkDoes(
            long seed, long bytes, double loss, double reorder, double duplicate, int maxPiece) {
        World world = new World(seed, loss, reorder, duplicate);
        TcpListener listener = world.b.listen(80, 16);
        TcpSocket client = world.a.connect(B, 80, new TcpOptions(), world.nowNs);
        TcpSocket server = null;
        for (int i = 0; i < 10_000 && server == null; i++) {
            world.step();
            server = listener.accept();
        }
        assertNotNull(server, "not accepted, seed " + seed);
        transfer(world, client, server, bytes, maxPiece, seed);
        listener.close();
        world.a.close();
        world.b.close();
    }

    /** {@code -Dmillrace.seeds=1000} looks further. */
    static LongStream seeds() {
        return LongStream.rangeClosed(1, Long.getLong("millrace.seeds", 12));
    }

    /** Tiny buffers, Nagle, small segments: whatever the seed says. Nothing may stall. */
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void nothingStallsWhateverTheOptions(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        World world = new World(seed, random.nextInt(3) * 0.02, random.nextInt(3) * 0.05, random.nextInt(2) * 0.02);
        world.a.mtu = 200 + random.nextInt(1300);
        world.b.mtu = 200 + random.nextInt(1300);
        TcpListener listener = world.b.listen(80, 16, options(random));
        TcpSocket client = world.a.connect(B, 80, options(random), world.nowNs);
        TcpSocket server = null;
        for (int i = 0; i < 10_000 && server == null; i++) {
            world.step();
            server = listener.accept();
        }
        assertNotNull(server, "not accepted, seed " + seed);
        long before = world.nowNs;
        transfer(world, client, server, 60_000, 1 + random.nextInt(9000), seed);
        assertTrue(world.nowNs - before < 3_000_000 * MS, "took " + (world.nowNs - before) / MS + " ms, seed " + seed);
        listener.close();
        world.a.close();
        world.b.close();
    }

    private static TcpOptions options(SplittableRandom random) {
        TcpOptions options = new TcpOptions();
        options.noDelay = random.nextBoolean();
        options.quickAck = random.nextInt(4) == 0;
        options.receiveBufferBytes = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(10_000);
        options.sendBufferBytes = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(10_000);
        return options;
    }

    private static void transfer(World world, TcpSocket client, TcpSocket server, long bytes, int maxPiece, long seed) {
        List<Flow> flows = new ArrayList<>();
        flows.add(new Flow(client, server, bytes));
        flows.add(new Flow(server, client, bytes / 3));
        long limit = 20_000_000;
        while (flows.stream().anyMatch(flow -> !flow.ended)) {
            for (Flow flow : flows) {
                flow.step(world.random, maxPiece);
            }
            world.step();
            assertTrue(limit-- > 0, "no end in sight, seed " + seed);
        }
        for (Flow flow : flows) {
            assertEquals(flow.total, flow.read, "bytes read, seed " + seed);
        }
        client.close();
        server.close();
        long deadline = world.nowNs + 600_000 * MS;
        world.step();
        while (gone(client) + gone(server) < 2 && world.nowNs < deadline) {
            world.step();
        }
        assertEquals(2, gone(client) + gone(server), "connections that ended, seed " + seed);
        assertEquals(TcpError.NONE, client.error());
        assertEquals(TcpError.NONE, server.error());
        assertEquals(0, world.a.chunks.chunksInUse(), "chunks left in a, seed " + seed);
        assertEquals(0, world.b.chunks.chunksInUse(), "chunks left in b, seed " + seed);
    }

    private static int gone(TcpSocket connection) {
        return (connection.readiness() & TcpSocket.GONE) != 0 ? 1 : 0;
    }

    @Test
    void aLosslessTransferRetransmitsNothing() {
        World world = new World(99, 0, 0, 0);
        TcpListener listener = world.b.listen(80, 16);
        TcpSocket client = world.a.connect(B, 80, new TcpOptions(), world.nowNs);
        TcpSocket server = null;
        while (server == null) {
            world.step();
            server = listener.accept();
        }
        Flow flow = new Flow(client, server, 3_000_000);
        while (!flow.ended) {
            flow.step(world.random, 65536);
            world.step();
        }
        assertEquals(0, world.a.count(dev.millrace.stack.metrics.Counter.TCP_RETRANSMITTED_SEGMENTS));
        assertTrue(world.segments < 3_000_000 / 1448 * 2, "segments on the wire: " + world.segments);
        world.a.close();
        world.b.close();
    }
}
