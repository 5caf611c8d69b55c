package dev.millrace.stack.core;

import dev.millrace.stack.ip.Ip;
import dev.millrace.stack.ip.IpUpcalls;
import dev.millrace.stack.ip.NetworkInterface;
import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.tcp.PortTable;
import dev.millrace.stack.tcp.Tcp;
import dev.millrace.stack.tcp.TcpConnection;
import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.udp.Udp;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.udp.UdpTable;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * One core's whole stack: a queue pair, flow table, timers, pools, and the command queue through which everybody else reaches
 * it. Single-threaded by contract: whoever holds the core's lease calls {@link #turn}; nothing inside locks or waits.
 */
public final class StackCore {
    /** Frames taken from a queue at a time, as DPDK's drivers like them. */
    private static final int BURST = 32;

    /** Bursts per queue and turn, so that commands and timers are looked at again soon whatever arrives. */
    private static final int BURSTS_PER_TURN = 4;

    /** Commands per turn, for the same reason. */
    private static final int COMMANDS_PER_TURN = 1024;

    private static final int COMMAND_QUEUE_CHUNK = 4096;

    /** How soon to look again while the port takes no more frames. */
    private static final long BLOCKED_NS = 50_000;

    private final int shard;
    private final Counters counters = new Counters();
    private final ChunkPool chunks;
    private final Ip ip;
    private final Tcp tcp;
    private final Udp udp;

    /** Where the core sleeps: the link's, or the loopback's when there is no other link. */
    private final RxQueue linkRx;

    private final @Nullable NetworkInterface link;
    private final RxQueue loopbackRx;
    private final NetworkInterface loopback;
    private final StackConfig config;
    private final Packet[] burst = new Packet[BURST];
    private long lastTurnNs;
    private boolean turned;
    private @Nullable Throwable lastBroken;
    /** Commands have run since the last flush. */
    private boolean unflushed;

    /** Holds {@link CoreCommand}s and connections that want attention. Any thread offers, the lease holder polls. */
    private final MpscUnboundedVarHandleArrayQueue<Object> commands =
            new MpscUnboundedVarHandleArrayQueue<>(COMMAND_QUEUE_CHUNK);

    /** Written by the lease holder; read by whoever submits. */
    private volatile boolean asleep;

    StackCore(
            int shard,
            StackConfig config,
            Port linkPort,
            Port loopbackPort,
            PortTable ports,
            UdpTable datagramPorts,
            RandomGenerator random) {
        this.shard = shard;
        this.config = config;
        this.chunks = new ChunkPool(config.bufferBytesPerShard());
        this.loopback = new NetworkInterface(loopbackPort, shard, loopbackPort.mtu(), counters);
        this.link = linkPort.mac() == 0 ? null : new NetworkInterface(linkPort, shard, config.mtu(), counters);
        this.loopbackRx = loopbackPort.rx(shard);
        this.linkRx = linkPort.rx(shard);
        Upcalls upcalls = new Upcalls();
        this.ip = new Ip(config.network(shard, linkPort.queues()), link, loopback, upcalls, counters, random);
        this.tcp = new Tcp(config.tcp(shard), ip, chunks, counters, ports, random, this::submit);
        this.udp = new Udp(shard, datagramPorts, ip.datagrams(), chunks, counters);
    }

    /** What IP hands up goes to TCP. */
    private final class Upcalls implements IpUpcalls {
        @Override
        public void onTcp(TcpSegment segment, long nowNs) {
            tcp.onSegment(segment, nowNs);
        }

        @Override
        public boolean onUdp(
                long datagram,
                int length,
                long sourceHigh,
                long sourceLow,
                long destinationHigh,
                long destinationLow,
                int trafficClass) {
            return udp.onDatagram(
                    datagram, length, sourceHigh, sourceLow, destinationHigh, destinationLow, trafficClass);
        }

        @Override
        public void onUdpError(
                IcmpError kind,
                long localHigh,
                long localLow,
                int localPort,
                long remoteHigh,
                long remoteLow,
                int remotePort,
                int mtu,
                long nowNs) {
            udp.onIcmpError(kind, localHigh, localLow, localPort, remoteHigh, remoteLow, remotePort, mtu, nowNs);
        }

