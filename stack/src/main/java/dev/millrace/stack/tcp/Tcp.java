package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One shard's TCP: finds the flow of each segment, keeps the lists of connections that have something left to do, and holds what they
 * share. Everything runs on the core's thread; time is an argument. Whatever goes wrong inside a connection is caught here, counted,
 * and ends that connection alone.
 */
public final class Tcp {
    private static final int INITIAL_LIST = 64;

    /** Connections that find no packet in a row before the others are left to the next time. */
    static final int MAX_REFUSED = 32;

    /** Flows beyond connections and TIME-WAIT entries are not kept; both have limits of their own. */
    private static final int MAX_FLOWS = 1 << 29;

    // shared by the shard's connections
    TcpConfig config;
    final SegmentOutput output;
    final ChunkPool chunks;
    final Counters counters;
    final PortTable ports;
    final RandomGenerator random;
    final AttentionSink attention;
    final TimerWheel wheel = new TimerWheel();
    final SegmentWriter writer;
    final ChallengeAcks challenges;
    final FlowTable flows;
    final IsnGenerator isns;
    final TimeWaitTable timeWaits;
    final Lifecycle lifecycle;
    final SegmentArrival arrival;
    final StrayReply strays;
    final MemoryPressure memory;
    final FastOpenClient fastOpen;
    /** The one being processed. */
    final Acknowledgment acknowledgment = new Acknowledgment();

    private final SegmentLogPool segmentLogs = new SegmentLogPool();

    /** Connections and half-open entries in the flow table. */
    int liveConnections;

    final PassiveOpen passive;
    private final SynReceived synReceived;
    private final ActiveOpen active;
    private final IcmpArrival icmp;
    /** Filled in for the ACK being processed. */
    final AckSample ackSample = new AckSample();

    private @Nullable TcpConnection[] touched = new @Nullable TcpConnection[INITIAL_LIST];
    private int touchedCount;
    private final ArrayDeque<TcpConnection> blocked = new ArrayDeque<>();
    private @Nullable Throwable lastBroken;

    /**
     * @param output where segments leave
     * @param ports shared by all shards of the stack
     * @param random source of secrets and port choices of this shard
     * @param attention how this shard's connections reach their core
     */
    public Tcp(
            TcpConfig config,
            SegmentOutput output,
            ChunkPool chunks,
            Counters counters,
            PortTable ports,
            RandomGenerator random,
            AttentionSink attention) {
        this.config = config;
        this.output = output;
        this.chunks = chunks;
        this.counters = counters;
        this.ports = ports;
        this.random = random;
        this.attention = attention;
        this.writer = new SegmentWriter(output, config.features(), counters);
        this.challenges = new ChallengeAcks(random);
        this.flows = new FlowTable(
                (int) Math.min(MAX_FLOWS, (long) config.maxConnections() + config.maxTimeWait() + 1), random);
        this.isns = new IsnGenerator(random);
        this.timeWaits = new TimeWaitTable(this, config.maxTimeWait(), config.timeWaitNs());
        this.lifecycle = new Lifecycle(this);
        this.arrival = new SegmentArrival(this);
        this.strays = new StrayReply(this);
        this.memory = new MemoryPressure(this);
        this.fastOpen = new FastOpenClient(this);
        Acceptance acceptance = new Acceptance(this);
        this.passive = new PassiveOpen(this, acceptance);
        this.synReceived = new SynReceived(this, passive, acceptance);
        this.active = new ActiveOpen(this);
        this.icmp = new IcmpArrival(this);
    }

    /**
     * Takes other limits and times, for whatever reads them from now on: as with Linux' sysctls the retries, the handshakes to come, and what connections have
     * not fixed at their beginning. The sizes of tables stay. Core thread only.
     */
    public void reconfigure(TcpConfig changed, long nowNs) {
        config = changed;
        writer.features(changed.features());
        passive.fastOpen.reconfigure();
        flows.forEach(flow -> {
            if (flow instanceof TcpConnection connection) {
                connection.limitUnsent();
                touch(connection);
            }
        });
        finishTouched(nowNs);
    }

    /** What earlier connections have told of servers, cookies of Fast Open above all, is forgotten ({@code ip tcp_metrics flush}). Core thread only. */
    public void forgetServers() {
        fastOpen.cache.clear();
    }

