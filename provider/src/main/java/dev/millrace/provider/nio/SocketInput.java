package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import org.jspecify.annotations.Nullable;

/** The reading side of a socket channel on the stack. */
final class SocketInput extends SocketSide {
    static final long NO_TIMEOUT = Long.MAX_VALUE;

    private static final ByteBuffer[] NONE = {};

    // guarded by lock
    private @Nullable ReadinessWaiter waiter;

    SocketInput(
            StackSocketChannel channel,
            SideLocks locks,
            SocketState state,
            SocketClosing closing,
            Driver driver,
            ConnectionFailure failure) {
        super(Side.INPUT, channel, locks, state, closing, driver, failure);
    }

    int read(ByteBuffer target) throws IOException {
        return (int) read(target, NONE, 0, 0, NO_TIMEOUT);
    }

    long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return read(null, targets, offset, length, NO_TIMEOUT);
    }

    /** Reads into {@code one} or, if that is null, into {@code many}. */
    private long read(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length, long timeoutNs)
            throws IOException {
        lock.lock();
        try {
            TcpSocket socket = state.connectedSocket();
            return channel.isBlocking()
                    ? readBlocking(socket, one, many, offset, length, timeoutNs)
                    : readNonBlocking(socket, one, many, offset, length);
        } finally {
            lock.unlock();
        }
    }

    /** For the socket adaptor: some bytes, in blocking mode; {@code timeoutMs} 0 for none. */
    int blockingRead(ByteBuffer target, int timeoutMs) throws IOException {
        if (!channel.isBlocking()) {
            throw new IllegalBlockingModeException();
        }
        return (int) read(target, NONE, 0, 0, timeoutMs == 0 ? NO_TIMEOUT : timeoutMs * 1_000_000L);
    }

    private long readNonBlocking(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        long count = readNow(socket, one, many, offset, length);
        if (count == 0) {
            channel.driveIfUnselected(socket);
        }
        return count;
    }

    private long readBlocking(
            TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length, long timeoutNs)
            throws IOException {
        long count = 0;
        try {
            begin();
            count = readNow(socket, one, many, offset, length);
            if (count == 0 && ByteTransfer.hasRemaining(one, many, offset, length)) {
                long deadlineNs = deadlineNs(timeoutNs);
                while (count == 0 && channel.isOpen() && !state.inputShut) {
                    await(socket, TcpSocket.READABLE | TcpSocket.PEER_CLOSED, deadlineNs, "Read timed out");
                    count = readNow(socket, one, many, offset, length);
                }
            }
        } finally {
            end(count > 0);
        }
        return count <= 0 && state.inputShut ? TcpSocket.END : count;
    }

    private long readNow(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        if (state.inputShut) {
            return TcpSocket.END;
        }
        long count = one != null ? ByteTransfer.read(socket, one) : ByteTransfer.scatter(socket, many, offset, length);
        return count == TcpSocket.ERROR ? failure.onRead(socket) : count;
    }

    /** Bytes that can be read without blocking. Holding the state's monitor. */
    int available() throws ClosedChannelException {
        TcpSocket socket = state.connectedSocket();
        return state.inputShut ? 0 : socket.readableBytes();
    }

    /** Waits for any of these readiness bits, or failure, or for the channel to be closed. Holding the lock. */
    void await(TcpSocket socket, int bits, long deadlineNs, String timeoutText) throws SocketTimeoutException {
        ReadinessWaiter waiting = waiter;
        if (waiting == null) {
            waiting = new ReadinessWaiter(() -> !channel.isOpen() || state.inputShut);
            waiter = waiting;
            channel.registrations().reader(waiting);
        }
        boolean satisfied = driver.await(waiting.forAny(socket, bits | TcpSocket.FAILED), deadlineNs);
        if (!satisfied && deadlineNs != NO_TIMEOUT && System.nanoTime() - deadlineNs >= 0) {
            throw new SocketTimeoutException(timeoutText);
        }
    }

    static long deadlineNs(long timeoutNs) {
        return timeoutNs == NO_TIMEOUT ? NO_TIMEOUT : System.nanoTime() + timeoutNs;
    }
}
