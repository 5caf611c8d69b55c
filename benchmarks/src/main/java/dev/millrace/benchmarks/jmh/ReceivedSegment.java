package dev.millrace.benchmarks.jmh;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.tcp.TcpException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * How many nanoseconds does the engine alone take per received data segment: from the frame in the queue to the bytes in the application's
 * buffer, with the acknowledgments that it sends for them?
 *
 * <p>Bursts of 32 in order on one connection, each read by the application at once. {@code offload} false adds the verification of
 * the checksums; the peer, which writes headers and sums on the same thread, is measured by {@link #peerAlone}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // JMH calls open before anything else
public class ReceivedSegment {
    private static final int BURST = 32;

    @Param({"64", "1448"})
    private int bytes;

    @Param({"true", "false"})
    private boolean offload;

    private EngineConnection connection;
    private ByteBuffer target;

    private MemoryPort idlePort;
    private Peer idlePeer;
    private Packet[] frames;

    @Setup(Level.Trial)
    public void open() throws TcpException {
        connection = new EngineConnection(offload);
        target = ByteBuffer.allocateDirect(BURST * bytes);
        idlePort = new MemoryPort(offload);
        idlePeer = new Peer(idlePort);
        frames = new Packet[BURST];
    }

    @TearDown(Level.Trial)
    public void close() {
        connection.close();
        idlePort.close();
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int segments() {
        for (int i = 0; i < BURST; i++) {
            connection.peer.sendData(bytes);
        }
        connection.turn();
        int count = connection.socket.read(target, 0, BURST * bytes);
        if (count != BURST * bytes) {
            throw new IllegalStateException("read " + count + " of " + BURST * bytes + " bytes");
        }
        return count;
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int peerAlone() {
        for (int i = 0; i < BURST; i++) {
            idlePeer.sendData(bytes);
        }
        int count = idlePort.receive(frames, BURST);
        idlePort.release(frames, count);
        return count;
    }
}
