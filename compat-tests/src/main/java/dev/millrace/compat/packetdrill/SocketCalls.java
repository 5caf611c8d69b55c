package dev.millrace.compat.packetdrill;

import dev.millrace.stack.core.ConnectCall;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** socket, bind, listen, accept, connect, shutdown, close. One thread. */
final class SocketCalls {
    private final World world;
    private final Settings settings;
    private final Descriptors descriptors;

    SocketCalls(World world, Settings settings, Descriptors descriptors) {
        this.world = world;
        this.settings = settings;
        this.descriptors = descriptors;
    }

    private int opens;

    /** How many active opens have begun. */
    int opens() {
        return opens;
    }

    /** An endpoint, as an argument names it. */
    private record Endpoint(IpAddress address, int port) {}

    Attempt socket(List<Value> arguments, long expected) {
        long type = Constants.number(arguments.get(1));
        if ((type & 0xf) != Constants.of("SOCK_STREAM")) {
            throw new UnsupportedConstructException("socket type " + arguments.get(1));
        }
        boolean nonBlocking = (type & Constants.of("SOCK_NONBLOCK")) != 0;
        return opened(new ScriptSocket(settings.socketDefaults.copy(), nonBlocking, settings.personality), expected);
    }

    private Attempt opened(Descriptor descriptor, long expected) {
        return Attempt.done(Outcome.of(descriptors.add(descriptor, expected)));
    }

    // ---- addresses ----

    private Endpoint endpoint(Value argument, IpAddress address, int port) {
        if (Constants.isAny(argument)) {
            return new Endpoint(address, port);
        }
        Value given = address(argument);
        int number = (int) Constants.number(Constants.field(
                argument, "sin_port", 1, Constants.field(argument, "sin6_port", 1, new Value.Whole(port))));
        return new Endpoint(given instanceof Value.Any ? address : literal(given), number);
    }

    private static Value address(Value struct) {
        Value any = new Value.Any();
        return Constants.field(struct, "sin_addr", 2, Constants.field(struct, "sin6_addr", 3, any));
    }

    private static IpAddress literal(Value value) {
        if (value instanceof Value.Call call
                && List.of("inet_addr", "inet_pton").contains(call.function())
                && call.arguments().getLast() instanceof Value.Text text) {
            return Settings.parse(text.value());
        }
        if (value instanceof Value.Name name && name.name().equals("INADDR_ANY")) {
            return IpAddress.ANY4;
        }
        throw new UnsupportedConstructException("address " + value);
    }

    // ---- passive ----

    Attempt bind(ScriptSocket socket, List<Value> arguments) {
        if (socket.binding != null || socket.connection != null) {
            return Attempt.done(Outcome.error("EINVAL"));
        }
        Endpoint endpoint = endpoint(arguments.get(1), world.local, settings.bindPort);
        try {
            socket.binding = world.stack.bind(endpoint.address(), endpoint.port(), socket.options);
            return Attempt.done(Outcome.OK);
        } catch (TcpException e) {
            return Attempt.done(Outcome.error(ScriptSocket.errno(e.error())));
        }
    }

    Attempt listen(ScriptSocket socket, List<Value> arguments) {
        int backlog = (int) Constants.number(arguments.get(1));
        TcpAcceptor there = socket.acceptor;
        if (there != null) {
            there.backlog(backlog);
            return Attempt.done(Outcome.OK);
        }
        LocalBinding binding = socket.binding;
        if (socket.connection != null) {
            return Attempt.done(Outcome.error("EINVAL"));
        }
        try {
            LocalBinding own = binding != null ? binding : world.stack.bind(world.local, 0, socket.options);
            if (!settings.fastOpenForServers) {
                socket.options.fastOpenQueue = 0;
            } else if (!settings.fastOpenAtEveryListener) {
                // as Linux: of listeners only those take data with a SYN that have asked for it
                socket.options.fastOpenQueue = Math.max(0, socket.options.fastOpenQueue);
            }
            socket.options.fastOpenNoCookie |= settings.fastOpenWithoutCookieForServers;
            socket.acceptor = world.stack.listen(own, backlog, socket.options, socket);
            return Attempt.done(Outcome.OK);
        } catch (TcpException e) {
            return Attempt.done(Outcome.error(ScriptSocket.errno(e.error())));
        }
    }

