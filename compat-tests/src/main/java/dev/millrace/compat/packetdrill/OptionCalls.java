package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpMetric;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.tcp.TcpState;
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

    /** Bounds that Linux sets to TCP_MAXSEG. */
    private static final int MIN_MAX_SEGMENT = 88;

    private static final int MAX_MAX_SEGMENT = 32767;
    private static final int DEFAULT_MSS = 536;

    private static final int MAX_SYN_RETRIES = 127;

    /** The timestamps option and its padding, in every segment of a connection that has agreed on it. */
    private static final int TIMESTAMPS_BYTES = 12;

    private final World world;

    private final Settings settings;

    OptionCalls(World world, Settings settings) {
        this.world = world;
        this.settings = settings;
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
            case "SO_OOBINLINE" -> options.oobInline = Constants.number(value) != 0;
            case "TCP_CORK" -> options.cork = Constants.number(value) != 0;
            case "TCP_NOTSENT_LOWAT" -> options.notSentLowBytes = (int) Constants.number(value);
            case "TCP_INQ" -> {
                if (Constants.number(value) < 0 || Constants.number(value) > 1) {
                    return Outcome.error("EINVAL");
                }
                socket.tellsLeft = Constants.number(value) != 0;
            }
            case "SO_RCVLOWAT" -> socket.receiveLowWater = (int) Math.max(1, Constants.number(value));
            case "TCP_FASTOPEN", "TCP_FASTOPEN_CONNECT" -> {
                return fastOpen(socket, name, (int) Constants.number(value));
            }
            case "TCP_FASTOPEN_NO_COOKIE" -> options.fastOpenNoCookie = Constants.number(value) != 0;
            case "TCP_MAXSEG", "TCP_SYNCNT" -> {
                return handshake(options, name, Constants.number(value));
            }
            case "IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER" -> pathMtuDiscovery(name, Constants.number(value));
            case "SO_RCVBUF", "SO_RCVBUFFORCE" ->
                options.receiveBufferBytes = Math.max((int) Constants.number(value), MIN_RECEIVE_BUFFER / 2);
            case "SO_SNDBUF", "SO_SNDBUFFORCE" ->
                options.sendBufferBytes = Math.max((int) Constants.number(value), MIN_SEND_BUFFER / 2);
            case "IP_TOS", "IPV6_TCLASS" -> options.trafficClass = (int) Constants.number(value) & 0xfc;
            case "IP_LOCAL_PORT_RANGE" -> socket.portRange = (int) Constants.number(value);
            case "SO_LINGER" -> linger(socket, value);
            case "TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT" -> {
                return timing(socket, name, (int) Constants.number(value));
            }
            // nothing below TCP looks at these here
            case "SO_DEBUG",
                    "SO_PRIORITY",
                    "SO_MARK",
                    "SO_INCOMING_CPU",
                    "SO_BUSY_POLL",
                    "IP_BIND_ADDRESS_NO_PORT",
                    "IPV6_V6ONLY",
                    "TCP_FUNCTION_BLK" -> {}
            case "TCP_CONGESTION" -> {
                return congestion(socket, value);
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

    /** What the handshake goes by; both may be told later, too. */
    private static Outcome handshake(TcpOptions options, String name, long value) {
        if (name.equals("TCP_SYNCNT")) {
            if (value < 1 || value > MAX_SYN_RETRIES) {
                return Outcome.error("EINVAL");
            }
            options.synRetries = (int) value;
        } else {
            if (value != 0 && (value < MIN_MAX_SEGMENT || value > MAX_MAX_SEGMENT)) {
                return Outcome.error("EINVAL");
            }
            options.maxSegmentBytes = (int) value;
        }
        return Outcome.OK;
    }

    private static void linger(ScriptSocket socket, Value value) {
        boolean on = Constants.number(
                        Constants.field(value, "onoff", 0, Constants.field(value, "l_onoff", 0, new Value.Whole(0))))
                != 0;
        Value seconds = Constants.field(value, "linger", 1, Constants.field(value, "l_linger", 1, new Value.Whole(0)));
        socket.lingerSeconds = on ? (int) Constants.number(seconds) : -1;
    }

    /** Before there is a connection the socket's algorithm may be chosen; afterwards naming the one that runs is no change. */
    private Outcome congestion(ScriptSocket socket, Value value) {
        String name = value instanceof Value.Text text ? text.value() : Constants.name(value);
        CongestionAlgorithm wanted = algorithm(name);
        if (wanted.text().equals(congestionOf(socket))) {
            return Outcome.OK;
        }
        if (socket.connection != null || wanted == CongestionAlgorithm.DCTCP) {
            throw new UnsupportedConstructException("setsockopt TCP_CONGESTION " + name
                    + (socket.connection == null ? " for one socket" : " of a connection that is there"));
        }
        socket.options.congestionControl = wanted;
        return Outcome.OK;
    }

    static CongestionAlgorithm algorithm(String name) {
        try {
            return CongestionAlgorithm.of(name);
        } catch (IllegalArgumentException e) {
            throw new UnsupportedConstructException("TCP_CONGESTION " + name);
        }
    }

    private String congestionOf(ScriptSocket socket) {
        CongestionAlgorithm own = socket.options.congestionControl;
        return own == null ? world.congestionControl() : own.text();
    }

    private Outcome fastOpen(ScriptSocket socket, String name, int value) {
        if (socket.connection != null) {
            return Outcome.error("EINVAL");
        }
        if (name.equals("TCP_FASTOPEN")) {
            socket.options.fastOpenQueue = Math.max(0, value);
            return Outcome.OK;
        }
        if (value < 0 || value > 1 || socket.acceptor != null) {
            return Outcome.error("EINVAL");
        }
        if (!settings.fastOpenForClients) {
            return Outcome.error("EOPNOTSUPP");
        }
        socket.options.fastOpenConnect = value != 0;
        return Outcome.OK;
    }

    /** The stack always sets DF and follows ICMP; sockets that do otherwise there are not. */
    private static void pathMtuDiscovery(String name, long value) {
        if (value != Constants.of("IP_PMTUDISC_WANT") && value != Constants.of("IP_PMTUDISC_DO")) {
            throw new UnsupportedConstructException("setsockopt " + name + " " + value);
        }
    }

    // ---- getsockopt ----

    /** The expected value is compared as well. */
    Outcome get(ScriptSocket socket, List<Value> arguments, @Nullable TcpInfo info) {
        String name = Constants.name(arguments.get(2));
        if (name.equals("SO_LINGER")) {
            return lingerTold(socket, arguments.get(3));
        }
        if (name.equals("TCP_CONGESTION")) {
            return congestionTold(socket, arguments.get(3));
        }
        if ((name.equals("IP_MTU") || name.equals("IPV6_MTU")) && info == null) {
            return Outcome.error("ENOTCONN");
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
            case "SO_PROTOCOL" -> Constants.of("IPPROTO_TCP");
            case "TCP_INQ" -> bit(socket.tellsLeft);
            case "IP_LOCAL_PORT_RANGE" -> socket.portRange;
            case "SO_RCVLOWAT" -> socket.receiveLowWater;
            case "SO_OOBINLINE" -> bit(options.oobInline);
            case "TCP_CORK" -> bit(options.cork);
            case "TCP_NOTSENT_LOWAT" -> options.notSentLowBytes;
            case "TCP_FASTOPEN" -> Math.max(0, options.fastOpenQueue);
            case "TCP_FASTOPEN_CONNECT" -> bit(options.fastOpenConnect);
            case "IP_MTU", "IPV6_MTU" -> info == null ? 0 : info.metrics().get(TcpMetric.PMTU);
            case "TCP_KEEPIDLE" -> options.keepIdleSeconds;
            case "TCP_KEEPINTVL" -> options.keepIntervalSeconds;
            case "TCP_KEEPCNT" -> options.keepCount;
            case "TCP_USER_TIMEOUT" -> options.userTimeoutMs;
            case "IP_TOS", "IPV6_TCLASS" -> options.trafficClass;
            case "SO_RCVBUF" -> receiveBufferTold(options.receiveBufferBytes, info);
            case "SO_SNDBUF" -> bookkeeping() * options.sendBufferBytes;
            case "TCP_SYNCNT" -> options.synRetries > 0 ? options.synRetries : settings.synRetries();
            case "TCP_FASTOPEN_NO_COOKIE" -> bit(options.fastOpenNoCookie);
            case "TCP_MAXSEG" -> maxSegment(options, info);
            default -> throw new UnsupportedConstructException("getsockopt " + name);
        };
        Value expected = arguments.get(3);
        if (!Constants.isAny(expected) && (int) Constants.number(expected) != (int) value) {
            throw new ScriptException(
                    "getsockopt " + name + ": expected " + Constants.number(expected) + ", the stack told " + value);
        }
        return Outcome.OK;
    }

    /** Linux tells twice what was asked for, so that there is room for its bookkeeping (socket(7)); FreeBSD has that elsewhere. */
    private long bookkeeping() {
        return settings.personality == Personality.LINUX ? 2 : 1;
    }

    /** FreeBSD's holds a whole number of segments once their size is agreed (tcp_mss of its tcp_input.c, as its scripts show it). */
    private long receiveBufferTold(int asked, @Nullable TcpInfo info) {
        if (settings.personality == Personality.LINUX) {
            return bookkeeping() * asked;
        }
        long bytes = asked == 0 ? settings.receiveSpaceBytes() : asked;
        if (info == null || info.state() == TcpState.SYN_SENT) {
            return bytes;
        }
        boolean timestamps = (info.metrics().get(TcpMetric.OPTIONS) & Constants.of("TCPI_OPT_TIMESTAMPS")) != 0;
        long agreed = info.metrics().get(TcpMetric.SND_MSS) + (timestamps ? TIMESTAMPS_BYTES : 0);
        long segment = info.state() == TcpState.SYN_RECEIVED ? info.metrics().get(TcpMetric.ADVMSS) : agreed;
        return segment > 0 && bytes > segment ? (bytes + segment - 1) / segment * segment : bytes;
    }

    private Outcome congestionTold(ScriptSocket socket, Value expected) {
        String there = congestionOf(socket);
        if (expected instanceof Value.Text text
                && !algorithm(text.value()).text().equals(there)) {
            throw new ScriptException("getsockopt TCP_CONGESTION: expected " + text.value() + ", there is " + there);
        }
        return Outcome.OK;
    }

    private static Outcome lingerTold(ScriptSocket socket, Value expected) {
        ScriptSocket asked = new ScriptSocket(socket.options, false, Personality.LINUX);
        linger(asked, expected);
        if (asked.lingerSeconds != socket.lingerSeconds) {
            throw new ScriptException(
                    "getsockopt SO_LINGER: expected " + asked.lingerSeconds + ", there is " + socket.lingerSeconds);
        }
        return Outcome.OK;
    }

    /** Of a connection what its segments carry, before what is wished, without a wish the default of RFC 9293 §3.7.1. */
    private static long maxSegment(TcpOptions options, @Nullable TcpInfo info) {
        long wished = options.maxSegmentBytes > 0 ? options.maxSegmentBytes : DEFAULT_MSS;
        return info == null ? wished : info.metrics().get(TcpMetric.SND_MSS);
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
