package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;

/**
 * What ICMP errors do to a connection: nothing unless the quoted sequence number is in flight (RFC 5927 §4.1), and nothing final once the
 * connection is synchronised (RFC 1122 §4.2.3.9 as relaxed by RFC 5461 and 5927 §5.2); one that data with its SYN has opened counts as such,
 * as on Linux, once it is accepted. A half-open entry is forgotten. One per core; core thread only.
 */
final class IcmpArrival {
    private final Tcp tcp;

    IcmpArrival(Tcp tcp) {
        this.tcp = tcp;
    }

    void onError(TcpConnection connection, IcmpError kind, int quotedSequence, int mtu, long nowNs) {
        Sender sender = connection.sender;
        long quoted = sender.positionOf(quotedSequence);
        if (quoted < sender.una || quoted >= sender.nxt) {
            tcp.counters.increment(Counter.TCP_ICMP_OUT_OF_WINDOW);
            return;
        }
        if (kind == IcmpError.PACKET_TOO_BIG) {
            onPacketTooBig(connection, mtu, nowNs);
            return;
        }
        boolean refused = tcp.config.features().quirks().refusedByFilter();
        TcpError error = refused ? errorByBsd(kind) : errorOf(kind);
        if (error == TcpError.NONE) {
            return;
        }
        boolean opening = connection.state() == TcpState.SYN_SENT || connection.fastOpen.awaitsAcceptance();
        if (opening && !(refused && mayPass(kind))) {
            tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
            tcp.lifecycle.fail(connection, error);
        } else {
            connection.softError = error;
        }
    }

    /**
     * About our SYN+ACK: as on Linux the entry goes, and the listener's application hears nothing, since errors are not accept's. Which errors those
     * are differs there between the protocols: with IPv4 a network or host that cannot be reached, a time exceeded, a parameter problem; with IPv6 what
     * its errors of connections are final for.
     */
    void onError(HalfOpen entry, IcmpError kind, int quotedSequence) {
        if (quotedSequence != entry.iss) {
            tcp.counters.increment(Counter.TCP_ICMP_OUT_OF_WINDOW);
            return;
        }
        boolean v4 = IpAddress.isV4(entry.localHigh, entry.localLow);
        boolean ends = switch (kind) {
            case NETWORK_UNREACHABLE, HOST_UNREACHABLE, TIME_EXCEEDED -> v4;
            case PORT_UNREACHABLE, ADMINISTRATIVELY_PROHIBITED -> !v4;
            case PARAMETER_PROBLEM -> true;
            case PROTOCOL_UNREACHABLE, PACKET_TOO_BIG -> false;
        };
        if (ends) {
            tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
            tcp.passive.remove(entry);
        }
    }

    /** The path takes the smaller size, and what was too big goes out again in smaller pieces (RFC 1191 §6.5). */
    private void onPacketTooBig(TcpConnection connection, int mtu, long nowNs) {
        int before = connection.path.mtu();
        connection.path.onPacketTooBig(mtu, nowNs);
        if (connection.path.mtu() >= before) {
            return;
        }
        if (connection.state().sendsText()) {
            connection.sender.onPacketTooBig(nowNs);
        } else if (connection.state() == TcpState.SYN_SENT && connection.fastOpen.synDataBytes > 0) {
            connection.fastOpen.sendBareSyn(nowNs); // as Linux: the handshake does not wait for a timeout
        }
    }

    /** NONE for what is neither a refusal nor unreachability. */
    private static TcpError errorOf(IcmpError kind) {
        return switch (kind) {
            case PORT_UNREACHABLE, PROTOCOL_UNREACHABLE -> TcpError.CONNECTION_REFUSED;
            case NETWORK_UNREACHABLE -> TcpError.NETWORK_UNREACHABLE;
            case HOST_UNREACHABLE, ADMINISTRATIVELY_PROHIBITED -> TcpError.HOST_UNREACHABLE;
            case PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM -> TcpError.NONE;
        };
    }

    /** {@link Quirks#refusedByFilter}: a filter refuses as a host does. */
    private static TcpError errorByBsd(IcmpError kind) {
        return switch (kind) {
            case ADMINISTRATIVELY_PROHIBITED -> TcpError.CONNECTION_REFUSED;
            case TIME_EXCEEDED -> TcpError.HOST_UNREACHABLE;
            default -> errorOf(kind);
        };
    }

    /** And routes come and go. */
    private static boolean mayPass(IcmpError kind) {
        return kind == IcmpError.NETWORK_UNREACHABLE || kind == IcmpError.HOST_UNREACHABLE;
    }
}
