package dev.millrace.benchmarks.jmh;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.core.StackCore;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.util.List;
import java.util.SplittableRandom;

/** One established connection between a stack of one shard, turned by hand on a clock of its own, and a {@link Peer}. */
final class EngineConnection implements AutoCloseable {
    private static final long TURN_NS = 10_000;
    private static final int TURNS_PER_TICK = 100;
    private static final int TURNS_TO_CONNECT = 1_000;

    final Peer peer;
    final TcpSocket socket;

    private final MemoryPort port;
    private final Stack stack;
    private final StackCore core;
    private long nowNs = 1_000_000_000;
    private int turns;

    /** @param offload whether checksums are the port's business */
    EngineConnection(boolean offload) throws TcpException {
        port = new MemoryPort(offload);
        peer = new Peer(port);
        IpAddress own = IpAddress.v4(Peer.STACK_ADDRESS);
        StackConfig config = StackConfig.of(List.of(new StackConfig.Interface(own, 24)), List.of(), port.mtu());
        stack = new Stack(config, port, new SplittableRandom(1));
        core = stack.core(0);
        TcpOptions options = new TcpOptions();
        options.noDelay = true;
        TcpAcceptor acceptor = stack.listen(stack.bind(own, Peer.STACK_PORT, options), 16, options, TcpObserver.NONE);
        socket = connect(acceptor);
    }

    private TcpSocket connect(TcpAcceptor acceptor) {
        peer.sendSyn();
        for (int i = 0; i < TURNS_TO_CONNECT; i++) {
            turn();
            if (peer.isSynAcknowledged()) {
                peer.sendAck();
                turn();
                TcpSocket accepted = acceptor.accept();
                if (accepted != null) {
                    return accepted;
                }
            }
        }
        throw new IllegalStateException("the handshake did not come about");
    }

    /** Ten microseconds later, the core runs once. */
    void turn() {
        nowNs += TURN_NS;
        if (++turns % TURNS_PER_TICK == 0) {
            peer.tick();
        }
        core.turn(nowNs);
    }

    /** The core runs once while its clock stands still, so that no timer ever does anything. */
    void turnAtOnce() {
        core.turn(nowNs);
    }

    @Override
    public void close() {
        stack.close();
        port.close();
    }
}
