package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpMetrics;
import dev.millrace.stack.tcp.TcpSocket;
import java.util.AbstractList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Begins the system calls of a script on the stack. One thread. */
final class Calls {
    /** Calls whose second argument is a buffer and whose third says of how many bytes. */
    private static final Set<String> TRANSFERS = Set.of("read", "recv", "recvfrom", "write", "send", "sendto");

    private final World world;
    private final Settings settings;
    private final Descriptors descriptors = new Descriptors();
    private final SocketCalls sockets;
    private final StreamCalls streams;
    private final OptionCalls options;
    private final PollCalls polls;

    Calls(World world, Settings settings) {
        this.world = world;
        this.settings = settings;
        this.sockets = new SocketCalls(world, settings, descriptors);
        this.streams = new StreamCalls(world);
        this.options = new OptionCalls(world, settings);
        this.polls = new PollCalls(world, descriptors);
    }

    /** The port that a connection from outside goes to, or 0 when nothing listens. */
    int listeningPort() {
        ScriptSocket listener = descriptors.listener();
        return listener == null || listener.acceptor == null ? 0 : listener.acceptor.localPort();
    }

    /** @throws UnsupportedConstructException a call, or an argument, that there is not */
    Attempt begin(Event.CallAction call) {
        List<Value> arguments = new Arguments(call);
        long expected = call.result() instanceof Value.Whole number ? number.value() : -1;
        return switch (call.name()) {
            case "socket" -> sockets.socket(arguments, expected);
            case "epoll_create", "epoll_create1" -> Attempt.done(polls.create(expected));
            case "poll" -> polls.poll(arguments);
            case "close" -> sockets.close(Constants.number(arguments.get(0)));
            default -> onDescriptor(call, arguments, expected);
        };
    }

    /** A call's arguments; one that the script leaves out is its mistake. */
    private static final class Arguments extends AbstractList<Value> {
        private final Event.CallAction call;

        Arguments(Event.CallAction call) {
            this.call = call;
        }

        @Override
        public Value get(int index) {
            if (index >= size()) {
                throw new ScriptException(call.name() + ": argument " + (index + 1) + " is missing");
            }
            return call.arguments().get(index);
        }

        @Override
        public int size() {
            return call.arguments().size();
        }
    }

    private Attempt onDescriptor(Event.CallAction call, List<Value> arguments, long expected) {
        Descriptor descriptor = descriptors.get(Constants.number(arguments.get(0)));
        if (descriptor == null) {
            return Attempt.done(Outcome.error("EBADF"));
        }
        if (descriptor instanceof ScriptSocket socket) {
            return onSocket(call.name(), socket, arguments, expected);
        }
        return switch (call.name()) {
            case "epoll_ctl" -> Attempt.done(polls.control((Epoll) descriptor, arguments));
            case "epoll_wait" -> polls.await((Epoll) descriptor, arguments);
            default -> throw new UnsupportedConstructException(call.name() + " of an epoll descriptor");
        };
    }

    private Attempt onSocket(String name, ScriptSocket socket, List<Value> arguments, long expected) {
        if (TRANSFERS.contains(name) && StreamCalls.isNowhere(arguments.get(1), size(arguments))) {
            return Attempt.done(Outcome.error("EFAULT"));
        }
        return switch (name) {
            case "bind" -> sockets.bind(socket, arguments);
            case "listen" -> sockets.listen(socket, arguments);
            case "accept", "accept4" -> sockets.accept(socket, arguments, expected);
            case "connect" -> sockets.connect(socket, arguments);
            case "shutdown" -> sockets.shutdown(socket, arguments);
            case "setsockopt" -> Attempt.done(options.set(socket, arguments));
            case "getsockopt" -> Attempt.done(options.get(socket, arguments, infoOf(socket)));
            case "fcntl" -> Attempt.done(OptionCalls.fcntl(socket, arguments));
            case "ioctl" -> Attempt.done(OptionCalls.ioctl(socket, arguments, infoOf(socket)));
            case "read" -> streams.receive(socket, size(arguments), 0);
            case "readv" -> streams.receive(socket, StreamCalls.vectorBytes(arguments.get(1)), 0);
            case "recv", "recvfrom" -> streams.receive(socket, size(arguments), Constants.number(arguments.get(3)));
            case "recvmsg" ->
                ControlMessages.checked(
                        socket,
                        arguments.get(1),
                        streams.receive(
                                socket, StreamCalls.bufferBytes(arguments.get(1)), Constants.number(arguments.get(2))));
            case "write" -> streams.send(socket, size(arguments), 0);
            case "writev" -> streams.send(socket, StreamCalls.vectorBytes(arguments.get(1)), 0);
            case "send" -> streams.send(socket, size(arguments), Constants.number(arguments.get(3)));
            case "sendto" -> sendTo(socket, arguments);
            case "sendmsg" ->
                send(
                        socket,
                        StreamCalls.messageBytes(arguments.get(1)),
                        Constants.number(arguments.get(2)),
                        () -> Constants.field(arguments.get(1), "msg_name", Integer.MAX_VALUE, new Value.Any()));
            default -> throw new UnsupportedConstructException(name + "()");
        };
    }

    /** How many active opens have begun. */
    int opens() {
        return sockets.opens();
    }

    private Attempt sendTo(ScriptSocket socket, List<Value> arguments) {
        if (connectsBySending(socket, arguments)) {
            return sockets.connectBySending(socket, arguments.get(4), size(arguments));
        }
        Value address = arguments.size() > 4 ? arguments.get(4) : new Value.Any();
        return send(socket, size(arguments), Constants.number(arguments.get(3)), () -> address);
    }

    /** FreeBSD: sending to an address connects a socket that is not (tcp_usr_send of its tcp_usrreq.c, as its scripts show it). */
    private boolean connectsBySending(ScriptSocket socket, List<Value> arguments) {
        return settings.personality == Personality.FREEBSD
                && socket.connection == null
                && socket.acceptor == null
                && arguments.size() > 4
                && !(arguments.get(4) instanceof Value.Name); // NULL
    }

    private Attempt send(ScriptSocket socket, int length, long flags, Supplier<Value> address) {
        long fastOpen = Constants.of("MSG_FASTOPEN");
        if ((flags & fastOpen) == 0) {
            return streams.send(socket, length, flags);
        }
        boolean mayBlock = !socket.nonBlocking && (flags & Constants.of("MSG_DONTWAIT")) == 0;
        // which connection it is, is known only once the call has begun
        Attempt send = () -> streams.send(socket, length, flags & ~fastOpen).poll();
        return sockets.connectWithData(socket, address.get(), length, mayBlock, send);
    }

    private static int size(List<Value> arguments) {
        return (int) Constants.number(arguments.get(2));
    }

    /** TCP_INFO of the connection with these ports, also when it is over and a socket has it still; null without one. */
    @Nullable
    TcpMetrics metrics(int localPort, int remotePort) {
        ScriptSocket socket = descriptors.connected(localPort, remotePort);
        TcpInfo info = world.info(localPort, remotePort);
        TcpSocket gone = socket == null ? null : socket.connection;
        if (info == null && gone != null) {
            return TcpMetrics.of(gone, world.nowNs());
        }
        return info == null ? null : info.metrics();
    }

    /** TCP_INFO of a socket's connection, or null without one. */
    @Nullable
    TcpInfo infoOf(ScriptSocket socket) {
        TcpSocket connection = socket.connection;
        return connection == null ? null : world.info(connection.localPort(), connection.remotePort());
    }
}
