package dev.millrace.compat.simulate;

import dev.millrace.stack.core.ConnectCall;
import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.core.StackCore;
import dev.millrace.stack.core.UdpConnectCall;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.udp.UdpObserver;
import dev.millrace.stack.udp.UdpOptions;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** A machine: a stack, its card, and the applications on it. It may pause, crash, and start again with the same addresses. */
final class Host implements Network.Station {
    private static final int ROUNDS_PER_TURN = 6;

    final World world;
    final int index;
    final int station;
    final IpAddress v4;
    final IpAddress v6;

    private final HostPlan plan;
    private final SplittableRandom random;
    private final Set<Application> applications = new LinkedHashSet<>();
    private final List<TcpAcceptor> acceptors = new ArrayList<>();
    /** {@link Application}s and what they wait for: {@link Opened}. */
    private final ArrayDeque<Object> readyQueue = new ArrayDeque<>();

    private boolean acceptable;
    private long acceptFromNs;
    private Stack stack;
    private WorldPort port;
    private boolean alive;
    private long pausedUntilNs = Long.MIN_VALUE;
    private long lastTurnNs = Long.MIN_VALUE;
    private long dueNs;
    /** When the first application wants to be run; may be earlier than that. */
    private long wakeNs = Application.NEVER;

    Host(World world, int index, HostPlan plan, SplittableRandom random) {
        this.world = world;
        this.index = index;
        this.plan = plan;
        this.random = random;
        this.v4 = IpAddress.v4(0xc6120001 + index);
        this.v6 = new IpAddress(0xfd00_0018_0000_0000L, 1 + index);
        this.station = world.network.join(this);
        this.port = newPort();
        this.stack = newStack();
        boot();
    }

    private WorldPort newPort() {
        return new WorldPort(
                Network.mac(station),
                plan.mtu(),
                plan.shards(),
                plan.packets(),
                plan.framesPerCall(),
                frame -> world.network.send(station, frame));
    }

    private Stack newStack() {
        List<StackConfig.Interface> addresses =
                List.of(new StackConfig.Interface(v4, 24), new StackConfig.Interface(v6, 64));
        StackConfig config = plan.apply(StackConfig.of(addresses, List.of(), plan.mtu()));
        return new Stack(config, port, random.split());
    }

    private void boot() {
        alive = true;
        dueNs = world.nowNs();
        for (int i = 0; i < plan.listeners().size(); i++) {
            HostPlan.Listener listener = plan.listeners().get(i);
            listen(IpAddress.ANY4, HostPlan.FIRST_PORT + i, listener);
            listen(v6, HostPlan.FIRST_PORT + i, listener);
        }
        try {
            runs(new Answerer(this));
        } catch (TcpException e) {
            world.fail("host " + index + " cannot answer: " + e, e);
        }
    }

    private void listen(IpAddress address, int number, HostPlan.Listener listener) {
        try {
            acceptors.add(stack.listen(
                    stack.bind(address, number, listener.options()),
                    listener.backlog(),
                    listener.options(),
                    this::onAcceptable));
        } catch (TcpException e) {
            world.fail("host " + index + " cannot listen: " + e);
        }
    }

    private void onAcceptable() {
        acceptable = true;
    }

    // ---- the wire ----

    @Override
    public void onFrame(byte[] frame) {
        if (!alive) {
            return;
        }
        if (!port.arrive(frame)) {
            world.tally.ringFull++;
        }
        due(world.nowNs());
    }

    // ---- applications ----

    /** Opens the client's side of a talk. */
    void start(Talk talk, IpAddress remote) {
        if (!alive) {
            world.conversations.onNeverStarted(talk);
            return;
        }
        ConnectCall call = stack.connect(null, remote, talk.port, talk.client.options, TcpObserver.NONE);
        ByteBuffer first = talk.firstBytes();
        if (first.hasRemaining()) {
            call.text(first);
        }
        call.whenDone(() -> readyQueue.add(new Opened(talk, call, first)));
        call.core().submit(call);
        due(world.nowNs());
    }