    Attempt accept(ScriptSocket socket, List<Value> arguments, long expected) {
        TcpAcceptor acceptor = socket.acceptor;
        if (acceptor == null) {
            return Attempt.done(Outcome.error("EINVAL"));
        }
        long flags = arguments.size() > 3 ? Constants.number(arguments.get(3)) : 0;
        return () -> {
            TcpSocket connection = acceptor.accept();
            if (connection == null) {
                return socket.nonBlocking ? Outcome.error("EAGAIN") : null;
            }
            ScriptSocket accepted = new ScriptSocket(
                    connection.options(), (flags & Constants.of("SOCK_NONBLOCK")) != 0, settings.personality);
            accepted.connection = connection;
            accepted.lingerSeconds = socket.lingerSeconds;
            accepted.reportConnect();
            connection.observer(accepted);
            return Outcome.of(descriptors.add(accepted, expected));
        };
    }

    // ---- active ----

    Attempt connect(ScriptSocket socket, List<Value> arguments) {
        if (socket.acceptor != null) {
            return Attempt.done(Outcome.error("EISCONN"));
        }
        TcpSocket there = socket.connection;
        if (there != null) {
            return connectAgain(socket, there);
        }
        String errno = begin(socket, arguments.get(1), null);
        if (!errno.isEmpty()) {
            return Attempt.done(Outcome.error(errno));
        }
        if (socket.nonBlocking && !socket.isConnected()) {
            return Attempt.done(Outcome.error("EINPROGRESS"));
        }
        return () -> connectEnd(socket);
    }

    /** The SYN, or what takes its place; answers an error's name, or nothing. */
    private String begin(ScriptSocket socket, Value address, @Nullable ByteBuffer text) {
        Endpoint endpoint = endpoint(address, world.remote, settings.connectPort);
        socket.options.fastOpenNoCookie |= settings.fastOpenWithoutCookieForClients;
        ConnectCall call =
                world.stack.connect(socket.binding, endpoint.address(), endpoint.port(), socket.options, socket);
        if (socket.portRange != 0) {
            int low = socket.portRange & 0xffff;
            int high = socket.portRange >>> 16;
            call.ports(port -> port >= low && port <= high);
        }
        if (text != null) {
            call.text(text);
        }
        call.core().submit(call);
        world.settle();
        if (call.error() != TcpError.NONE) {
            return ScriptSocket.errno(call.error());
        }
        socket.connection = call.result();
        opens++;
        return "";
    }

    /**
     * sendto and sendmsg with MSG_FASTOPEN: with a cookie the bytes go with the SYN, and a call that blocks waits for the handshake. Without one,
     * the SYN asks for it; then a call that does not block has sent nothing, and one that does sends after the handshake.
     *
     * @param send sends the bytes
     */
    Attempt connectWithData(ScriptSocket socket, Value address, int length, boolean mayBlock, Attempt send) {
        if (socket.acceptor != null) {
            return Attempt.done(Outcome.error("EISCONN"));
        }
        if (!settings.fastOpenForClients
                || address instanceof Value.Name name && name.name().equals("AF_UNSPEC")) {
            return Attempt.done(Outcome.error("EOPNOTSUPP"));
        }
        TcpSocket there = socket.connection;
        if (there != null) {
            boolean under = socket.isConnecting() || isHandshakeWithData(socket, there);
            return under ? Attempt.done(Outcome.error("EALREADY")) : send;
        }
        if (mayBlock) {
            return connectWithAll(socket, address, length);
        }
        boolean before = socket.options.fastOpenConnect;
        socket.options.fastOpenConnect = true;
        String errno = begin(socket, address, null);
        socket.options.fastOpenConnect = before;
        TcpSocket connection = socket.connection;
        if (connection == null) {
            return Attempt.done(Outcome.error(errno));
        }
        if (length == 0) { // as Linux: an ordinary connect, but that its SYN has the option
            connection.write(ByteBuffer.allocate(0), 0, 0);
            world.settle();
            return Attempt.done(Outcome.error("EINPROGRESS"));
        }
        return socket.isConnected() ? send : Attempt.done(Outcome.error("EINPROGRESS")); // no cookie
    }

