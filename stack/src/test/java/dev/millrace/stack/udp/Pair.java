package dev.millrace.stack.udp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.core.UdpConnectCall;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.wire.IpAddress;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Two stacks at the ends of a cable, on a manual clock. */
final class Pair implements AutoCloseable {
    static final IpAddress A4 = ip("198.18.0.1");
    static final IpAddress B4 = ip("198.18.0.2");
    static final IpAddress A6 = ip("fd00:18::1");
    static final IpAddress B6 = ip("fd00:18::2");

    final Cable cable;
    final Stack a;
    final Stack b;
    final DatagramHeader from = new DatagramHeader();
    long nowNs = 1_000_000_000L;

    Pair(int shards) {
        cable = new Cable(shards, shards);
        a = stack(cable.a, A4, A6, 1);
        b = stack(cable.b, B4, B6, 2);
        for (int i = 0; i < 40; i++) { // announcements and probes are out, and the addresses theirs
            nowNs += 200_000_000;
            turn(1);
        }
        meet(a, b, B4, B6, shards);
        meet(b, a, A4, A6, shards);
        cable.a.sent.clear();
        cable.b.sent.clear();
    }

    /** Every shard of one stack learns the hardware address of the other. */
    private void meet(Stack one, Stack other, IpAddress v4, IpAddress v6, int shards) {
        UdpSocket discard = bind(other, IpAddress.ANY6, 9);
        for (int i = 0; i < shards; i++) {
            UdpSocket socket = bind(one, IpAddress.ANY6, 0);
            send(socket, content(1, 0), v4, 9);
            send(socket, content(1, 0), v6, 9);
            turn(4);
            socket.close();
        }
        discard.close();
        turn(2);
    }

    private static Stack stack(Cable.End end, IpAddress v4, IpAddress v6, long seed) {
        List<StackConfig.Interface> own = List.of(new StackConfig.Interface(v4, 24), new StackConfig.Interface(v6, 64));
        return new Stack(StackConfig.of(own, List.of(), Cable.MTU), end.port, new SplittableRandom(seed));
    }

    static IpAddress ip(String literal) {
        try {
            return IpAddress.of(InetAddress.getByName(literal).getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    void turn(int times) {
        for (int i = 0; i < times; i++) {
            nowNs += 1_000_000;
            turn(a);
            turn(b);
        }
    }

    private void turn(Stack stack) {
        for (int shard = 0; shard < stack.shards(); shard++) {
            stack.core(shard).turn(nowNs);
        }
    }

    static UdpSocket bind(Stack stack, IpAddress address, int port) {
        return bind(stack, address, port, new UdpOptions());
    }

    static UdpSocket bind(Stack stack, IpAddress address, int port, UdpOptions options) {
        try {
            return stack.bindDatagram(address, port, options, UdpObserver.NONE);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
    }

    void connect(Stack stack, UdpSocket socket, IpAddress remote, int port) {
        UdpConnectCall call = stack.connect(socket, remote, port);
        call.core().submit(call);
        turn(1);
        assertTrue(call.isDone());
        assertEquals(TcpError.NONE, call.error());
    }

    static byte[] content(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + seed);
        }
        return bytes;
    }

    static int send(UdpSocket socket, byte[] bytes, IpAddress remote, int port) {
        return socket.send(ByteBuffer.wrap(bytes), 0, bytes.length, remote, port);
    }

    /** The next datagram, or null. */
    byte @Nullable [] receive(UdpSocket socket) {
        ByteBuffer buffer = ByteBuffer.allocate(65_536);
        int count = socket.receive(buffer, 0, buffer.capacity(), from);
        return count == UdpSocket.NOTHING ? null : Arrays.copyOf(buffer.array(), count);
    }

    IpAddress sender() {
        return new IpAddress(from.remoteHigh, from.remoteLow);
    }

    static long count(Stack stack, Counter counter) {
        long sum = 0;
        for (int shard = 0; shard < stack.shards(); shard++) {
            sum += stack.core(shard).counters().get(counter);
        }
        return sum;
    }

    static int chunksInUse(Stack stack) {
        int sum = 0;
        for (int shard = 0; shard < stack.shards(); shard++) {
            sum += stack.core(shard).chunks().chunksInUse();
        }
        return sum;
    }

    @Override
    public void close() {
        assertEquals(0, count(a, Counter.CORE_INVARIANT_BROKEN) + count(b, Counter.CORE_INVARIANT_BROKEN));
        a.close();
        b.close();
        cable.close();
    }
}
