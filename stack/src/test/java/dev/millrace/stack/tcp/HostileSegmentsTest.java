package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Segments of any content in every state: numbers near every edge that matters, odd flags, windows, options, while the application
 * calls whatever it likes. No invariant breaks, and afterwards nothing is left behind.
 */
class HostileSegmentsTest {
    private static final int STEPS = 4000;

    private static final String[] FLAGS = {".", ".", ".", "P.", "P.", "F.", "FP.", "R", "R.", "S", "S.", "F", "U."};

    /** {@code -Dmillrace.seeds=1000} looks further. */
    static LongStream seeds() {
        return LongStream.rangeClosed(1, Long.getLong("millrace.seeds", 16));
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void breakNothing(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Trace t = new Trace();
        t.options.noDelay = random.nextBoolean();
        t.options.keepAlive = random.nextBoolean();
        t.peerSack = random.nextBoolean();
        t.peerClock = random.nextBoolean() ? 1000 : -1;
        t.peerScale = random.nextBoolean() ? random.nextInt(16) : -1;
        t.peerMss = random.nextBoolean() ? 1460 : random.nextInt(65536);
        t.listener = t.host.listen(Trace.PORT, 4, t.options);
        try {
            for (int step = 0; step < STEPS; step++) {
                step(t, random);
            }
            if (t.socket != null) {
                t.socket().close(); // unread bytes of a connection that has ended are the application's
            }
            t.host.tcp.closeAll(t.nowNs);
            t.listener.close();
            t.turn();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed + " at " + t.nowNs, e);
        }
        assertEquals(0, t.count(Counter.CORE_INVARIANT_BROKEN), "seed " + seed);
        assertEquals(0, t.host.tcp.flows.size(), "flows left, seed " + seed);
        assertEquals(0, t.host.tcp.liveConnections, "connections left, seed " + seed);
        assertEquals(0, t.host.chunks.chunksInUse(), "chunks left, seed " + seed);
        t.close();
    }

    private static void step(Trace t, SplittableRandom random) {
        if (t.socket == null || (t.socket().readiness() & TcpSocket.GONE) != 0 && random.nextInt(20) == 0) {
            open(t, random);
        }
        t.host.packets = random.nextInt(10) == 0 ? 0 : Integer.MAX_VALUE;
        switch (random.nextInt(10)) {
            case 0 -> application(t, random);
            case 1 ->
                t.after(random.nextInt(8) == 0 ? random.nextLong(200_000) * Trace.MS : random.nextInt(300) * Trace.MS);
            default -> hostile(t, random);
        }
        t.ignoreSent();
    }

    /** A new connection, mostly brought to ESTABLISHED. */
    private static void open(Trace t, SplittableRandom random) {
        if (t.socket != null) {
            t.socket().close();
            t.turn();
        }
        t.host.packets = Integer.MAX_VALUE;
        t.host.sent.clear();
        t.ignoreSent();
        t.stackPort = Trace.PORT;
        t.peerPort = 1024 + random.nextInt(60_000);
        t.peerIss = random.nextInt();
        if (random.nextInt(4) == 0) {
            t.connect();
            t.peerPort = Trace.PEER_PORT;
            t.stackPort = t.connection().localPort;
            t.stackIss = t.connection().sender.iss;
            if (random.nextBoolean()) {
                t.peerSends("S.", 0, 1, 0);
            }
            return;
        }
        t.peerSends("S", 0, 0, 0);
        TcpHost.Wire answer = t.host.sent.poll();
        if (answer == null) {
            return;
        }
        Segment synAck = Segment.parse(answer);
        t.stackIss = synAck.sequence;
        t.lastStackTimestamp = synAck.timestampValue;
        t.peerSends(".", 1, 1, random.nextInt(3) * 10);
        TcpSocket accepted = t.listenerOrFail().accept();
        if (accepted != null) {
            t.socket = accepted;
        }
    }

    private static void application(Trace t, SplittableRandom random) {
        if (t.socket == null) {
            return;
        }
        if (t.connection().closedByApplication()) {
            return;
        }
        TcpSocket socket = t.socket();
        switch (random.nextInt(12)) {
            case 0 -> socket.close();
            case 1 -> socket.abort();
            case 2 -> socket.shutdownOutput();
            case 3 -> socket.shutdownInput();
            case 4, 5, 6 -> socket.write(ByteBuffer.allocate(5000), 0, 1 + random.nextInt(5000));
            default -> socket.read(ByteBuffer.allocate(5000), 0, 1 + random.nextInt(5000));
        }
        t.turn();
    }

    private static void hostile(Trace t, SplittableRandom random) {
        long next = 1;
        long una = 1;
        long nxt = 1;
        long edge = 65536;
        if (t.socket != null) {
            TcpConnection connection = t.connection();
            next = connection.receiver.nxt + 1;
            edge = connection.receiver.window.edge + 1;
            una = connection.sender.una + 1;
            nxt = connection.sender.nxt + 1;
        }
        long sequence = near(random, next, next, next, edge, next - 1, 0, next + 1460);
        long ack = near(random, una, nxt, nxt, una - 65535, nxt + 1, 0);
        String flags = FLAGS[random.nextInt(FLAGS.length)];
        int length = switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> random.nextInt(100);
            default -> random.nextInt(1461);
        };
        long peerUna = una;
        long peerNxt = nxt;
        t.peerSends(flags, sequence, ack, length, s -> mutate(t, s, random, peerUna, peerNxt));
    }

    private static long near(SplittableRandom random, long... edges) {
        long edge = edges[random.nextInt(edges.length)];
        return switch (random.nextInt(8)) {
            case 0 -> edge + 1;
            case 1 -> edge - 1;
            case 2 -> edge + random.nextInt(3000) - 1500;
            case 3 -> random.nextInt(4) == 0 ? random.nextInt() : edge;
            default -> edge;
        };
    }

    private static void mutate(Trace t, Segment segment, SplittableRandom random, long una, long nxt) {
        if (random.nextInt(4) == 0) {
            segment.window = random.nextBoolean() ? 0 : random.nextInt(65536);
        }
        if (random.nextInt(10) == 0) {
            segment.hasTimestamp = !segment.hasTimestamp;
            segment.timestampValue = random.nextInt();
        }
        if (segment.hasTimestamp && random.nextInt(10) == 0) {
            segment.timestampValue += random.nextInt(5) - 2;
            segment.timestampEcho = random.nextInt();
        }
        if (!segment.has(TcpSegment.SYN) && random.nextInt(3) == 0) {
            int blocks = 1 + random.nextInt(3);
            segment.sackLeft = new int[blocks];
            segment.sackRight = new int[blocks];
            for (int i = 0; i < blocks; i++) {
                long left = una + random.nextLong(Math.max(1, nxt - una + 3)) - 1;
                segment.sackLeft[i] = t.stackIss + (int) left;
                segment.sackRight[i] = t.stackIss + (int) (left + random.nextInt(4000) - 500);
            }
        }
    }
}
