package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.core.StackCore;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.port.MemoryPort;
import dev.millrace.stack.tcp.TcpConfig;
import dev.millrace.stack.wire.IpAddress;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/** One whole stack on a link that a fuzz target feeds and a clock that it turns, with the checks that hold whatever comes in. */
final class FuzzedStack implements AutoCloseable {
    static final long MS = 1_000_000L;

    /** Timers that may be due within the time let pass at once; more is a loop. */
    private static final int MAX_TURNS = 20_000;

    /** A core without packets asks to be turned every 50 µs; it is turned this often, which takes the same ways. */
    private static final long POLL_NS = 10 * MS;

    /** Frames that one turn may send; a window of the smallest segments is less. */
    private static final int MAX_FRAMES = 8_192;

    /** Longer than anything outlives its connection: half-open entries, TIME-WAIT, reassembly. */
    private static final long ALL_OVER_NS = 400_000 * MS;

    final MemoryPort port = new MemoryPort(Wire.STACK_MAC, 1500);
    final Stack stack;
    final StackCore core;
    long nowNs = 1_000_000 * MS;

    FuzzedStack() {
        this(UnaryOperator.identity());
    }

    /** @param tuning of its TCP */
    FuzzedStack(UnaryOperator<TcpConfig> tuning) {
        IpAddress v4 = IpAddress.of(Wire.STACK4);
        IpAddress v6 = IpAddress.of(Wire.STACK6);
        StackConfig config = StackConfig.of(
                        List.of(new StackConfig.Interface(v4, 24), new StackConfig.Interface(v6, 64)), List.of(), 1500)
                .withTuning(tuning);
        stack = new Stack(config, port, new SplittableRandom(1));
        core = stack.core(0);
        after(10_000 * MS); // own addresses have been probed
        port.arrives(Wire.arpRequest());
        port.arrives(Wire.neighborSolicitation());
        turn();
        port.sent.clear();
    }

    void receives(byte[] frame) {
        port.arrives(frame);
        turn();
    }

    void turn() {
        int before = port.sent.size();
        core.turn(nowNs);
        check(port.sent.size() - before <= MAX_FRAMES, "one turn sent " + (port.sent.size() - before) + " frames");
        if (core.counters().get(Counter.CORE_INVARIANT_BROKEN) != 0) {
            throw new AssertionError("an invariant was broken", core.lastBroken());
        }
        core.checkInvariants();
    }

    /** Lets time pass, firing timers as they come due. */
    void after(long durationNs) {
        long endNs = nowNs + durationNs;
        int turns = 0;
        while (core.nextDeadlineNs() <= endNs && (port.queue(0).packetsLeft > 0 || nowNs < endNs)) {
            check(turns++ < MAX_TURNS, "timers fire without end");
            long polledNs = port.queue(0).packetsLeft == 0 ? nowNs + POLL_NS : nowNs;
            nowNs = Math.min(endNs, Math.max(polledNs, core.nextDeadlineNs()));
            turn();
        }
        nowNs = endNs;
        turn();
    }

    /** Everything has been closed: nothing may be left once all timers have run out. */
    void expectNothingLeft() {
        port.queue(0).packetsLeft = Integer.MAX_VALUE;
        turn();
        after(ALL_OVER_NS);
        check(core.connections().isEmpty(), "left in the flow table: " + core.connections());
        check(core.chunks().chunksInUse() == 0, core.chunks().chunksInUse() + " chunks of memory are missing");
        check(port.packetsInUse() == 0, port.packetsInUse() + " packets are missing");
    }

    @Override
    public void close() {
        stack.close();
        port.close();
    }
}
