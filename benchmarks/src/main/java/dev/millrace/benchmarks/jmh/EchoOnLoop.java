package dev.millrace.benchmarks.jmh;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What does a 64-byte echo through real selectors and channels cost, and does it allocate (run with {@code -prof gc}: 0 B/op)?
 *
 * <p>Both ends in one thread on {@code link=loop}, beside the same on the kernel's loopback. {@code AllocationTest} keeps the second half of the
 * question answered in every build.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // JMH calls open before anything else
public class EchoOnLoop {
    @Param({"millrace", "kernel"})
    private String side;

    private LoopEcho echo;

    @Setup(Level.Trial)
    public void open() throws IOException {
        echo = "kernel".equals(side) ? LoopEcho.onKernel() : LoopEcho.onMillrace();
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        echo.close();
    }

    @Benchmark
    public void roundTrip() throws IOException {
        echo.roundTrip();
    }
}
