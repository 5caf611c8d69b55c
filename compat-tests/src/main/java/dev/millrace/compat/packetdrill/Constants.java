package dev.millrace.compat.packetdrill;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Numbers of the constants that scripts name, as on Linux. Options of sockets are told apart by their names, which need no numbers. */
final class Constants {
    private static final Map<String, Long> VALUES = new HashMap<>();

    static {
        put("AF_INET", 2, "PF_INET", 2, "AF_INET6", 10, "PF_INET6", 10, "AF_UNSPEC", 0);
        put("SOCK_STREAM", 1, "SOCK_DGRAM", 2, "SOCK_NONBLOCK", 0x800, "SOCK_CLOEXEC", 0x80000);
        put(
                "IPPROTO_IP",
                0,
                "IPPROTO_TCP",
                6,
                "IPPROTO_IPV6",
                41,
                "SOL_SOCKET",
                1,
                "SOL_TCP",
                6,
                "SOL_IP",
                0,
                "SOL_IPV6",
                41);
        put("O_RDONLY", 0, "O_WRONLY", 1, "O_RDWR", 2, "O_NONBLOCK", 0x800);
        put("F_GETFL", 3, "F_SETFL", 4, "F_GETFD", 1, "F_SETFD", 2);
        put("SHUT_RD", 0, "SHUT_WR", 1, "SHUT_RDWR", 2, "SOMAXCONN", 4096);
        put(
                "MSG_OOB",
                1,
                "MSG_PEEK",
                2,
                "MSG_TRUNC",
                0x20,
                "MSG_DONTWAIT",
                0x40,
                "MSG_EOR",
                0x80,
                "MSG_WAITALL",
                0x100);
        put("MSG_NOSIGNAL", 0x4000, "MSG_MORE", 0x8000, "MSG_ERRQUEUE", 0x2000, "MSG_ZEROCOPY", 0x4000000);
        put("MSG_FASTOPEN", 0x20000000, "MSG_CTRUNC", 8);
        put(
                "POLLIN",
                1,
                "POLLPRI",
                2,
                "POLLOUT",
                4,
                "POLLERR",
                8,
                "POLLHUP",
                0x10,
                "POLLNVAL",
                0x20,
                "POLLRDNORM",
                0x40);
        put("POLLRDBAND", 0x80, "POLLWRNORM", 0x100, "POLLWRBAND", 0x200, "POLLRDHUP", 0x2000);
        put("EPOLLIN", 1, "EPOLLPRI", 2, "EPOLLOUT", 4, "EPOLLERR", 8, "EPOLLHUP", 0x10, "EPOLLRDNORM", 0x40);
        put("EPOLLRDBAND", 0x80, "EPOLLWRNORM", 0x100, "EPOLLWRBAND", 0x200, "EPOLLRDHUP", 0x2000);
        put("EPOLLONESHOT", 1L << 30, "EPOLLET", 1L << 31, "EPOLL_CTL_ADD", 1, "EPOLL_CTL_DEL", 2, "EPOLL_CTL_MOD", 3);
        put("TCP_CA_Open", 0, "TCP_CA_Disorder", 1, "TCP_CA_CWR", 2, "TCP_CA_Recovery", 3, "TCP_CA_Loss", 4);
        put("TCPI_OPT_TIMESTAMPS", 1, "TCPI_OPT_SACK", 2, "TCPI_OPT_WSCALE", 4, "TCPI_OPT_ECN", 8);
        // FreeBSD's scripts name the states so; the numbers are those that this stack tells
        put(
                "TCPI_ESTABLISHED",
                1,
                "TCPI_SYN_SENT",
                2,
                "TCPI_SYN_RECEIVED",
                3,
                "TCPI_FIN_WAIT_1",
                4,
                "TCPI_FIN_WAIT_2",
                5);
        put(
                "TCPI_TIME_WAIT",
                6,
                "TCPI_CLOSED",
                7,
                "TCPI_CLOSE_WAIT",
                8,
                "TCPI_LAST_ACK",
                9,
                "TCPI_LISTEN",
                10,
                "TCPI_CLOSING",
                11);
        put("TCPI_OPT_ECN_SEEN", 16, "TCPI_OPT_SYN_DATA", 32, "TCPI_OPT_USEC_TS", 64);
        put(
                "TCP_ESTABLISHED",
                1,
                "TCP_SYN_SENT",
                2,
                "TCP_SYN_RECV",
                3,
                "TCP_FIN_WAIT1",
                4,
                "TCP_FIN_WAIT2",
                5,
                "TCP_TIME_WAIT",
                6);
        put(
                "TCP_CLOSE",
                7,
                "TCP_CLOSE_WAIT",
                8,
                "TCP_LAST_ACK",
                9,
                "TCP_LISTEN",
                10,
                "TCP_CLOSING",
                11,
                "TCP_INFINITE_SSTHRESH",
                0x7fffffff);
        put("EPERM", 1, "EINTR", 4, "EBADF", 9, "EAGAIN", 11, "ENOMEM", 12, "EFAULT", 14, "EINVAL", 22, "EPIPE", 32);
        put("ENOPROTOOPT", 92, "EOPNOTSUPP", 95, "EADDRINUSE", 98, "EADDRNOTAVAIL", 99, "ENETUNREACH", 101);
        put("ECONNABORTED", 103, "ECONNRESET", 104, "ENOBUFS", 105, "EISCONN", 106, "ENOTCONN", 107, "ETIMEDOUT", 110);
        put(
                "ECONNREFUSED",
                111,
                "EHOSTUNREACH",
                113,
                "EALREADY",
                114,
                "EINPROGRESS",
                115,
                "EMSGSIZE",
                90,
                "EEXIST",
                17,
                "ENOENT",
                2);
        put("IP_PMTUDISC_DONT", 0, "IP_PMTUDISC_WANT", 1, "IP_PMTUDISC_DO", 2, "IP_PMTUDISC_PROBE", 3);
        put("IPV6_PMTUDISC_DONT", 0, "IPV6_PMTUDISC_WANT", 1, "IPV6_PMTUDISC_DO", 2, "IPV6_PMTUDISC_PROBE", 3);
        put("ENOPROTO", 93, "INADDR_ANY", 0, "NULL", 0, "IPTOS_ECN_CE", 3, "IPTOS_LOWDELAY", 0x10);
    }

