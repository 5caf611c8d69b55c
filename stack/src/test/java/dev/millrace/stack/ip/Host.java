package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.port.LoopPort;
import dev.millrace.stack.port.MemoryPort;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.Sleeper;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** One shard's IP layer on a recording link, with the upper layer's view written down, on a clock that the test moves. */
final class Host implements IpUpcalls, AutoCloseable {
    static final long MAC = 0x02_00_00_00_0a_01L;
    static final long PEER_MAC = 0x02_00_00_00_00_02L;
    static final long OTHER_MAC = 0x02_00_00_00_00_03L;
    static final long GATEWAY_MAC = 0x02_00_00_00_00_fdL;
    static final IpAddress V4 = ip("198.18.0.1");
    static final IpAddress PEER4 = ip("198.18.0.2");
    static final IpAddress OTHER4 = ip("198.18.0.3");
    static final IpAddress GATEWAY4 = ip("198.18.0.254");
    static final IpAddress FAR4 = ip("203.0.113.9");
    static final IpAddress V6 = ip("fd00:18::1");
    static final IpAddress PEER6 = ip("fd00:18::2");
    static final IpAddress GATEWAY6 = ip("fd00:18::fe");
    static final IpAddress FAR6 = ip("2001:db8::9");
    static final IpAddress LINK_LOCAL6 = OwnAddresses.linkLocal(MAC);
    static final IpAddress PEER_LINK_LOCAL6 = OwnAddresses.linkLocal(PEER_MAC);
    static final long SECOND = 1_000_000_000L;

    final MemoryPort port;
    /** Of the packets of its sent frames. */
    final List<Integer> sentFlags = new ArrayList<>();

    final LoopPort loop;
    final Counters counters = new Counters();
    final NetworkInterface link;
    final NetworkInterface loopback;
    final Ip ip;
    /** Segments handed up, as text: {@code 198.18.0.2:1000 > 198.18.0.1:80 seq 1 len 3}. */
    final List<String> segments = new ArrayList<>();

    final List<String> errors = new ArrayList<>();
    int lastEcn;
    long nowNs = 1_000 * SECOND;
    /** What stands in memory around a received frame. */
    byte surroundings;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(70_000);
    private final Packet frame = new Packet();

    /** A host that is done with its start-up messages. */
    static Host settled() {
        Host host = new Host(PortCapabilities.NONE, 1500, 0, 1);
        host.settle();
        return host;
    }

    /** As {@link #settled}, whose packets have this hop limit. */
    static Host withHopLimit(int limit) {
        LoopPort loop = new LoopPort("lo", 1, 16_384, 256, queue -> new NoSleep());
        Host host = new Host(PortCapabilities.NONE, 1500, 0, 1, loop, limit);
        host.settle();
        return host;
    }

    Host(PortCapabilities capabilities, int mtu, int shard, int shards) {
        this(capabilities, mtu, shard, shards, new LoopPort("lo", shards, 16_384, 256, queue -> new NoSleep()));
    }

    Host(PortCapabilities capabilities, int mtu, int shard, int shards, LoopPort loop) {
        this(capabilities, mtu, shard, shards, loop, 0);
    }

    Host(PortCapabilities capabilities, int mtu, int shard, int shards, LoopPort loop, int hopLimit) {
        this.port = new MemoryPort(MAC, mtu, 1, capabilities, (sent, flags) -> sentFlags.add(flags));
        this.loop = loop;
        NetworkConfig config = new NetworkConfig(
                List.of(new NetworkConfig.InterfaceAddress(V4, 24), new NetworkConfig.InterfaceAddress(V6, 64)),
                List.of(GATEWAY4, GATEWAY6),
                shard,
                shards,
                hopLimit);
        this.link = new NetworkInterface(port, 0, mtu, counters);
        this.loopback = new NetworkInterface(loop, shard, 16_384, counters);
        this.ip = new Ip(config, link, loopback, this, counters, new SplittableRandom(1));
    }

    private record NoSleep() implements Sleeper {
        @Override
        public void await(long timeoutNs) {
            throw new AssertionError("a test does not wait");
        }

        @Override
        public void wake() {}
    }

