package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpSocket;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** read, write and their relatives: bytes through a connection, whose content scripts leave open. One thread. */
final class StreamCalls {
    private final World world;

    StreamCalls(World world) {
        this.world = world;
    }

    // ---- sizes and flags ----

    /** A buffer is at no address; there is nothing to read from or to write into. */
    static boolean isNowhere(Value buffer, int length) {
        return length > 0 && buffer instanceof Value.Name name && name.name().equals("NULL");
    }

    /** Bytes of the buffers in an iovec's list. */
    static int vectorBytes(Value vector) {
        if (!(vector instanceof Value.Listing list)) {
            throw new UnsupportedConstructException("iovec " + vector);
        }
        long total = 0;
        for (Value each : list.items()) {
            total += Constants.number(Constants.field(each, "iov_len", 1, new Value.Whole(0)));
        }
        return (int) total;
    }

    /** Bytes of the buffers of a msghdr that is sent. */
    static int messageBytes(Value message) {
        if (!ControlMessages.of(message).isEmpty()) {
            throw new UnsupportedConstructException("msg_control");
        }
        return bufferBytes(message);
    }

    /** Bytes of a msghdr's buffers. */
    static int bufferBytes(Value message) {
        return vectorBytes(Constants.field(message, "msg_iov", Integer.MAX_VALUE, new Value.Listing(List.of())));
    }

    private static void checkFlags(long flags, String... known) {
        long left = flags;
        for (String name : known) {
            left &= ~Constants.of(name);
        }
        if (left != 0) {
            throw new UnsupportedConstructException(Constants.messageFlags(left));
        }
    }

    private static boolean has(long flags, String name) {
        return (flags & Constants.of(name)) != 0;
    }

    // ---- in ----

    Attempt receive(ScriptSocket socket, int length, long flags) {
        checkFlags(flags, "MSG_PEEK", "MSG_DONTWAIT", "MSG_WAITALL", "MSG_NOSIGNAL", "MSG_TRUNC");
        boolean mayBlock = !socket.nonBlocking && !has(flags, "MSG_DONTWAIT");
        boolean peek = has(flags, "MSG_PEEK");
        boolean all = has(flags, "MSG_WAITALL") && mayBlock && !peek;
        int least = all ? length : Math.min(socket.receiveLowWater, length);
        TcpSocket connection = socket.connection;
        if (connection == null) {
            return Attempt.done(Outcome.error("ENOTCONN"));
        }
        ByteBuffer buffer = ByteBuffer.allocate(Math.max(length, 1));
        int[] done = {0};
        return () -> {
            if (socket.isConnecting()) {
                return mayBlock ? null : Outcome.error("EAGAIN");
            }
            int count = peek ? peek(connection, length) : connection.read(buffer, 0, length - done[0]);
            world.settle();
            if (count > 0) {
                done[0] += count;
                return mayBlock && !peek && done[0] < least ? null : Outcome.of(done[0]);
            }
            return done[0] > 0 && count != 0 ? Outcome.of(done[0]) : nothingRead(socket, count, mayBlock);
        };
    }

    /** What a read would give, without taking it. */
    private static int peek(TcpSocket connection, int length) {
        int readable = connection.readableBytes();
        return readable > 0 ? Math.min(readable, length) : connection.read(ByteBuffer.allocate(1), 0, 1);
    }

    private static @Nullable Outcome nothingRead(ScriptSocket socket, int count, boolean mayBlock) {
        if (count == TcpSocket.ERROR) {
            String errno = socket.takeErrno();
            return errno.isEmpty() ? Outcome.OK : Outcome.error(errno);
        }
        if (count == TcpSocket.END || socket.inputShutDown) {
            return Outcome.OK;
        }
        return mayBlock ? null : Outcome.error("EAGAIN");
    }

    // ---- out ----

    Attempt send(ScriptSocket socket, int length, long flags) {
        checkFlags(flags, "MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_MORE");
        boolean mayBlock = !socket.nonBlocking && !has(flags, "MSG_DONTWAIT");
        TcpSocket connection = socket.connection;
        if (connection == null) {
            return Attempt.done(Outcome.error("EPIPE"));
        }
        ByteBuffer bytes = ByteBuffer.allocate(length);
        int[] done = {0};
        boolean[] waits = {false};
        boolean opens = opens(socket, connection);
        return () -> {
            if (socket.isConnecting() || waits[0] && !isWritable(connection)) {
                return mayBlock ? null : Outcome.error("EAGAIN");
            }
            if (opens && done[0] == length) {
                return opened(socket, connection, bytes, mayBlock);
            }
            if (length == 0) {
                return Outcome.OK;
            }
            connection.moreFollows(has(flags, "MSG_MORE"));
            int count = write(connection, bytes, done[0], length - done[0]);
            if (count == TcpSocket.ERROR) {
                return done[0] > 0 && !opens ? Outcome.of(done[0]) : broken(socket);
            }
            done[0] += count;
            if (opens && mayBlock && done[0] == length) {
                return opened(socket, connection, bytes, true);
            }
            if (done[0] == length || !mayBlock && done[0] > 0) {
                return Outcome.of(done[0]);
            }
            waits[0] = true;
            return mayBlock ? null : Outcome.error("EAGAIN");
        };
    }

    /** As on Linux a writer that sleeps is woken when poll would tell it to write, not by every byte that becomes free. */
    private static boolean isWritable(TcpSocket connection) {
        return (connection.readiness() & (TcpSocket.WRITABLE | TcpSocket.FAILED)) != 0;
    }

    /** The call goes on while what it has written leaves and so makes room again under a limit of what may be unsent. */
    private int write(TcpSocket connection, ByteBuffer bytes, int from, int length) {
        int taken = connection.write(bytes, from, length);
        world.settle();
        while (taken > 0 && taken < length && world.limitsUnsent(connection)) {
            int more = connection.write(bytes, from + taken, length - taken);
            world.settle();
            if (more <= 0) {
                break;
            }
            taken += more;
        }
        return taken;
    }

    /** The connect before has only said so, and these bytes begin the handshake (TCP_FASTOPEN_CONNECT). */
    private boolean opens(ScriptSocket socket, TcpSocket connection) {
        return socket.options.fastOpenConnect
                && !world.hasUnacknowledged(connection.localPort(), connection.remotePort())
                && !world.isHandshakeOver(connection.localPort(), connection.remotePort());
    }

    /** What such a call answers once all is written: one that blocks does so until the handshake is over. */
    private @Nullable Outcome opened(ScriptSocket socket, TcpSocket connection, ByteBuffer bytes, boolean mayBlock) {
        if (bytes.capacity() == 0) {
            connection.write(bytes, 0, 0); // the SYN goes, with nothing
            world.settle();
        }
        if (!world.isHandshakeOver(connection.localPort(), connection.remotePort())) {
            return mayBlock ? null : Outcome.error("EINPROGRESS");
        }
        return socket.hasFailed() ? broken(socket) : Outcome.of(bytes.capacity());
    }

    private static Outcome broken(ScriptSocket socket) {
        String errno = socket.takeErrno();
        return Outcome.error(errno.isEmpty() ? "EPIPE" : errno);
    }
}