    private Constants() {}

    private static void put(Object... namesAndNumbers) {
        for (int i = 0; i < namesAndNumbers.length; i += 2) {
            VALUES.put((String) namesAndNumbers[i], ((Number) namesAndNumbers[i + 1]).longValue());
        }
    }

    static boolean knows(String name) {
        return VALUES.containsKey(name);
    }

    static long of(String name) {
        Long value = VALUES.get(name);
        if (value == null) {
            throw new UnsupportedConstructException("constant " + name);
        }
        return value;
    }

    /** The names of the flags of a send or receive, or the number of those that have none here. */
    static String messageFlags(long flags) {
        String names = VALUES.entrySet().stream()
                .filter(each -> each.getKey().startsWith("MSG_") && (each.getValue() & flags) != 0)
                .map(Map.Entry::getKey)
                .sorted()
                .collect(Collectors.joining("|"));
        return names.isEmpty() ? "MSG flags 0x" + Long.toHexString(flags) : names;
    }

    /** A number, a constant, several joined by '|', or the only item of a list; {@code ...} is 0. */
    static long number(Value value) {
        return switch (value) {
            case Value.Whole number -> number.value();
            case Value.Name name -> of(name.name());
            case Value.Flags flags -> {
                long all = 0;
                for (Value part : flags.parts()) {
                    all |= number(part);
                }
                yield all;
            }
            case Value.Listing list
            when list.items().size() == 1 -> number(list.items().get(0));
            case Value.Call call
            when call.function().equals("htons") || call.function().equals("htonl") ->
                number(call.arguments().get(0));
            case Value.Any any -> 0;
            default -> throw new UnsupportedConstructException("argument " + value);
        };
    }

    /** The name, when the script writes one; otherwise the number's text. */
    static String name(Value value) {
        return value instanceof Value.Name name ? name.name() : Long.toString(number(value));
    }

    static boolean isAny(Value value) {
        return value instanceof Value.Any;
    }

    /** A field of a structure by its name, or by its place where it has none; {@code otherwise} when it is missing. */
    static Value field(Value struct, String name, int place, Value otherwise) {
        if (!(struct instanceof Value.Struct structure)) {
            throw new UnsupportedConstructException("argument " + struct);
        }
        List<Value.Field> fields = structure.fields();
        for (Value.Field field : fields) {
            if (field.name().equals(name)) {
                return field.value();
            }
        }
        return place < fields.size() && fields.get(place).name().isEmpty()
                ? fields.get(place).value()
                : otherwise;
    }
}
