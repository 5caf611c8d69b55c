package dev.millrace.compat.packetdrill;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.core.StackCore;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.tcp.TcpState;
import dev.millrace.stack.wire.IpAddress;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The stack under test, the network around it, and the clock. Time passes only in {@link #runUntil}, from one of the stack's deadlines to
 * the next; whatever the stack sends is kept with its time. One thread.
 */
final class World implements AutoCloseable {
    /** The stack's clock when the script begins: late enough that duplicate address detection is over, and no timestamp is near zero. */
    private static final long BEGINNING_NS = 1_000_000_000_000L;

    private static final long SETTLING_NS = 10_000_000_000L;
    private static final int MAX_TURNS = 100_000;
    /** By Linux' names. */
    private static final Map<String, Counter> COUNTERS = Map.of(
            "TcpExtOutOfWindowIcmps", Counter.TCP_ICMP_OUT_OF_WINDOW,
            "TcpExtTCPSpuriousRTOs", Counter.TCP_SPURIOUS_TIMEOUTS);

    private static final long SEED = 0x6d69_6c6c_7261_6365L;

    final IpAddress local;
    final IpAddress remote;
    final Stack stack;
    final Frames frames;
    /** Segments sent and not yet looked at by the script. */
    final ArrayDeque<Segment> sent = new ArrayDeque<>();

    private final String congestionControl;
    private final MemoryPort port;
    private final StackCore core;
    private final TcpOverrides overrides;
    private long nowNs = BEGINNING_NS - SETTLING_NS;

    World(Settings settings) {
        this.congestionControl = settings.tcp.get("congestionControl");
        this.local = settings.local();
        this.remote = settings.remote();
        this.frames = new Frames(local, remote);
        this.port = new MemoryPort(settings.mtu(), this::onSent);
        this.overrides = settings.tcp;
        StackConfig config = settings.stackConfig();
        this.stack = new Stack(config, port, new SplittableRandom(SEED));
        this.core = stack.core(0);
        runUntil(0);
        sent.clear();
    }

    private void onSent(byte[] frame) {
        byte[] reply = frames.neighborReply(frame);
        if (reply != null) {
            port.inject(reply);
            return;
        }
        Segment segment = frames.read(frame, scriptNs());
        if (segment != null) {
            sent.add(segment);
        }
    }

    StackCore core() {
        return core;
    }

    /** The settings, which the configuration is made from, have changed. */
    void reconfigure() {
        settle();
        core.reconfigure();
        settle();
    }

    /**
     * @param name Linux' name of a counter that must have counted something
     * @throws ScriptException it has not
     * @throws UnsupportedConstructException there is none here that counts the same
     */
    void checkCounted(String name) {
        if (core.counters().get(counter(name)) == 0) {
            throw new ScriptException(name + " has counted nothing");
        }
    }

    /**
     * @param name Linux'
     * @throws UnsupportedConstructException there is none here that counts the same
     */
    static Counter counter(String name) {
        Counter counter = COUNTERS.get(name);
        if (counter == null) {
            throw new UnsupportedConstructException("counter " + name);
        }
        return counter;
    }

    /** The stack's clock. */
    long nowNs() {
        return nowNs;
    }

    /** Nanoseconds since the script's beginning. */
    long scriptNs() {
        return nowNs - BEGINNING_NS;
    }

    /** The remote host sends a frame, now. */
    void inject(byte[] frame) {
        inject(List.of(frame));
    }

    /** The remote host sends several, one right after the other. */
    void inject(List<byte[]> frames) {
        frames.forEach(port::inject);
        settle();
    }

    /** Turns the core until it has nothing more to do at this moment. */
    void settle() {
        for (int i = 0; i < MAX_TURNS; i++) {
            if (core.turn(nowNs) == 0 && !port.hasInbound()) {
                if (core.counters().get(Counter.CORE_INVARIANT_BROKEN) > 0) {
                    throw new ScriptException("an invariant of the stack is broken");
                }
                return;
            }
        }
        throw new ScriptException("the stack does not come to rest at " + scriptNs() / 1000 + " µs");
    }

    /** Lets time pass up to this moment of the script. */
    void runUntil(long scriptNs) {
        settle();
        while (step(scriptNs)) {
            settle();
        }
    }

    /** Moves the clock to the next deadline, or to the limit when that is nearer; false when the limit was reached already. */
    boolean step(long limitScriptNs) {
        long limit = BEGINNING_NS + limitScriptNs;
        if (nowNs >= limit) {
            return false;
        }
        nowNs = Math.clamp(core.nextDeadlineNs(), nowNs + 1, limit);
        return true;
    }

    /** The next segment sent, which may already wait; null if there is none by then. */
    @Nullable
    Segment awaitSegment(long untilScriptNs) {
        settle();
        while (sent.isEmpty() && step(untilScriptNs)) {
            settle();
        }
        return sent.poll();
    }

    /** Every connection, those half open and in TIME-WAIT included. */
    List<TcpInfo> connections() {
        return core.connections();
    }

    /** TCP_INFO of the connection with these ports, or null without one. */
    @Nullable
    TcpInfo info(int localPort, int remotePort) {
        for (TcpInfo each : connections()) {
            if (each.localPort() == localPort && each.remotePort() == remotePort) {
                return each;
            }
        }
        return null;
    }

    /** Of the connection with these ports the handshake is complete, or it has failed. */
    boolean isHandshakeOver(int localPort, int remotePort) {
        TcpInfo info = info(localPort, remotePort);
        return info == null || info.state() != TcpState.SYN_SENT;
    }

    /** The application has written what the remote host has not acknowledged. */
    boolean hasUnacknowledged(int localPort, int remotePort) {
        TcpInfo info = info(localPort, remotePort);
        return info != null && info.unacknowledgedBytes() > 0;
    }

    /** What the application has written and the stack not yet sent is limited by more than the send buffer. */
    boolean limitsUnsent(TcpSocket socket) {
        int own = socket.options().notSentLowBytes;
        return own > 0 || own == 0 && !overrides.get("notSentLowBytes").isEmpty();
    }

    /** The name of the stack's congestion control, lower case. */
    String congestionControl() {
        return congestionControl;
    }

    @Override
    public void close() {
        stack.close();
        port.close();
    }
}
