package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/** The writing side of a socket channel on the stack. */
final class SocketOutput extends SocketSide {
    private static final ByteBuffer[] NONE = {};

    // guarded by lock
    private @Nullable ReadinessWaiter waiter;

    SocketOutput(
            StackSocketChannel channel,
            SideLocks locks,
            SocketState state,
            SocketClosing closing,
            Driver driver,
            ConnectionFailure failure) {
        super(Side.OUTPUT, channel, locks, state, closing, driver, failure);
    }

    int write(ByteBuffer source) throws IOException {
        return (int) write(source, NONE, 0, 0);
    }

    long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return write(null, sources, offset, length);
    }

    /** Writes from {@code one} or, if that is null, from {@code many}. */
    private long write(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) throws IOException {
        lock.lock();
        try {
            TcpSocket socket = state.connectedSocket();
            return channel.isBlocking()
                    ? writeBlocking(socket, one, many, offset, length)
                    : writeNonBlocking(socket, one, many, offset, length);
        } finally {
            lock.unlock();
        }
    }

    private long writeNonBlocking(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        long count = writeNow(socket, one, many, offset, length);
        if (count > 0) {
            channel.requestTurn(socket);
        } else if (state.outputShut) {
            throw new AsynchronousCloseException();
        } else if (count < 0) {
            throw failure.onWrite(socket);
        } else {
            channel.driveIfUnselected(socket);
        }
        return count;
    }

    private long writeBlocking(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        long total = 0;
        try {
            begin();
            while (channel.isOpen() && !state.outputShut && ByteTransfer.hasRemaining(one, many, offset, length)) {
                long count = writeNow(socket, one, many, offset, length);
                if (count > 0) {
                    total += count;
                    driver.nudge(driver.shards()[socket.shard()]);
                } else if (count == 0) {
                    await(socket);
                } else if (total == 0 && !state.outputShut) {
                    throw failure.onWrite(socket);
                } else {
                    break; // what was taken is reported now, why no more was by the next write
                }
            }
        } finally {
            end(total > 0);
        }
        if (total == 0 && state.outputShut) {
            throw new AsynchronousCloseException();
        }
        return total;
    }

    /** One byte of urgent data; false when there is no room and the channel does not block. */
    boolean writeUrgent(byte value) throws IOException {
        lock.lock();
        try {
            TcpSocket socket = state.connectedSocket();
            int count = channel.isBlocking() ? writeUrgentBlocking(socket, value) : socket.writeUrgent(value);
            if (state.outputShut) {
                throw new ClosedChannelException();
            }
            if (count < 0) {
                throw failure.onWrite(socket);
            }
            channel.requestTurn(socket);
            return count > 0;
        } finally {
            lock.unlock();
        }
    }

    private int writeUrgentBlocking(TcpSocket socket, byte value) throws IOException {
        int count = 0;
        try {
            begin();
            while (count == 0 && channel.isOpen() && !state.outputShut) {
                count = socket.writeUrgent(value);
                if (count == 0) {
                    await(socket);
                }
            }
        } finally {
            end(count > 0);
        }
        return count;
    }

    private static long writeNow(
            TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) {
        return one != null ? ByteTransfer.write(socket, one) : ByteTransfer.gather(socket, many, offset, length);
    }

    private void await(TcpSocket socket) {
        ReadinessWaiter waiting = waiter;
        if (waiting == null) {
            waiting = new ReadinessWaiter(() -> !channel.isOpen() || state.outputShut);
            waiter = waiting;
            channel.registrations().writer(waiting);
        }
        driver.await(waiting.forAny(socket, TcpSocket.WRITABLE | TcpSocket.FAILED), Long.MAX_VALUE);
    }
}