    /** Opens the client's side of an inquiry. */
    void start(Inquiry inquiry, IpAddress remote) {
        if (!alive) {
            return;
        }
        try {
            runs(new Asker(this, inquiry, remote));
            due(world.nowNs());
        } catch (TcpException e) {
            world.fail("host " + index + " cannot ask: " + e, e);
        }
    }

    UdpSocket bindDatagram(IpAddress address, int number, UdpOptions options, UdpObserver observer)
            throws TcpException {
        return stack.bindDatagram(address, number, options, observer);
    }

    void connect(UdpSocket socket, IpAddress remote, int number) {
        UdpConnectCall call = stack.connect(socket, remote, number);
        call.core().submit(call);
    }

    private record Opened(Talk talk, ConnectCall call, ByteBuffer first) {}

    private void onOpened(Opened opened) {
        TcpError error = opened.call().error();
        if (error == TcpError.NONE) {
            int said = opened.first().position();
            runs(new Party(this, opened.talk(), true, opened.call().result(), said, 0));
            return;
        }
        if (!opened.talk().isExcused() && error != TcpError.NO_BUFFERS) {
            world.fail("host " + index + " cannot connect: " + error + ", " + opened.talk());
        }
        world.conversations.onNeverStarted(opened.talk());
    }

    /** From now on this one runs here. */
    void runs(Application application) {
        applications.add(application);
    }

    void makeReady(Application application) {
        if (!application.ready) {
            application.ready = true;
            readyQueue.add(application);
        }
    }

    void wakesAt(long atNs) {
        wakeNs = Math.min(wakeNs, atNs);
    }

    private boolean runApplications(long nowNs) {
        boolean ran = false;
        if (acceptable && nowNs >= acceptFromNs) {
            acceptable = false;
            accept();
            acceptFromNs = nowNs + plan.acceptRestNs();
            ran = true;
        }
        if (wakeNs <= nowNs) {
            wake(nowNs);
        }
        for (Object next = readyQueue.poll(); next != null; next = readyQueue.poll()) {
            ran = true;
            switch (next) {
                case Application application -> {
                    application.ready = false;
                    application.run(nowNs);
                    if (application.over) {
                        applications.remove(application);
                        world.conversations.onOver(application);
                    }
                }
                case Opened opened -> onOpened(opened);
                default -> throw new AssertionError("queued " + next);
            }
        }
        return ran;
    }

    private void wake(long nowNs) {
        wakeNs = Application.NEVER;
        for (Application application : applications) {
            if (application.wakeNs() <= nowNs) {
                makeReady(application);
            } else {
                wakesAt(application.wakeNs());
            }
        }
    }

    private void accept() {
        for (TcpAcceptor acceptor : acceptors) {
            for (TcpSocket socket = acceptor.accept(); socket != null; socket = acceptor.accept()) {
                runs(new Stranger(this, socket));
            }
        }
    }

    // ---- time ----

    /** When it wants to be turned next. */
    long dueNs() {
        return alive ? Math.max(dueNs, pausedUntilNs) : Long.MAX_VALUE;
    }

    void due(long atNs) {
        dueNs = Math.min(dueNs, Math.max(atNs, lastTurnNs + plan.turnGapNs()));
    }

    /** Turns the cores and runs the applications until there is nothing left to do at this instant. */
    void turn(long nowNs) {
        lastTurnNs = nowNs;
        boolean busy = true;
        for (int round = 0; busy && round < ROUNDS_PER_TURN; round++) {
            busy = false;
            for (int shard = 0; shard < stack.shards(); shard++) {
                busy |= stack.core(shard).turn(nowNs) > 0;
            }
            busy |= runApplications(nowNs);
        }
        world.tally.turns++;
        check();
        dueNs = busy || port.hasFrames() ? nowNs + plan.turnGapNs() : nextDeadlineNs();
    }

