package dev.millrace.benchmarks.jmh;

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
 * How many nanoseconds does the engine alone take per sent data segment: from the application's write to the frame at the port, with the
 * handling of the acknowledgments that come back?
 *
 * <p>{@code bulk} writes eight full segments at once, acknowledged by every second one as RFC 5681 §4.2 has it; {@code single} writes
 * one small message per turn, as an echo does, and gets one acknowledgment. {@code offload} false adds the checksums.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // JMH calls open before anything else
public class SentSegment {
    private static final int BURST = 8;
    private static final int FULL = 1448;
    private static final int SMALL = 64;

    @Param({"true", "false"})
    private boolean offload;

    private EngineConnection connection;
    private ByteBuffer source;
    private long sent;

    @Setup(Level.Trial)
    public void open() throws TcpException {
        connection = new EngineConnection(offload);
        source = ByteBuffer.allocateDirect(BURST * FULL);
    }

    @TearDown(Level.Trial)
    public void close() {
        connection.close();
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public void bulk() {
        write(BURST * FULL);
        connection.turn();
        for (int i = 0; i < BURST / 2; i++) {
            connection.peer.sendAck();
        }
        connection.turn();
        expect(BURST);
    }

    @Benchmark
    public void single() {
        write(SMALL);
        connection.turn();
        connection.peer.sendAck();
        connection.turn();
        expect(1);
    }

    private void write(int length) {
        int taken = connection.socket.write(source, 0, length);
        if (taken != length) {
            throw new IllegalStateException("the stack took " + taken + " of " + length + " bytes");
        }
    }

    private void expect(int segments) {
        sent += segments;
        if (connection.peer.dataSegments() != sent) {
            throw new IllegalStateException(connection.peer.dataSegments() + " segments came, not " + sent);
        }
    }
}