    // ---- segments ----

    /** A segment for an own address; lengths, flags and checksum have been verified. */
    public void onSegment(TcpSegment segment, long nowNs) {
        counters.increment(Counter.TCP_IN_SEGMENTS);
        if (segment.has(TcpSegment.SYN)) {
            if (segment.has(TcpSegment.FIN) && !config.features().quirks().synFinIsSyn()) {
                counters.increment(Counter.DROP_TCP_FLAGS);
                return;
            }
            config.features().restrict(segment);
        }
        Flow flow = flows.lookup(
                segment.destinationHigh,
                segment.destinationLow,
                segment.destinationPort,
                segment.sourceHigh,
                segment.sourceLow,
                segment.sourcePort);
        if (flow instanceof TcpConnection connection) {
            try {
                connection.tally.onReceived(segment.payloadLength);
                arrival.onSegment(connection, segment, nowNs);
                touch(connection);
            } catch (RuntimeException | AssertionError broken) {
                onBroken(connection, broken, nowNs);
            }
        } else {
            onSegmentWithoutConnection(flow, segment, nowNs);
        }
    }

    private void onSegmentWithoutConnection(@Nullable Flow flow, TcpSegment segment, long nowNs) {
        try {
            if (flow instanceof HalfOpen entry) {
                synReceived.onSegment(entry, segment, nowNs);
            } else if (flow instanceof TimeWait entry) {
                onSegmentInTimeWait(entry, segment, nowNs);
            } else if (listenerFor(segment) instanceof TcpListener listener) {
                passive.onSegment(listener, segment, nowNs);
            } else {
                strays.onClosed(segment, nowNs);
            }
        } catch (RuntimeException | AssertionError broken) {
            lastBroken = broken;
            counters.increment(Counter.CORE_INVARIANT_BROKEN);
        }
    }

    private @Nullable TcpAcceptor listenerFor(TcpSegment segment) {
        return ports.listenerFor(
                segment.destinationHigh,
                segment.destinationLow,
                segment.destinationPort,
                segment.sourceHigh,
                segment.sourceLow,
                segment.sourcePort);
    }

    private void onSegmentInTimeWait(TimeWait entry, TcpSegment segment, long nowNs) {
        if (entry.mayReopen(segment) && listenerFor(segment) instanceof TcpListener listener) {
            timeWaits.remove(entry);
            counters.increment(Counter.TCP_TIME_WAIT_REUSED);
            passive.onReopeningSyn(
                    listener, segment, entry.nextInitialSequence(initialSequence(segment, nowNs)), nowNs);
        } else {
            entry.onSegment(segment, nowNs);
        }
    }

    /** No connection more, half-open ones included, can be had. */
    boolean isFull() {
        return liveConnections >= config.maxConnections();
    }

    /** Our initial sequence number for the connection that a SYN opens (RFC 6528). */
    int initialSequence(TcpSegment syn, long nowNs) {
        return isns.initialSequence(
                syn.destinationHigh,
                syn.destinationLow,
                syn.destinationPort,
                syn.sourceHigh,
                syn.sourceLow,
                syn.sourcePort,
                nowNs);
    }

    /**
     * An ICMP error that quotes a segment of ours; IP makes one of its own when a next hop does not answer.
     *
     * @param quotedSequence the quoted segment's sequence number
     * @param mtu of PACKET_TOO_BIG, otherwise 0
     */
    public void onIcmpError(
            IcmpError kind,
            long localHigh,
            long localLow,
            int localPort,
            long remoteHigh,
            long remoteLow,
            int remotePort,
            int quotedSequence,
            int mtu,
            long nowNs) {
        Flow flow = flows.lookup(localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort);
        if (flow instanceof TcpConnection connection) {
            try {
                icmp.onError(connection, kind, quotedSequence, mtu, nowNs);
                touch(connection);
                finishTouched(nowNs);
            } catch (RuntimeException | AssertionError broken) {
                onBroken(connection, broken, nowNs);
            }
        } else if (flow instanceof HalfOpen entry) {
            icmp.onError(entry, kind, quotedSequence);
        }
    }

    // ---- after each burst, timers, requests ----