    private long nextDeadlineNs() {
        long next = acceptable ? acceptFromNs : Long.MAX_VALUE;
        for (int shard = 0; shard < stack.shards(); shard++) {
            next = Math.min(next, stack.core(shard).nextDeadlineNs());
        }
        return Math.max(Math.min(next, wakeNs), lastTurnNs + 1);
    }

    private void check() {
        for (int shard = 0; shard < stack.shards(); shard++) {
            StackCore core = stack.core(shard);
            if (core.counters().get(Counter.CORE_INVARIANT_BROKEN) > 0) {
                world.fail("host " + index + " met a broken invariant", core.lastBroken());
            }
            if (world.conversations.checksAfter(world.tally.turns)) {
                try {
                    core.checkInvariants();
                } catch (AssertionError broken) {
                    world.fail("host " + index + ": " + broken.getMessage(), broken);
                }
            }
        }
    }

    /** A handshake has ended otherwise than in a connection. */
    boolean hasGivenUpHandshakes() {
        long ended = 0;
        for (int shard = 0; shard < stack.shards(); shard++) {
            ended += stack.core(shard).counters().get(Counter.TCP_ATTEMPT_FAILS);
        }
        return ended > 0;
    }

    // ---- faults ----

    boolean isAlive() {
        return alive;
    }

    /** The process stops, or is not scheduled, for so long; frames wait in the ring until that is full. */
    void pause(long untilNs) {
        pausedUntilNs = Math.max(pausedUntilNs, untilNs);
    }

    /** The machine is gone from one instant to the next. */
    void crash() {
        if (!alive) {
            return;
        }
        for (Application application : applications) {
            application.giveUp(false);
            world.conversations.onOver(application);
        }
        shut();
    }

    /** A fresh stack takes the addresses. */
    void restart() {
        if (!alive) {
            port = newPort();
            stack = newStack();
            boot();
        }
    }

    private void shut() {
        alive = false;
        port.unplug();
        for (int shard = 0; shard < stack.shards(); shard++) {
            world.tally.add(stack.core(shard).counters());
        }
        stack.close();
        port.close();
        applications.clear();
        wakeNs = Application.NEVER;
        acceptors.clear();
        readyQueue.clear();
        acceptable = false;
    }

    // ---- the end ----

    /** Nobody is waited for any more. */
    void giveUpAll() {
        for (Application application : applications) {
            application.giveUp(true);
        }
        acceptors.forEach(TcpAcceptor::close);
        due(world.nowNs());
    }

    /** Nothing is left of any connection, nor waits for a neighbour. */
    boolean isQuiet() {
        if (alive) {
            for (int shard = 0; shard < stack.shards(); shard++) {
                if (!stack.core(shard).connections().isEmpty()) {
                    return false;
                }
            }
        }
        return !alive || port.unsent() == 0;
    }

    /** That nothing is left. */
    void checkQuiet() {
        if (!alive) {
            return;
        }
        for (int shard = 0; shard < stack.shards(); shard++) {
            try {
                stack.core(shard).checkQuiet();
            } catch (AssertionError broken) {
                world.fail("host " + index + " at the end: " + broken.getMessage(), broken);
            }
        }
        if (port.received() + port.unsent() != 0) {
            world.fail("host " + index + " at the end: " + port.received() + " received packets and " + port.unsent()
                    + " to send were not given back");
        }
    }

    void close() {
        if (alive) {
            shut();
        }
    }

    /** What stands in the flow tables, for messages. */
    String flows() {
        StringBuilder text = new StringBuilder();
        for (int shard = 0; alive && shard < stack.shards(); shard++) {
            stack.core(shard)
                    .connections()
                    .forEach(row ->
                            text.append("\n  host ").append(index).append(": ").append(row));
        }
        return text.toString();
    }
}
