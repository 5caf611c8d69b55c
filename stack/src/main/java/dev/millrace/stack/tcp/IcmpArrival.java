package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IcmpError;

/**
 * What ICMP errors do to a connection: nothing unless the quoted sequence number is in flight (RFC 5927 §4.1), and nothing final once the
 * connection is synchronised (RFC 1122 §4.2.3.9 as relaxed by RFC 5461 and 5927 §5.2); one that data with its SYN has opened counts as such,
 * as on Linux, once it is accepted. One per core; core thread only.
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
        boolean opening = connection.state() == TcpState.SYN_SENT || connection.awaitsAcceptance();
        if (opening && !(refused && mayPass(kind))) {
            tcp.counters.increment(Counter.TCP_ATTEMPT_FAILS);
            tcp.lifecycle.fail(connection, error);
        } else {
            connection.softError = error;
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
        } else if (connection.state() == TcpState.SYN_SENT && connection.synDataBytes > 0) {
            connection.sendBareSyn(nowNs); // as Linux: the handshake does not wait for a timeout
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
