package dev.millrace.stack.udp;

import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.wire.IpAddress;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Which sockets have which ports in one stack; shared by its shards. Binding and closing take a lock; {@link #find}, which cores ask for
 * each datagram, reads one immutable array. Any thread.
 *
 * <p>Two sockets may share a port, as on Linux, when their addresses do not overlap (an any-address overlaps all of its family,
 * {@link IpAddress#ANY6} those of both), or both set SO_REUSEADDR, or both set SO_REUSEPORT.
 */
public final class UdpTable {
    /** Linux' ip_local_port_range. */
    private static final int FIRST_EPHEMERAL = 32_768;

    private static final int EPHEMERAL_PORTS = 60_999 - FIRST_EPHEMERAL + 1;
    private static final int PORTS = 1 << 16;
    private static final UdpSocket[] NOBODY = {};

    private final RandomGenerator random;
    private final AtomicReferenceArray<UdpSocket @Nullable []> sockets = new AtomicReferenceArray<>(PORTS);

    /** @param random source of port choices (RFC 6056 §3.3.1, 8085 §5.1) */
    public UdpTable(RandomGenerator random) {
        this.random = random;
    }

    // ---- setting up ----

    /**
     * Gives a socket its port and makes {@link #find} know it.
     *
     * @param wanted 0 chooses an ephemeral one
     * @return the port
     * @throws TcpException ADDRESS_IN_USE; ADDRESS_NOT_AVAILABLE when no ephemeral port is left
     */
    synchronized int bind(UdpSocket socket, int wanted) throws TcpException {
        int port = wanted != 0 ? wanted : freePort(socket);
        UdpSocket[] there = at(port);
        for (UdpSocket other : there) {
            if (conflict(socket, other)) {
                throw new TcpException(TcpError.ADDRESS_IN_USE);
            }
        }
        UdpSocket[] more = new UdpSocket[there.length + 1];
        more[0] = socket; // the newest first: of two that are alike it is the one that gets the datagram, as on Linux
        System.arraycopy(there, 0, more, 1, there.length);
        sockets.setRelease(port, more);
        return port;
    }

    private int freePort(UdpSocket socket) throws TcpException {
        int start = random.nextInt(EPHEMERAL_PORTS);
        for (int i = 0; i < EPHEMERAL_PORTS; i++) {
            int port = FIRST_EPHEMERAL + (start + i) % EPHEMERAL_PORTS;
            if (Arrays.stream(at(port)).noneMatch(other -> socket.overlaps(other))) {
                return port;
            }
        }
        throw new TcpException(TcpError.ADDRESS_NOT_AVAILABLE);
    }

    private static boolean conflict(UdpSocket a, UdpSocket b) {
        boolean shared = (a.reuseAddress && b.reuseAddress) || (a.reusePort && b.reusePort);
        return !shared && a.overlaps(b);
    }

    /** Nobody finds the socket any more. */
    synchronized void release(UdpSocket socket) {
        UdpSocket[] left = Arrays.stream(at(socket.localPort()))
                .filter(other -> other != socket)
                .toArray(UdpSocket[]::new);
        sockets.setRelease(socket.localPort(), left.length == 0 ? null : left);
    }

    private UdpSocket[] at(int port) {
        UdpSocket[] there = sockets.getAcquire(port);
        return there == null ? NOBODY : there;
    }

    // ---- datagrams ----

    /** Whether some socket would get a datagram from {@code remote} to {@code local}. Lock-free; allocates nothing. */
    public boolean hasReceiver(IpAddress local, int localPort, IpAddress remote, int remotePort) {
        return find(local.high(), local.low(), localPort, remote.high(), remote.low(), remotePort) != null;
    }

    /**
     * The socket for a datagram from {@code remote} to {@code local}: of those bound to the port, one that is connected to the sender before
     * others, then one of the exact address before 0.0.0.0 before ::. A socket connected to somebody else is none. Lock-free; allocates
     * nothing.
     */
    @Nullable
    UdpSocket find(long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
        UdpSocket[] there = sockets.getAcquire(localPort);
        if (there == null) {
            return null;
        }
        UdpSocket best = null;
        int bestScore = 0;
        int alike = 0;
        for (UdpSocket each : there) {
            int score = each.score(localHigh, localLow, remoteHigh, remoteLow, remotePort);
            if (score > bestScore) {
                best = each;
                bestScore = score;
                alike = 1;
            } else if (score == bestScore && score > 0 && each.reusePort) {
                alike++;
            }
        }
        return best != null && alike > 1 && best.reusePort
                ? member(there, bestScore, alike, localHigh, localLow, remoteHigh, remoteLow, remotePort)
                : best;
    }

    /** Spreads peers over a SO_REUSEPORT group. */
    private static @Nullable UdpSocket member(
            UdpSocket[] there,
            int score,
            int alike,
            long localHigh,
            long localLow,
            long remoteHigh,
            long remoteLow,
            int remotePort) {
        long mixed = (remoteHigh ^ remoteLow ^ (long) remotePort << 32) * 0x9e37_79b9_7f4a_7c15L;
        int chosen = (int) ((mixed >>> 32) * alike >>> 32);
        for (UdpSocket each : there) {
            boolean member =
                    each.reusePort && each.score(localHigh, localLow, remoteHigh, remoteLow, remotePort) == score;
            if (member && chosen-- == 0) {
                return each;
            }
        }
        return null; // a socket was connected meanwhile; its datagram counts as lost
    }
}
