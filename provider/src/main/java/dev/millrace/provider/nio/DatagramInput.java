package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The receiving side of a datagram channel with a part on the stack: takes datagrams from there and, where it is bound on both, from the
 * kernel's socket beside. Its lock admits one receiver, or a thread that binds or connects.
 */
final class DatagramInput {
    static final long NO_TIMEOUT = Long.MAX_VALUE;

    private static final int NOTHING = UdpSocket.NOTHING;

    /** So often the kernel's datagrams come first, lest a busy stack starve them. */
    private static final int KERNEL_FIRST_EVERY = 16;

    final ReentrantLock lock = new ReentrantLock();

    private final StackDatagramChannel channel;
    private final DatagramState state;
    private final Runtime runtime;

    // guarded by lock
    private final DatagramHeader header = new DatagramHeader();
    private final DatagramPeers peers = new DatagramPeers();
    private final DatagramStaging staging = new DatagramStaging();
    private @Nullable SocketAddress kernelSender;
    private @Nullable HybridWaiter waiter;
    private @Nullable HybridWaiter stackWaiter;
    private int takes;

    DatagramInput(StackDatagramChannel channel, DatagramState state, Runtime runtime) {
        this.channel = channel;
        this.state = state;
        this.runtime = runtime;
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
        boolean withKernel = state.sides != Route.STACK;
        HybridWaiter current = withKernel ? kernelWaiter() : stackWaiter();
        channel.registrations().reader(current);
        boolean satisfied;
        try {
            satisfied = runtime.driver().await(current.rearmed(), deadlineNs);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        if (withKernel) {
            // sleeping in a selector has replaced what an interrupt does to this thread; if one came, this closes the
            // channel
            channel.enter();
        }
        if (!satisfied && deadlineNs != NO_TIMEOUT && System.nanoTime() - deadlineNs >= 0) {
            throw new SocketTimeoutException("Receive timed out");
        }
    }

    private HybridWaiter kernelWaiter() throws IOException {
        HybridWaiter existing = waiter;
        if (existing == null) {
            existing = HybridWaiter.onBoth(this::isReady, state.kernel, SelectionKey.OP_READ, runtime.kernel());
            waiter = existing;
        }
        return existing;
    }

    private HybridWaiter stackWaiter() throws IOException {
        HybridWaiter existing = stackWaiter;
        if (existing == null) {
            existing = HybridWaiter.onStack(this::isReady);
            stackWaiter = existing;
        }
        return existing;
    }

    private boolean isReady() {
        return !channel.isOpen()
                || state.sides != Route.KERNEL && (state.socket().readiness() & UdpSocket.READABLE) != 0;
    }

    // ---- beginning and ending ----

    private void begin(boolean blocking, boolean mustBeConnected) throws IOException {
        if (blocking) {
            channel.enter();
        }
        boolean bound;
        synchronized (state) {
            channel.ensureOpen();
            if (mustBeConnected && state.remoteAddress == null) {
                throw new NotYetConnectedException();
            }
            bound = channel.bindIfUnbound();
            state.receiving = blocking;
        }
        if (bound) {
            channel.sidesChanged();
        }
    }

    /** Whoever leaves a closing channel last gives it up. */
    private void end(boolean blocking, boolean completed) throws IOException {
        if (!blocking) {
            return;
        }
        boolean last;
        synchronized (state) {
            state.receiving = false;
            last = state.isLastToLeave();
        }
        if (last) {
            channel.release();
        }
        channel.leave(completed);
    }

    /** Nobody receives any more. Without the lock. */
    void close() throws IOException {
        HybridWaiter watching = waiter;
        if (watching != null) {
            watching.close();
        }
    }
}