        @Override
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
            tcp.onIcmpError(
                    kind,
                    localHigh,
                    localLow,
                    localPort,
                    remoteHigh,
                    remoteLow,
                    remotePort,
                    quotedSequence,
                    mtu,
                    nowNs);
        }
    }

    public int shard() {
        return shard;
    }

    /** Any thread may read. */
    public Counters counters() {
        return counters;
    }

    /** Send and receive memory of this core. Any thread may read its figures. */
    public ChunkPool chunks() {
        return chunks;
    }

    /** One row for each flow, in any state. Lease holder only; others submit a {@link CoreCall}. */
    public List<TcpInfo> connections() {
        return tcp.snapshot(lastTurnNs);
    }

    /**
     * Closes every connection as the end of a process does: FIN after everything written, or RST where received bytes were not read;
     * observers hear of nothing any more. Lease holder only, who goes on turning the core while {@link #isSending}.
     */
    public void closeGracefully() {
        tcp.closeGracefully();
    }

    /** Whether a connection has bytes or a FIN that its peer has not acknowledged. Lease holder only. */
    public boolean isSending() {
        return tcp.isSending();
    }

    /** The last broken invariant that was met in this core, with its stack trace, for reports. Lease holder only. */
    public @Nullable Throwable lastBroken() {
        return lastBroken != null ? lastBroken : tcp.lastBroken();
    }

    /**
     * Asserts what must hold between two turns of every connection, the flow table, the timers and the counts; linear in the flows, so for
     * simulation and fuzzing. Lease holder only; does nothing without {@code -ea}.
     *
     * @throws AssertionError naming the connection and what does not hold
     */
    public void checkInvariants() {
        tcp.checkInvariants();
    }

    /**
     * Asks the configuration's tuning ({@link StackConfig#withTuning}) again, and takes what has changed while the core runs, as Linux takes a sysctl: for whatever is
     * decided from now on. What tables and connections have been made with stays. Lease holder only.
     */
    public void reconfigure() {
        tcp.reconfigure(config.tcp(shard), lastTurnNs);
        unflushed = true;
    }

    /** What is known of servers from earlier connections is forgotten. Lease holder only. */
    public void forgetServers() {
        tcp.forgetServers();
    }

    /** Lease holder only. */
    Tcp tcp() {
        return tcp;
    }

    /**
     * Runs to completion: commands, received frames, due timers, and one flush of what they caused. Lease holder only.
     *
     * <p>Threads take turns, and each read the clock before it got the lease: a reading that is older than the last turn's counts as
     * that, since timestamps that step back make peers drop segments (RFC 7323 §5.3).
     *
     * @param clockNs the caller's monotonic clock
     * @return how much was done; 0 when there was nothing
     */
    public int turn(long clockNs) {
        long nowNs = steadied(clockNs);
        int work = runCommands(nowNs);
        if (work > 0 || unflushed) {
            flush(nowNs); // what the application wrote is on its way before anything else is looked at
        }
        work += receive(loopbackRx, loopback, nowNs);
        if (link != null) {
            work += receive(linkRx, link, nowNs);
        }
        work += runTimers(nowNs);
        if (work > 0 || ip.outputBlocked() || hasBlocked()) {
            flush(nowNs);
        }
        return work;
    }

    private long steadied(long clockNs) {
        long nowNs = turned && clockNs - lastTurnNs < 0 ? lastTurnNs : clockNs;
        turned = true;
        lastTurnNs = nowNs;
        return nowNs;
    }

    /**
     * Runs what was submitted and nothing else: what that sends leaves with the next turn, and is due at once. For a caller who will turn the
     * core soon, with more of the same to send. Lease holder only.
     */
    public void runSubmitted(long clockNs) {
        unflushed |= runCommands(steadied(clockNs)) > 0;
    }

    private void flush(long nowNs) {
        unflushed = false;
        boolean available = ip.flush();
        if (available || hasBlocked()) { // the latter: who tried again and failed tries again with the next flush
            tcp.onOutputAvailable(nowNs);
            udp.onOutputAvailable(nowNs);
            ip.flush();
        }
    }

    private boolean hasBlocked() {
        return tcp.hasBlocked() || udp.hasBlocked();
    }

    private int runCommands(long nowNs) {
        int done = 0;
        while (done < COMMANDS_PER_TURN) {
            Object command = commands.relaxedPoll();
            if (command == null) {
                break;
            }
            done++;
            if (command instanceof TcpConnection connection) {
                tcp.attend(connection, nowNs);
            } else if (command instanceof UdpSocket socket) {
                udp.attend(socket, nowNs);
            } else {
                ((CoreCommand) command).execute(nowNs);
            }
        }
        return done;
    }

    private int receive(RxQueue rx, NetworkInterface from, long nowNs) {
        int total = 0;
        for (int i = 0; i < BURSTS_PER_TURN; i++) {
            int count = rx.receive(burst, BURST);
            if (count == 0) {
                break;
            }
            for (int j = 0; j < count; j++) {
                onFrame(burst[j], from, nowNs);
            }
            rx.release(burst, count);
            tcp.endOfBurst(nowNs);
            total += count;
            if (count < BURST) {
                break;
            }
        }
        return total;
    }

    private void onFrame(Packet frame, NetworkInterface from, long nowNs) {
        counters.increment(Counter.RX_FRAMES);
        counters.add(Counter.RX_BYTES, frame.length);
        try {
            ip.onFrame(frame, from, nowNs);
        } catch (RuntimeException | AssertionError broken) {
            // Tcp has already reset the connection if there was one; the frame is gone, the core lives on (design
            // decision 10)
            lastBroken = broken;
            counters.increment(Counter.CORE_INVARIANT_BROKEN);
        }
    }

    private int runTimers(long nowNs) {
        int work = 0;
        if (nowNs >= tcp.nextDeadlineNs()) {
            tcp.onTimers(nowNs);
            work++;
        }
        if (nowNs >= ip.nextDeadlineNs()) {
            ip.onTimers(nowNs);
            work++;
        }
        return work;
    }

    /** When the core must be turned next whatever arrives, Long.MAX_VALUE for never. Lease holder only. */
    public long nextDeadlineNs() {
        long timers = Math.min(tcp.nextDeadlineNs(), ip.nextDeadlineNs());
        if (unflushed) {
            return lastTurnNs;
        }
        return ip.outputBlocked() || hasBlocked() ? Math.min(timers, lastTurnNs + BLOCKED_NS) : timers;
    }

    /** The own address to use towards {@code remote}, or null without a route. Lease holder only. */
    @Nullable
    IpAddress sourceFor(IpAddress remote) {
        return ip.sourceFor(remote);
    }

    /** Whether there is a way from that own address to {@code remote}. Lease holder only. */
    boolean reaches(IpAddress local, IpAddress remote) {
        return ip.path(local, remote) != null;
    }

    /** Hands a command over; it runs in the next turn. Wakes the core's driver if that sleeps. Any thread. */
    public void submit(CoreCommand command) {
        commands.offer(command);
        wakeIfAsleep();
    }

    /** A datagram socket's application, or another core, has something for this one. Any thread. */
    void submit(UdpSocket socket) {
        commands.offer(socket);
        wakeIfAsleep();
    }

    /** A connection's application has asked for something. Any thread. */
    private void submit(TcpConnection connection) {
        commands.offer(connection);
        wakeIfAsleep();
    }

    /** Ends the core's sleep if it sleeps, after something was put where {@link #await} looks. Any thread. */
    void wakeIfAsleep() {
        VarHandle.fullFence(); // the offer before the look at asleep; await() does it the other way round
        if (asleep) {
            wake();
        }
    }

    /**
     * Sleeps in the port until a frame arrives, a command is submitted, {@link #wake} is called, or the timeout passes. Lease holder
     * only.
     */
    public void await(long timeoutNs) {
        asleep = true;
        VarHandle.fullFence();
        try {
            if (commands.isEmpty() && loopbackRx.isEmpty()) {
                linkRx.await(timeoutNs);
            }
        } finally {
            asleep = false;
        }
    }

    /** Ends the current or the next {@link #await}. Any thread. */
    public void wake() {
        linkRx.wake();
    }

    /** Asserts that nothing is left of any connection: no flow, no timer, no buffer memory. As {@link #checkInvariants} otherwise. */
    public void checkQuiet() {
        tcp.checkQuiet();
        assert chunks.chunksInUse() == 0 : chunks.chunksInUse() + " chunks of buffer memory are not returned";
    }

    /** Aborts every connection and gives memory and packets back. Nobody may be turning it. */
    void close() {
        tcp.closeAll(lastTurnNs);
        ip.flush();
        ip.close();
        chunks.close();
    }
}