    /** After each burst of segments: sends what ACKs have opened and what is due, so that the segments of a burst share an ACK. */
    public void endOfBurst(long nowNs) {
        finishTouched(nowNs);
    }

    private void finishTouched(long nowNs) {
        finishList(nowNs);
        if (memory.relieve(nowNs)) {
            finishList(nowNs);
        }
    }

    private void finishList(long nowNs) {
        for (int i = 0; i < touchedCount; i++) {
            TcpConnection connection = touched[i];
            assert connection != null : "a hole in the list";
            touched[i] = null;
            connection.touched = false;
            finish(connection, nowNs);
        }
        touchedCount = 0;
    }

    private void finish(TcpConnection connection, long nowNs) {
        try {
            connection.finish(nowNs);
        } catch (RuntimeException | AssertionError broken) {
            onBroken(connection, broken, nowNs);
        }
    }

    /** Puts a connection on the list of those to finish when the burst ends. */
    void touch(TcpConnection connection) {
        if (connection.touched) {
            return;
        }
        connection.touched = true;
        if (touchedCount == touched.length) {
            touched = Arrays.copyOf(touched, touchedCount * 2);
        }
        touched[touchedCount++] = connection;
    }

    /** The application has asked this connection's core for something: bytes to send, space freed, options, close. */
    public void attend(TcpConnection connection, long nowNs) {
        try {
            connection.attend(nowNs);
        } catch (RuntimeException | AssertionError broken) {
            onBroken(connection, broken, nowNs);
        }
        finishTouched(nowNs);
    }

    /** Fires what is due. */
    public void onTimers(long nowNs) {
        wheel.poll(nowNs);
        timeWaits.expire(nowNs);
        finishTouched(nowNs);
    }

    /** When {@link #onTimers} has something to do next; Long.MAX_VALUE for never. */
    public long nextDeadlineNs() {
        return Math.min(Math.min(wheel.nextDeadlineNs(), timeWaits.nextDeadlineNs()), memory.nextDeadlineNs());
    }

    /**
     * Packets are to be had again: connections that went without try again, in the order in which they came. Not all of them when there are too few
     * packets, since how many wait is for peers to say; whoever goes without again waits behind the others.
     */
    public void onOutputAvailable(long nowNs) {
        int refused = 0;
        for (int waiting = blocked.size(); waiting > 0 && refused < MAX_REFUSED; waiting--) {
            TcpConnection connection = blocked.remove();
            connection.blocked = false;
            finish(connection, nowNs);
            refused += connection.blocked ? 1 : 0;
        }
    }

    /** Whether connections wait for {@link #onOutputAvailable}. */
    public boolean hasBlocked() {
        return !blocked.isEmpty();
    }

    /** A packet was not to be had. */
    void onBlocked(TcpConnection connection) {
        counters.increment(Counter.TCP_OUTPUT_BLOCKED);
        if (!connection.blocked) {
            connection.blocked = true;
            blocked.add(connection);
        }
    }

    // ---- opening and closing ----

    /**
     * Sends a SYN.
     *
     * @param binding a local endpoint, taken over when this succeeds; or null: address by routing, ephemeral port
     * @param chooser which ephemeral ports are good
     * @throws TcpException NETWORK_UNREACHABLE, ADDRESS_NOT_AVAILABLE (no port left), ADDRESS_IN_USE (the 4-tuple is), NO_BUFFERS
     */
    public TcpSocket connect(
            @Nullable LocalBinding binding,
            IpAddress remote,
            int remotePort,
            TcpOptions options,
            TcpObserver observer,
            PortChooser chooser,
            long nowNs)
            throws TcpException {
        return active.connect(binding, remote, remotePort, options, observer, chooser, null, nowNs).socket;
    }

    /**
     * As {@link #connect}, with the first bytes of the stream, as sendto(2) with MSG_FASTOPEN: they go with the SYN if the server has
     * given us a cookie before (RFC 7413), else after the handshake. The server's application may be told them twice (§6.1).
     *
     * @param text taken from its position to its limit, as far as the send buffer takes it; its position says how far that is
     */
    public TcpSocket connect(
            @Nullable LocalBinding binding,
            IpAddress remote,
            int remotePort,
            TcpOptions options,
            TcpObserver observer,
            PortChooser chooser,
            ByteBuffer text,
            long nowNs)
            throws TcpException {
        return active.connect(binding, remote, remotePort, options, observer, chooser, text, nowNs).socket;
    }

