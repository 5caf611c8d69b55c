package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A dumbbell on the virtual clock: senders, each a host of its own, share one queue of limited rate and length towards one receiver; the way
 * back is not limited. Senders write as much as they can, the receiver reads everything at once. One seed decides losses.
 *
 * <pre>
 *   sender 0 ─┐
 *   sender 1 ─┼─ queue (limit, mark) ─ rate ─ delay ─► receiver
 *   sender n ─┘          ◄───────── delay ──────────
 * </pre>
 */
final class Bottleneck implements AutoCloseable {
    private static final IpAddress RECEIVER = IpAddress.v4(0xc6120002);
    private static final int PORT = 80;
    /** IPv4 and Ethernet with its checksum. */
    private static final int HEADER_BYTES = 20 + 18;

    private static final long NS_PER_SECOND = 1_000_000_000L;

    /** One bulk transfer. */
    static final class Flow {
        final TcpHost host;
        final long startNs;
        boolean writing = true;

        @Nullable
        TcpSocket client;

        @Nullable
        TcpSocket server;

        long readBytes;
        private long readBefore;

        Flow(TcpHost host, long startNs) {
            this.host = host;
            this.startNs = startNs;
        }

        TcpSocket client() {
            TcpSocket connection = client;
            if (connection == null) {
                throw new AssertionError("not started");
            }
            return connection;
        }

        /** Bytes read since {@link Bottleneck#measure}. */
        long measuredBytes() {
            return readBytes - readBefore;
        }
    }

