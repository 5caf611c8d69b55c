package dev.millrace.benchmarks.jmh;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.core.StackCore;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;
import java.util.List;
import java.util.SplittableRandom;
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
 * What does a SYN of a flood cost: from the frame in the queue to the SYN+ACK in the port, at 200,000 a second from forged sources behind a
 * gateway, with all options? The half-open entries are full, so that nearly every one is answered with a cookie; their timers run, too.
 *
 * <p>{@code offload} false adds the verification and making of checksums. {@link #floodAlone} is what writing the SYNs costs, which is
 * part of the other figure.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // JMH calls open before anything else
public class SynFlood {
    private static final int BURST = 32;
    private static final long TURN_NS = BURST * 5_000L; // 200,000 a second
    private static final int TO_FILL = 10_000;

    private static final int FORGED_NET = 0xc613_0000;
    /** IPv4-mapped form. */
    private static final long MAPPED = 0xffff_0000_0000L;

    private static final int IP = 14;
    private static final int TCP = IP + 20;
    private static final int BYTES = TCP + 40;

    @Param({"true", "false"})
    private boolean offload;

    private MemoryPort port;
    private MemoryPort idlePort;
    private Stack stack;
    private StackCore core;
    private SplittableRandom random;
    private Packet[] frames;
    private long nowNs = 1_000_000_000;

    @Setup(Level.Trial)
    public void open() throws TcpException {
        port = new MemoryPort(offload);
        idlePort = new MemoryPort(offload);
        frames = new Packet[BURST];
        random = new SplittableRandom(1);
        port.receiver(new Peer(port));
        IpAddress own = IpAddress.v4(Peer.STACK_ADDRESS);
        StackConfig config = StackConfig.of(
                List.of(new StackConfig.Interface(own, 24)), List.of(IpAddress.v4(Peer.PEER_ADDRESS)), port.mtu());
        stack = new Stack(config, port, new SplittableRandom(2));
        core = stack.core(0);
        TcpOptions options = new TcpOptions();
        stack.listen(stack.bind(own, Peer.STACK_PORT, options), 128, options, TcpObserver.NONE);
        for (int i = 0; i < TO_FILL; i += BURST) {
            syns();
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        stack.close();
        port.close();
        idlePort.close();
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int syns() {
        for (int i = 0; i < BURST; i++) {
            forge(port);
        }
        nowNs += TURN_NS;
        return core.turn(nowNs);
    }

    @Benchmark
    @OperationsPerInvocation(BURST)
    public int floodAlone() {
        for (int i = 0; i < BURST; i++) {
            forge(idlePort);
        }
        int count = idlePort.receive(frames, BURST);
        idlePort.release(frames, count);
        return count;
    }

    /** As a Linux client's SYN, from anywhere. */
    private void forge(MemoryPort to) {
        Packet frame = to.frame();
        long at = frame.address;
        frame.length = BYTES;
        mac(at, MemoryPort.MAC);
        mac(at + 6, 0x02_00_00_00_00_02L);
        Memory.putShort(at + 12, 0x0800);
        long bits = random.nextLong();
        int source = FORGED_NET | (int) bits & 0xffff;
        Memory.putInt(at + IP, 0x4500_0000 | 60);
        Memory.putInt(at + IP + 4, 0x0000_4000);
        Memory.putInt(at + IP + 8, 0x4006_0000);
        Memory.putInt(at + IP + 12, source);
        Memory.putInt(at + IP + 16, Peer.STACK_ADDRESS);
        Memory.putShortNative(at + IP + 10, Checksum.finish(Checksum.add(0, at + IP, 20)));
        Memory.putInt(at + TCP, ((int) (bits >>> 16) & 0xffff | 1) << 16 | Peer.STACK_PORT);
        Memory.putInt(at + TCP + 4, (int) (bits >>> 32));
        Memory.putInt(at + TCP + 8, 0);
        Memory.putInt(at + TCP + 12, 10 << 28 | 2 << 16 | 0xffff);
        Memory.putInt(at + TCP + 16, 0);
        Memory.putInt(at + TCP + 20, 0x0204_05b4);
        Memory.putInt(at + TCP + 24, 0x0402_080a);
        Memory.putInt(at + TCP + 28, (int) bits);
        Memory.putInt(at + TCP + 32, 0);
        Memory.putInt(at + TCP + 36, 0x0103_0307);
        if (!offload) {
            long sum = Checksum.pseudoHeader(
                    0, MAPPED | source & 0xffff_ffffL, 0, MAPPED | Peer.STACK_ADDRESS & 0xffff_ffffL, 6, 40);
            Memory.putShortNative(at + TCP + 16, Checksum.finish(Checksum.add(sum, at + TCP, 40)));
        }
        to.arrive(frame);
    }

    private static void mac(long at, long mac) {
        Memory.putShort(at, (int) (mac >>> 32));
        Memory.putInt(at + 2, (int) mac);
    }
}
