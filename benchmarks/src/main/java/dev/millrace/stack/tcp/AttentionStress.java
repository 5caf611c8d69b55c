package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.IpAddress;
import java.lang.reflect.Proxy;
import java.util.random.RandomGenerator;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Claim: what an application asks of a connection while its core attends to an earlier request is not overlooked: the core sees it
 * now, or the connection is submitted to it again.
 */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "The core saw it with the earlier request.")
@Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "It was submitted again.")
@Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "The core saw it, and will look once more in vain.")
@Outcome(id = "false, false", expect = Expect.FORBIDDEN, desc = "Asked, and overlooked.")
@State
public class AttentionStress {
    private static final Tcp TCP = new Tcp(
            TcpConfig.of(0),
            noOutput(),
            new ChunkPool(1 << 20),
            new Counters(),
            new PortTable(RandomGenerator.of("L64X128MixRandom")),
            RandomGenerator.of("L64X128MixRandom"),
            connection -> ((CountingPath) connection.path).submissions++);

    private final CountingPath path = new CountingPath();
    private final TcpConnection connection =
            new TcpConnection(TCP, path, 1, 2, new TcpOptions(), TcpObserver.NONE, null);

    public AttentionStress() {
        connection.socket.optionsChanged(); // the earlier request
    }

    @Actor
    public void application(ZZ_Result r) {
        int before = path.submissions;
        connection.socket.shutdownInput();
        r.r2 = path.submissions > before;
    }

    @Actor
    public void core(ZZ_Result r) {
        connection.attend(0);
        r.r1 = connection.receiver.discarding();
    }

    private static SegmentOutput noOutput() {
        return (SegmentOutput) Proxy.newProxyInstance(
                SegmentOutput.class.getClassLoader(),
                new Class<?>[] {SegmentOutput.class},
                (proxy, method, arguments) -> {
                    throw new AssertionError("nothing is sent");
                });
    }

    /** A path that notes, for the application's thread alone, how often its connection was submitted. */
    private static final class CountingPath extends Path {
        int submissions;

        CountingPath() {
            super(IpAddress.of(new byte[] {(byte) 198, 18, 0, 1}), IpAddress.of(new byte[] {(byte) 198, 18, 0, 2}));
        }

        @Override
        public int mtu() {
            return 1500;
        }

        @Override
        public void confirm(long nowNs) {
            // no neighbour
        }

        @Override
        public void onPacketTooBig(int mtu, long nowNs) {
            throw new AssertionError("nothing is sent");
        }
    }
}
