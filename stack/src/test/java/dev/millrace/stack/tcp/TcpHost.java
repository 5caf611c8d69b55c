package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** One shard's TCP with an output that keeps segments as bytes, a queue for attention, and a clock that its user turns. */
final class TcpHost implements SegmentOutput, AutoCloseable {
    static final int PACKET_BYTES = 2048;
    static final int HEADROOM = 64;

    /** A segment on its way. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Wire(IpAddress source, IpAddress destination, byte[] bytes, Kind kind, long sentNs, int trafficClass) {
        Wire(IpAddress source, IpAddress destination, byte[] bytes, Kind kind, long sentNs) {
            this(source, destination, bytes, kind, sentNs, 0);
        }
    }

    /** A path whose MTU the test sets. */
    static final class TestPath extends Path {
        int mtu;
        long confirmedNs = -1;

        TestPath(IpAddress local, IpAddress remote, int mtu) {
            super(local, remote);
            this.mtu = mtu;
        }

        @Override
        public int mtu() {
            return mtu;
        }

        @Override
        public void confirm(long nowNs) {
            confirmedNs = nowNs;
        }

        @Override
        public void onPacketTooBig(int smaller, long nowNs) {
            mtu = Math.min(mtu, Math.max(smaller, 552));
        }
    }

    final IpAddress address;
    final Counters counters = new Counters();
    final ChunkPool chunks;
    final PortTable ports;
    final Tcp tcp;
    final ArrayDeque<Wire> sent = new ArrayDeque<>();
    final ArrayDeque<TcpConnection> attention = new ArrayDeque<>();
    final Map<IpAddress, TestPath> paths = new HashMap<>();
    /** Packets that may still be allocated. */
    int packets = Integer.MAX_VALUE;

    int mtu = 1500;
    /** Of the segment that was sent last. */
    int lastTrafficClass;

    private final Arena arena = Arena.ofConfined();
    private final Packet packet = new Packet(arena.allocate(PACKET_BYTES, 8).address(), PACKET_BYTES);
    private final long inbound = arena.allocate(PACKET_BYTES, 8).address();
    private final TcpSegment segment = new TcpSegment();

    TcpHost(IpAddress address, TcpConfig config, long seed) {
        this(address, config, new SplittableRandom(seed), 64 << 20);
    }

    TcpHost(IpAddress address, TcpConfig config, RandomGenerator random, long bufferBytes) {
        this.address = address;
        this.chunks = new ChunkPool(bufferBytes);
        this.ports = new PortTable(random);
        this.tcp = new Tcp(config, this, chunks, counters, ports, random, attention::add);
    }

    // ---- SegmentOutput ----

    @Override
    public Path path(IpAddress local, IpAddress remote) {
        return paths.computeIfAbsent(remote, key -> new TestPath(local, remote, mtu));
    }

    @Override
    public Path replyPath(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        TestPath known = paths.get(new IpAddress(remoteHigh, remoteLow));
        return known != null
                ? known
                : new TestPath(new IpAddress(localHigh, localLow), new IpAddress(remoteHigh, remoteLow), mtu);
    }

    @Override
    public IpAddress sourceFor(IpAddress remote) {
        return address;
    }

    @Override
    public @Nullable Packet allocate(Path path) {
        if (packets == 0) {
            return null;
        }
        packets--;
        packet.reset(HEADROOM);
        return packet;
    }

    @Override
    public void send(Packet out, Path path, int trafficClass, Kind kind, long nowNs) {
        if (out.length > path.segmentBytes()) {
            throw new AssertionError("larger than the path: " + out.length);
        }
        lastTrafficClass = trafficClass;
        byte[] bytes = new byte[out.length];
        Memory.copy(out.address, bytes, 0, out.length);
        sent.add(new Wire(path.local, path.remote, bytes, kind, nowNs, trafficClass));
    }

    // ---- driving ----

    void receive(Wire wire, long nowNs) {
        if (wire.bytes().length > PACKET_BYTES) {
            throw new AssertionError("larger than a packet");
        }
        Memory.copy(wire.bytes(), 0, inbound, wire.bytes().length);
        TcpHeader.Fault fault = TcpHeader.parse(inbound, wire.bytes().length, segment);
        if (fault != TcpHeader.Fault.NONE) {
            throw new AssertionError("bad segment: " + fault);
        }
        segment.sourceHigh = wire.source().high();
        segment.sourceLow = wire.source().low();
        segment.destinationHigh = wire.destination().high();
        segment.destinationLow = wire.destination().low();
        segment.ecn = wire.trafficClass() & Ecn.MASK;
        tcp.onSegment(segment, nowNs);
    }

    /** What a core does in a turn, apart from receiving. */
    void turn(long nowNs) {
        for (TcpConnection connection = attention.poll(); connection != null; connection = attention.poll()) {
            tcp.attend(connection, nowNs);
        }
        tcp.onTimers(nowNs);
        if (tcp.hasBlocked() && packets > 0) {
            tcp.onOutputAvailable(nowNs);
        }
    }

    TcpListener listen(int port, int backlog) {
        return listen(port, backlog, new TcpOptions());
    }

    TcpListener listen(int port, int backlog, TcpOptions options) {
        try {
            return TcpListener.open(ports, ports.bind(address, port, options), backlog, options, TcpObserver.NONE, 1);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
    }

    TcpSocket connect(IpAddress remote, int port, TcpOptions options, long nowNs) {
        try {
            return tcp.connect(null, remote, port, options, TcpObserver.NONE, PortChooser.ANY, nowNs);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
    }

    /** The core's half of what an application holds. */
    static TcpConnection connectionOf(TcpSocket socket) {
        return ((ConnectionSocket) socket).connection;
    }

    long count(Counter counter) {
        return counters.get(counter);
    }

    /** Fails if anything went wrong inside the engine and was caught. */
    void checkUnbroken() {
        Throwable broken = tcp.lastBroken();
        if (broken != null) {
            throw new AssertionError("a broken invariant was caught", broken);
        }
        tcp.forEachConnection(TcpConnection::checkInvariants);
    }

    @Override
    public void close() {
        arena.close();
        chunks.close();
    }
}
