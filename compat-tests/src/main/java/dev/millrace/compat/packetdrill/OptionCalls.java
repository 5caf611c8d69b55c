package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpMetric;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** setsockopt, getsockopt, fcntl, ioctl. One thread. */
final class OptionCalls {
    /** Linux keeps times and counts of keepalive within these. */
    private static final int MAX_KEEP_SECONDS = 32767;

    private static final int MAX_KEEP_COUNT = 127;
    /** Smallest buffers of Linux: SOCK_MIN_SNDBUF and SOCK_MIN_RCVBUF, as getsockopt tells them. */
    private static final int MIN_SEND_BUFFER = 4608;

    private static final int MIN_RECEIVE_BUFFER = 2304;

    private final World world;

    OptionCalls(World world) {
        this.world = world;
    }

    // ---- setsockopt ----

    Outcome set(ScriptSocket socket, List<Value> arguments) {
        String name = Constants.name(arguments.get(2));
        Value value = arguments.get(3);
        TcpOptions options = socket.options;
        switch (name) {
            case "SO_REUSEADDR" -> options.reuseAddress = Constants.number(value) != 0;
            case "SO_REUSEPORT" -> options.reusePort = Constants.number(value) != 0;
            case "SO_KEEPALIVE" -> options.keepAlive = Constants.number(value) != 0;
            case "TCP_NODELAY" -> options.noDelay = Constants.number(value) != 0;
            case "TCP_QUICKACK" -> options.quickAck = Constants.number(value) != 0;
            case "SO_RCVBUF", "SO_RCVBUFFORCE" ->
                options.receiveBufferBytes = Math.max((int) Constants.number(value), MIN_RECEIVE_BUFFER / 2);
            case "SO_SNDBUF", "SO_SNDBUFFORCE" ->
                options.sendBufferBytes = Math.max((int) Constants.number(value), MIN_SEND_BUFFER / 2);
            case "IP_TOS", "IPV6_TCLASS" -> options.trafficClass = (int) Constants.number(value) & 0xfc;
            case "SO_LINGER" -> linger(socket, value);
            case "TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT" -> {
                return timing(socket, name, (int) Constants.number(value));
            }
            // nothing below TCP looks at these here
            case "SO_DEBUG",
                    "SO_PRIORITY",
                    "SO_MARK",
                    "IP_MTU_DISCOVER",
                    "IPV6_MTU_DISCOVER",
                    "IPV6_V6ONLY",
                    "TCP_FUNCTION_BLK" -> {}
            case "TCP_CONGESTION" -> {
                return congestion(value);
            }
            default -> throw new UnsupportedConstructException("setsockopt " + name);
        }
        return changed(socket);
    }

    private Outcome changed(ScriptSocket socket) {
        TcpSocket connection = socket.connection;
        if (connection != null) {
            connection.optionsChanged();
            world.settle();
        }
        return Outcome.OK;
    }

    private Outcome timing(ScriptSocket socket, String name, int value) {
        TcpOptions options = socket.options;
        boolean valid = switch (name) {
            case "TCP_USER_TIMEOUT" -> value >= 0;
            case "TCP_KEEPCNT" -> value >= 1 && value <= MAX_KEEP_COUNT;
            default -> value >= 1 && value <= MAX_KEEP_SECONDS;
        };
        if (!valid) {
            return Outcome.error("EINVAL");
        }
        switch (name) {
            case "TCP_USER_TIMEOUT" -> options.userTimeoutMs = value;
            case "TCP_KEEPIDLE" -> options.keepIdleSeconds = value;
            case "TCP_KEEPINTVL" -> options.keepIntervalSeconds = value;
            default -> options.keepCount = value;
        }
        return changed(socket);
    }

    private static void linger(ScriptSocket socket, Value value) {
        boolean on = Constants.number(
                        Constants.field(value, "onoff", 0, Constants.field(value, "l_onoff", 0, new Value.Whole(0))))
                != 0;
        Value seconds = Constants.field(value, "linger", 1, Constants.field(value, "l_linger", 1, new Value.Whole(0)));
        socket.lingerSeconds = on ? (int) Constants.number(seconds) : -1;
    }

    /** The algorithm is the stack's, not the socket's: naming the one that runs is no change. */
    private Outcome congestion(Value value) {
        String name = value instanceof Value.Text text ? text.value() : Constants.name(value);
        String wanted = name.equals("reno") ? "newreno" : name;
        if (wanted.equals(world.congestionControl())) {
            return Outcome.OK;
        }
        throw new UnsupportedConstructException("setsockopt TCP_CONGESTION " + name);
    }