    /** The call that blocks: what does not go with the SYN follows it. */
    private Attempt connectWithAll(ScriptSocket socket, Value address, int length) {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        String errno = begin(socket, address, bytes);
        TcpSocket connection = socket.connection;
        if (connection == null) {
            return Attempt.done(Outcome.error(errno));
        }
        return () -> {
            if (!world.isHandshakeOver(connection.localPort(), connection.remotePort())) {
                return null;
            }
            if (socket.hasFailed()) {
                return Outcome.error(socket.takeErrno());
            }
            int count = connection.write(bytes, bytes.position(), bytes.remaining());
            bytes.position(bytes.position() + Math.max(count, 0));
            world.settle();
            return bytes.hasRemaining() ? null : Outcome.of(length);
        };
    }

    /** The bytes wait for the handshake in the send buffer, or go with the SYN where TCP_FASTOPEN is on; the call waits for neither. */
    Attempt connectBySending(ScriptSocket socket, Value address, int length) {
        if (!settings.fastOpenForClients || socket.options.fastOpenQueue <= 0) {
            throw new UnsupportedConstructException("sendto() that connects without TCP_FASTOPEN");
        }
        ByteBuffer text = ByteBuffer.allocate(length);
        String errno = begin(socket, address, text);
        return Attempt.done(errno.isEmpty() ? Outcome.of(text.position()) : Outcome.error(errno));
    }

    /** The SYN has left with bytes of the application, and is not answered. */
    private boolean isHandshakeWithData(ScriptSocket socket, TcpSocket connection) {
        return !socket.hasFailed()
                && world.hasUnacknowledged(connection.localPort(), connection.remotePort())
                && !world.isHandshakeOver(connection.localPort(), connection.remotePort());
    }

    private Attempt connectAgain(ScriptSocket socket, TcpSocket connection) {
        if (isHandshakeWithData(socket, connection) && !socket.connectReported()) {
            return Attempt.done(Outcome.error("EALREADY"));
        }
        if (socket.isConnecting()) {
            return socket.nonBlocking ? Attempt.done(Outcome.error("EALREADY")) : () -> connectEnd(socket);
        }
        if (socket.connectReported()) {
            return Attempt.done(Outcome.error("EISCONN"));
        }
        return () -> connectEnd(socket);
    }

    private static @Nullable Outcome connectEnd(ScriptSocket socket) {
        if (socket.isConnecting()) {
            return null;
        }
        if (socket.isConnected() && !socket.hasFailed()) {
            socket.reportConnect();
            return Outcome.OK;
        }
        String errno = socket.takeErrno();
        return Outcome.error(errno.isEmpty() ? "ECONNABORTED" : errno);
    }

    // ---- end ----

    Attempt shutdown(ScriptSocket socket, List<Value> arguments) {
        TcpSocket connection = socket.connection;
        if (connection == null || socket.hasFailed()) {
            return Attempt.done(Outcome.error("ENOTCONN"));
        }
        long how = Constants.number(arguments.get(1));
        if (how == Constants.of("SHUT_RD") || how == Constants.of("SHUT_RDWR")) {
            // A process on Linux can go on reading what arrives. In Java nobody can, so that the stack's own
            // shutdownInput()
            // discards it; it is not called here.
            socket.inputShutDown = true;
        }
        if (how == Constants.of("SHUT_WR") || how == Constants.of("SHUT_RDWR")) {
            socket.outputShutDown = true;
            connection.shutdownOutput();
        }
        world.settle();
        return Attempt.done(Outcome.OK);
    }

    Attempt close(long number) {
        Descriptor descriptor = descriptors.remove(number);
        if (descriptor == null) {
            return Attempt.done(Outcome.error("EBADF"));
        }
        if (!(descriptor instanceof ScriptSocket socket)) {
            return Attempt.done(Outcome.OK);
        }
        TcpAcceptor acceptor = socket.acceptor;
        TcpSocket connection = socket.connection;
        if (acceptor != null) {
            acceptor.close();
        } else if (connection != null && socket.lingerSeconds == 0) {
            connection.abort();
        } else if (connection != null) {
            connection.close();
        } else if (socket.binding != null) {
            socket.binding.close();
        }
        world.settle();
        if (connection != null && socket.lingerSeconds > 0 && !socket.nonBlocking) {
            long until = world.scriptNs() + socket.lingerSeconds * 1_000_000_000L;
            int over = TcpSocket.DRAINED | TcpSocket.FAILED | TcpSocket.GONE;
            return () -> (connection.readiness() & over) != 0 || world.scriptNs() >= until ? Outcome.OK : null;
        }
        return Attempt.done(Outcome.OK);
    }
}