    static IpAddress ip(String literal) {
        try {
            return IpAddress.of(InetAddress.getByName(literal).getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    void settle() {
        runFor(20 * SECOND);
        port.sent.clear();
        sentFlags.clear();
    }

    /** Runs every timer that falls due, each at its time. */
    void runFor(long durationNs) {
        long endNs = nowNs + durationNs;
        while (ip.nextDeadlineNs() <= endNs) {
            nowNs = Math.max(nowNs, ip.nextDeadlineNs());
            ip.onTimers(nowNs);
            ip.flush();
        }
        nowNs = endNs;
    }

    /** A frame arrives from the link; returns what was sent because of it. */
    List<byte[]> receives(byte[] bytes) {
        return receives(bytes, link, 0);
    }

    List<byte[]> receives(byte[] bytes, NetworkInterface from, int flags) {
        int before = port.sent.size();
        memory.fill(surroundings);
        long address = memory.address() + 1024;
        Memory.copy(bytes, 0, address, bytes.length);
        frame.address = address;
        frame.length = bytes.length;
        frame.flags = flags;
        ip.onFrame(frame, from, nowNs);
        ip.flush();
        return List.copyOf(port.sent.subList(before, port.sent.size()));
    }

    /** Delivers what is on the loopback; returns how many frames. */
    int receivesLoopback(int shard) {
        Packet[] burst = new Packet[64];
        int count = loop.rx(shard).receive(burst, burst.length);
        for (int i = 0; i < count; i++) {
            ip.onFrame(burst[i], loopback, nowNs);
        }
        loop.rx(shard).release(burst, count);
        ip.flush();
        return count;
    }

    /** Sends a segment with so many payload bytes; returns false when there was no packet. */
    boolean sends(IpAddress local, IpAddress remote, int sourcePort, int payload, Kind kind) {
        IpPath path = (IpPath) ip.path(local, remote);
        Packet packet = path == null ? null : ip.allocate(path);
        if (packet == null) {
            return false;
        }
        writeSegment(packet.address, sourcePort, 80, 7, payload);
        packet.length = TcpHeader.MIN_BYTES + payload;
        ip.send(packet, path, 0, kind, nowNs);
        return true;
    }

    static void writeSegment(long address, int sourcePort, int destinationPort, int sequence, int payload) {
        Memory.putShort(address, sourcePort);
        Memory.putShort(address + 2, destinationPort);
        Memory.putInt(address + 4, sequence);
        Memory.putInt(address + 8, 0);
        Memory.putInt(address + 12, 5 << 28 | TcpSegment.ACK << 16 | 1000);
        Memory.putInt(address + 16, 0);
        for (int i = 0; i < payload; i++) {
            Memory.putByte(address + TcpHeader.MIN_BYTES + i, i);
        }
    }

    long count(Counter counter) {
        return counters.get(counter);
    }

    /** Sum over all drop reasons. */
    long drops() {
        long sum = 0;
        for (Counter counter : Counter.values()) {
            sum += counter.isDrop() ? counters.get(counter) : 0;
        }
        return sum;
    }

    /** The one drop reason with a count, or null. */
    @Nullable
    Counter dropped() {
        Counter found = null;
        for (Counter counter : Counter.values()) {
            if (counter.isDrop() && counters.get(counter) > 0) {
                if (found != null) {
                    throw new AssertionError("dropped for two reasons: " + found + ", " + counter);
                }
                found = counter;
            }
        }
        return found;
    }

    @Override
    public void onTcp(TcpSegment segment, long now) {
        lastEcn = segment.ecn;
        segments.add(new IpAddress(segment.sourceHigh, segment.sourceLow)
                + ":" + segment.sourcePort + " > "
                + new IpAddress(segment.destinationHigh, segment.destinationLow)
                + ":" + segment.destinationPort + " seq " + segment.sequence + " len " + segment.payloadLength);
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
            long now) {
        errors.add(kind + " " + new IpAddress(localHigh, localLow) + ":" + localPort + " > "
                + new IpAddress(remoteHigh, remoteLow) + ":" + remotePort + " seq " + quotedSequence + " mtu " + mtu);
    }

    @Override
    public void close() {
        ip.close();
        arena.close();
        port.close();
        loop.close();
    }
}