    // ---- getsockopt ----

    /** The expected value is compared as well. */
    Outcome get(ScriptSocket socket, List<Value> arguments, @Nullable TcpInfo info) {
        String name = Constants.name(arguments.get(2));
        if (name.equals("SO_LINGER")) {
            return lingerTold(socket, arguments.get(3));
        }
        TcpOptions options = socket.options;
        long value = switch (name) {
            case "SO_ERROR" -> {
                String errno = socket.takeErrno();
                yield errno.isEmpty() ? 0 : Constants.of(errno);
            }
            case "SO_REUSEADDR" -> bit(options.reuseAddress);
            case "SO_REUSEPORT" -> bit(options.reusePort);
            case "SO_KEEPALIVE" -> bit(options.keepAlive);
            case "TCP_NODELAY" -> bit(options.noDelay);
            case "SO_TYPE" -> Constants.of("SOCK_STREAM");
            case "SO_ACCEPTCONN" -> bit(socket.acceptor != null);
            case "TCP_KEEPIDLE" -> options.keepIdleSeconds;
            case "TCP_KEEPINTVL" -> options.keepIntervalSeconds;
            case "TCP_KEEPCNT" -> options.keepCount;
            case "TCP_USER_TIMEOUT" -> options.userTimeoutMs;
            case "IP_TOS", "IPV6_TCLASS" -> options.trafficClass;
            case "SO_RCVBUF" -> 2L * options.receiveBufferBytes;
            case "SO_SNDBUF" -> 2L * options.sendBufferBytes;
            case "TCP_MAXSEG" -> info == null ? 536 : info.metrics().get(TcpMetric.SND_MSS);
            default -> throw new UnsupportedConstructException("getsockopt " + name);
        };
        Value expected = arguments.get(3);
        if (!Constants.isAny(expected) && Constants.number(expected) != value) {
            throw new ScriptException(
                    "getsockopt " + name + ": expected " + Constants.number(expected) + ", the stack told " + value);
        }
        return Outcome.OK;
    }

    private static Outcome lingerTold(ScriptSocket socket, Value expected) {
        ScriptSocket asked = new ScriptSocket(socket.options, false);
        linger(asked, expected);
        if (asked.lingerSeconds != socket.lingerSeconds) {
            throw new ScriptException(
                    "getsockopt SO_LINGER: expected " + asked.lingerSeconds + ", there is " + socket.lingerSeconds);
        }
        return Outcome.OK;
    }

    private static long bit(boolean on) {
        return on ? 1 : 0;
    }

    // ---- fcntl, ioctl ----

    static Outcome fcntl(ScriptSocket socket, List<Value> arguments) {
        return switch (Constants.name(arguments.get(1))) {
            case "F_GETFL" ->
                Outcome.of(Constants.of("O_RDWR") | (socket.nonBlocking ? Constants.of("O_NONBLOCK") : 0));
            case "F_SETFL" -> {
                socket.nonBlocking = (Constants.number(arguments.get(2)) & Constants.of("O_NONBLOCK")) != 0;
                yield Outcome.OK;
            }
            case "F_GETFD", "F_SETFD" -> Outcome.OK;
            default -> throw new UnsupportedConstructException("fcntl " + arguments.get(1));
        };
    }

    static Outcome ioctl(ScriptSocket socket, List<Value> arguments, @Nullable TcpInfo info) {
        String name = Constants.name(arguments.get(1));
        if (name.equals("FIONBIO")) {
            socket.nonBlocking = Constants.number(arguments.get(2)) != 0;
            return Outcome.OK;
        }
        TcpSocket connection = socket.connection;
        if (socket.acceptor != null) {
            return Outcome.error("EINVAL");
        }
        long value = switch (name) {
            case "SIOCINQ", "FIONREAD" -> connection == null ? 0 : connection.readableBytes();
            case "SIOCOUTQ", "TIOCOUTQ" -> info == null ? 0 : info.unacknowledgedBytes();
            case "SIOCOUTQNSD" -> info == null ? 0 : info.metrics().get(TcpMetric.NOTSENT_BYTES);
            default -> throw new UnsupportedConstructException("ioctl " + name);
        };
        Value expected = arguments.get(2);
        if (!Constants.isAny(expected) && Constants.number(expected) != value) {
            throw new ScriptException(
                    "ioctl " + name + ": expected " + Constants.number(expected) + ", the stack told " + value);
        }
        return Outcome.OK;
    }
}
