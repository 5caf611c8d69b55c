package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The receiving side of a datagram channel with a part on the stack: takes datagrams from there and, where it is bound on both, from the
 * kernel's socket beside. Its lock admits one receiver, or a thread that binds or connects.
 */
final class DatagramInput extends DatagramSide {
    static final long NO_TIMEOUT = Long.MAX_VALUE;

    private static final int NOTHING = UdpSocket.NOTHING;

    /** So often the kernel's datagrams come first, lest a busy stack starve them. */
    private static final int KERNEL_FIRST_EVERY = 16;

    // guarded by lock
    private final DatagramHeader header = new DatagramHeader();
    private final DatagramPeers peers = new DatagramPeers();
    private final DatagramStaging staging = new DatagramStaging();
    private @Nullable SocketAddress kernelSender;
    private int takes;

    DatagramInput(
            StackDatagramChannel channel,
            SideLocks locks,
            DatagramState state,
            DatagramClosing closing,
            Runtime runtime) {
        super(Side.INPUT, channel, locks, state, closing, runtime);
    }

    // ---- operations ----

    /** Receives from anybody, or from the peer; null when nothing is there in non-blocking mode. */
    @Nullable
    SocketAddress receive(ByteBuffer target, long timeoutNs) throws IOException {
        ByteTransfer.checkWritable(target);
        lock.lock();
        try {
            channel.ensureOpen();
            boolean blocking = channel.isBlocking();
            int count = NOTHING;
            try {
                begin(blocking, false);
                count = take(target, blocking, timeoutNs);
            } finally {
                end(blocking, count != NOTHING);
            }
            return count == NOTHING ? null : sender();
        } finally {
            lock.unlock();
        }
    }

    /** Reads a datagram of the peer into {@code one} or, if that is null, into {@code many}. */
    long read(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) throws IOException {
        lock.lock();
        try {
            channel.ensureOpen();
            boolean blocking = channel.isBlocking();
            int count = 0;
            try {
                begin(blocking, true);
                count = one != null ? readOne(one, blocking) : readMany(many, offset, length, blocking);
            } finally {
                end(blocking, count > 0);
            }
            return count;
        } finally {
            lock.unlock();
        }
    }

    private int readOne(ByteBuffer target, boolean blocking) throws IOException {
        ByteTransfer.checkWritable(target);
        return target.hasRemaining() ? readCount(take(target, blocking, NO_TIMEOUT)) : 0;
    }

    private int readMany(ByteBuffer[] targets, int offset, int length, boolean blocking) throws IOException {
        ByteTransfer.checkWritable(targets, offset, length);
        ByteBuffer whole = staging.forRoomOf(targets, offset, length);
        if (!whole.hasRemaining()) {
            return 0;
        }
        int count = take(whole, blocking, NO_TIMEOUT);
        DatagramStaging.scatter(whole.flip(), targets, offset);
        return readCount(count);
    }

    /** What {@code read} returns: 0 for no datagram, and −1 for an empty one, which the JDK's channel takes for the end of a stream. */
    private static int readCount(int count) {
        return count == NOTHING ? 0 : count == 0 ? -1 : count;
    }

    /** Whom the datagram that was taken last is from. */
    private SocketAddress sender() {
        SocketAddress fromKernel = kernelSender;
        return fromKernel != null
                ? fromKernel
                : peers.of(header.remoteHigh, header.remoteLow, header.remotePort).socketAddress;
    }

    // ---- taking ----

    private int take(ByteBuffer target, boolean blocking, long timeoutNs) throws IOException {
        int count = takeNow(target);
        if (count == NOTHING && !blocking) {
            channel.driveIfUnselected();
        } else if (count == NOTHING) {
            long deadlineNs = timeoutNs == NO_TIMEOUT ? NO_TIMEOUT : System.nanoTime() + timeoutNs;
            while (count == NOTHING && channel.isOpen()) {
                await(deadlineNs);
                count = channel.isOpen() ? takeNow(target) : NOTHING;
            }
        }
        return count;
    }

    private int takeNow(ByteBuffer target) throws IOException {
        Route sides = state.sides;
        if (sides == Route.BOTH && ++takes % KERNEL_FIRST_EVERY == 0) {
            int count = takeFromKernel(target);
            if (count != NOTHING) {
                return count;
            }
        }
        int count = sides == Route.KERNEL ? NOTHING : takeFromStack(target);
        return count == NOTHING && sides != Route.STACK ? takeFromKernel(target) : count;
    }

    /** An error comes before datagrams, as on Linux. */
    private int takeFromStack(ByteBuffer target) throws IOException {
        UdpSocket socket = state.socket();
        TcpError error = socket.takeError();
        if (error != TcpError.NONE) {
            throw SocketErrors.datagram(error);
        }
        kernelSender = null;
        int position = target.position();
        int count = socket.receive(target, position, target.limit() - position, header);
        if (count > 0) {
            target.position(position + count);
        }
        return count;
    }

    /** By {@code receive}, connected or not: what {@code read} returns does not tell an empty datagram from none. */
    private int takeFromKernel(ByteBuffer target) throws IOException {
        int position = target.position();
        SocketAddress sender = state.kernel.receive(target);
        kernelSender = sender;
        return sender == null ? NOTHING : target.position() - position;
    }

    // ---- waiting ----

    private void await(long deadlineNs) throws IOException {
        boolean satisfied = await(state.sides != Route.STACK, deadlineNs);
        if (!satisfied && deadlineNs != NO_TIMEOUT && System.nanoTime() - deadlineNs >= 0) {
            throw new SocketTimeoutException("Receive timed out");
        }
    }

    /** What the kernel's socket has is for its selector to tell. */
    @Override
    boolean isReady(boolean withKernel) {
        return !channel.isOpen()
                || state.sides != Route.KERNEL && (state.socket().readiness() & UdpSocket.READABLE) != 0;
    }
}