    private record Arrival(long atNs, long order, TcpHost to, TcpHost.Wire wire) implements Comparable<Arrival> {
        @Override
        public int compareTo(Arrival other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    final List<Flow> flows = new ArrayList<>();
    long nowNs = NS_PER_SECOND;
    double loss;
    /** Backlog from which packets that are capable are marked instead of anything else happening to them. */
    long markBytes = Long.MAX_VALUE;
    /** Rate of a token bucket in front of the queue, which drops what it has no tokens for; 0 for none. */
    long policedBytesPerSecond;

    /** What the bucket holds. */
    long bucketBytes;
    /** Acknowledgments arrive together, once in so long; 1 for as they come. */
    long bunchNs = 1;

    // since measure()
    long arrivedPackets;
    long droppedPackets;
    long markedPackets;
    long backlogSum;
    long largestBacklogBytes;
    private long measuredFromNs;

    private final long bytesPerSecond;
    private final long delayNs;
    private final long limitBytes;
    private final SplittableRandom random = new SplittableRandom(7);
    private final TcpHost receiver;
    private final TcpListener listener;
    private final Map<IpAddress, TcpHost> hosts = new HashMap<>();
    private final PriorityQueue<Arrival> wire = new PriorityQueue<>();
    private final ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
    private long order;
    private long linkFreeNs;
    private double tokens;
    private long tokensNs;
    private long steps;

    /** {@code delayNs} is each way's; {@code limitBytes} the queue's. */
    Bottleneck(long bitsPerSecond, long delayNs, long limitBytes, TcpConfig receiverConfig) {
        this.bytesPerSecond = bitsPerSecond / 8;
        this.delayNs = delayNs;
        this.limitBytes = limitBytes;
        this.receiver = new TcpHost(RECEIVER, receiverConfig, 1);
        this.listener = receiver.listen(PORT, 64);
    }

    /** Adds a transfer that starts so much later than now. */
    Flow add(TcpConfig config, long afterNs) {
        IpAddress address = IpAddress.v4(0xc6120100 + flows.size());
        Flow flow = new Flow(new TcpHost(address, config, 100 + flows.size()), nowNs + afterNs);
        hosts.put(address, flow.host);
        flows.add(flow);
        return flow;
    }

    /** Forgets what was measured so far. */
    void measure() {
        measuredFromNs = nowNs;
        flows.forEach(flow -> flow.readBefore = flow.readBytes);
        arrivedPackets = 0;
        droppedPackets = 0;
        markedPackets = 0;
        backlogSum = 0;
        largestBacklogBytes = 0;
    }

    void run(long durationNs) {
        long until = nowNs + durationNs;
        while (nowNs < until) {
            step(until);
        }
        receiver.checkUnbroken();
        flows.forEach(flow -> flow.host.checkUnbroken());
    }

    private void step(long until) {
        long next = Math.min(until, receiver.tcp.nextDeadlineNs());
        for (Flow flow : flows) {
            if (flow.client == null && flow.startNs <= nowNs) {
                flow.client = flow.host.connect(RECEIVER, PORT, new TcpOptions(), nowNs);
            }
            next = Math.min(next, flow.client == null ? flow.startNs : flow.host.tcp.nextDeadlineNs());
            write(flow);
            flow.host.turn(nowNs);
            collect(flow.host);
        }
        Arrival first = wire.peek();
        if (first != null) {
            next = Math.min(next, first.atNs());
        }
        nowNs = Math.max(nowNs, next);
        while (!wire.isEmpty() && wire.element().atNs() <= nowNs) {
            Arrival arrival = wire.remove();
            arrival.to().receive(arrival.wire(), nowNs);
        }
        receiver.tcp.endOfBurst(nowNs);
        receiver.turn(nowNs);
        accept();
        read();
        receiver.turn(nowNs);
        for (TcpHost.Wire sent = receiver.sent.poll(); sent != null; sent = receiver.sent.poll()) {
            long bunch = (nowNs + delayNs + bunchNs - 1) / bunchNs * bunchNs;
            wire.add(new Arrival(bunch, order++, hostAt(sent.destination()), sent));
        }
        for (Flow flow : flows) {
            flow.host.tcp.endOfBurst(nowNs);
            flow.host.turn(nowNs);
            collect(flow.host);
        }
        steps++;
        assertTrue(steps < 50_000_000, "no end in sight");
    }

    private TcpHost hostAt(IpAddress address) {
        TcpHost host = hosts.get(address);
        if (host == null) {
            throw new AssertionError("nobody at " + address);
        }
        return host;
    }

    private void write(Flow flow) {
        TcpSocket client = flow.client;
        while (flow.writing && client != null && (client.readiness() & TcpSocket.WRITABLE) != 0) {
            if (client.write(bytes, 0, bytes.capacity()) <= 0) {
                return;
            }
        }
    }

    private void accept() {
        TcpSocket accepted = listener.accept();
        while (accepted != null) {
            for (Flow flow : flows) {
                if (flow.host.address.equals(accepted.remoteAddress())) {
                    flow.server = accepted;
                }
            }
            accepted = listener.accept();
        }
    }

    private void read() {
        for (Flow flow : flows) {
            TcpSocket server = flow.server;
            int count = server == null ? 0 : server.read(bytes, 0, bytes.capacity());
            while (count > 0 && server != null) {
                flow.readBytes += count;
                count = server.read(bytes, 0, bytes.capacity());
            }
        }
    }

    // ---- the queue ----

    private void collect(TcpHost from) {
        for (TcpHost.Wire sent = from.sent.poll(); sent != null; sent = from.sent.poll()) {
            enqueue(sent);
        }
    }

    private void enqueue(TcpHost.Wire packet) {
        int length = packet.bytes().length + HEADER_BYTES;
        long backlog = Math.max(0, linkFreeNs - nowNs) * bytesPerSecond / NS_PER_SECOND;
        arrivedPackets++;
        backlogSum += backlog;
        largestBacklogBytes = Math.max(largestBacklogBytes, backlog);
        if (backlog + length > limitBytes || random.nextDouble() < loss || !passesPolicer(length)) {
            droppedPackets++;
            return;
        }
        TcpHost.Wire through = packet;
        if (backlog > markBytes && (packet.trafficClass() & Ecn.MASK) != Ecn.NOT_ECT) {
            markedPackets++;
            through = new TcpHost.Wire(
                    packet.source(), packet.destination(), packet.bytes(), packet.kind(), packet.sentNs(), Ecn.CE);
        }
        linkFreeNs = Math.max(linkFreeNs, nowNs) + length * NS_PER_SECOND / bytesPerSecond;
        wire.add(new Arrival(linkFreeNs + delayNs, order++, receiver, through));
    }

    private boolean passesPolicer(int length) {
        if (policedBytesPerSecond == 0) {
            return true;
        }
        double since = (double) (nowNs - tokensNs) / NS_PER_SECOND;
        tokens = Math.min((double) bucketBytes, tokens + since * (double) policedBytesPerSecond);
        tokensNs = nowNs;
        if (tokens < length) {
            return false;
        }
        tokens -= length;
        return true;
    }

    // ---- figures ----

    /** Goodput of all flows since {@link #measure}, as a share of the link's rate. */
    double utilisation() {
        double seconds = (double) (nowNs - measuredFromNs) / NS_PER_SECOND;
        return flows.stream().mapToLong(Flow::measuredBytes).sum() / (seconds * bytesPerSecond);
    }

    /** R. Jain's index of fairness: 1 when all flows got the same, 1/n when one got everything. */
    double fairness() {
        double sum = 0;
        double squares = 0;
        for (Flow flow : flows) {
            double got = flow.measuredBytes();
            sum += got;
            squares += got * got;
        }
        return sum * sum / (flows.size() * squares);
    }

    /** Mean backlog that an arriving packet found, in bytes. */
    double meanBacklogBytes() {
        return (double) backlogSum / Math.max(1, arrivedPackets);
    }

    /** One line for a report. */
    String figures() {
        long timeouts = flows.stream()
                .mapToLong(flow -> flow.host.count(Counter.TCP_TIMEOUTS))
                .sum();
        return String.format(
                "utilisation %.3f, fairness %.3f, mean backlog %.1f kB, dropped %d, marked %d of %d packets, timeouts %d",
                utilisation(),
                fairness(),
                meanBacklogBytes() / 1000,
                droppedPackets,
                markedPackets,
                arrivedPackets,
                timeouts);
    }

    @Override
    public void close() {
        flows.forEach(flow -> flow.host.close());
        receiver.close();
    }
}