    /** The one that a connection with these options has. */
    CongestionAlgorithm congestionControl(TcpOptions options) {
        CongestionAlgorithm own = options.congestionControl;
        return own == null ? config.congestionControl() : own;
    }

    LossRecovery newRecovery(
            CongestionAlgorithm algorithm, boolean sack, int segmentBytes, boolean synLost, RttEstimator rtt) {
        return new RackLossRecovery(
                algorithm.create(random), sack, segmentBytes, synLost, rtt, counters, ackSample, segmentLogs);
    }

    /**
     * Closes every connection as the end of a process does: FIN after everything written, or RST where received bytes were not read. The
     * application hears of nothing any more.
     */
    public void closeGracefully() {
        flows.forEach(flow -> {
            if (flow instanceof TcpConnection connection) {
                connection.socket.observer(TcpObserver.NONE);
                connection.socket.close();
            }
        });
    }

    /** Whether bytes or a FIN are still to be sent, or to be acknowledged by the peer. */
    public boolean isSending() {
        boolean[] sending = {false};
        flows.forEach(flow -> sending[0] |=
                flow instanceof TcpConnection connection && connection.state().sendsText());
        return sending[0];
    }

    /** Aborts every connection with RST and forgets all flows. */
    public void closeAll(long nowNs) {
        List<Flow> all = new ArrayList<>();
        flows.forEach(all::add);
        for (Flow flow : all) {
            switch (flow) {
                case TcpConnection connection -> {
                    connection.socket.abort();
                    lifecycle.abort(connection, TcpError.ABORTED, nowNs);
                }
                case TimeWait entry -> timeWaits.remove(entry);
                case HalfOpen entry -> passive.remove(entry);
                default -> throw new AssertionError("flow " + flow);
            }
        }
        finishTouched(nowNs);
        blocked.clear();
    }

    // ---- faults ----

    /** Something that cannot be has happened inside a connection: it ends, the core lives on. */
    void onBroken(TcpConnection connection, Throwable broken, long nowNs) {
        lastBroken = broken;
        counters.increment(Counter.CORE_INVARIANT_BROKEN);
        try {
            lifecycle.abort(connection, TcpError.ABORTED, nowNs);
        } catch (RuntimeException | AssertionError again) {
            broken.addSuppressed(again);
            flows.remove(connection);
            connection.timers.clearAll();
        }
    }

    /** The last broken invariant that was met, with its stack trace, for reports. Core thread only. */
    public @Nullable Throwable lastBroken() {
        return lastBroken;
    }

    /** Asserts what must hold between turns; linear in the flows, so for tests and the simulator. Core thread only. */
    public void checkInvariants() {
        assert touchedCount == 0 : "connections left unfinished by the turn";
        for (TcpConnection connection : blocked) {
            assert connection.blocked : "waits for packets without knowing it: " + connection;
        }
        new Invariants(this).check();
    }

    /** Asserts that nothing is left of any connection: no flow, no timer. Core thread only. */
    public void checkQuiet() {
        checkInvariants();
        new Invariants(this).checkQuiet();
    }

    // ---- tools ----

    /** Calls {@code action} with each connection that is not in TIME-WAIT or half open. */
    public void forEachConnection(Consumer<? super TcpConnection> action) {
        flows.forEach(flow -> {
            if (flow instanceof TcpConnection connection) {
                action.accept(connection);
            }
        });
    }

    /** One row for each flow of any state. */
    public List<TcpInfo> snapshot(long nowNs) {
        List<TcpInfo> rows = new ArrayList<>(flows.size());
        flows.forEach(flow -> {
            switch (flow) {
                case TcpConnection connection -> rows.add(TcpInfo.of(connection, nowNs));
                case TimeWait entry -> rows.add(TcpInfo.of(entry, config.shard()));
                case HalfOpen entry -> rows.add(TcpInfo.of(entry, config.shard()));
                default -> throw new AssertionError("flow " + flow);
            }
        });
        return rows;
    }
}
