package dev.millrace.stack.tcp;

/** Why a connection failed, or a call was refused; the provider turns each into the JDK's exception with the JDK's text. */
public enum TcpError {
    NONE,
    /** RST in answer to our SYN. */
    CONNECTION_REFUSED,
    /** RST on a synchronised connection. */
    CONNECTION_RESET,
    /** Retransmissions, keepalive or user timeout gave up. */
    TIMED_OUT,
    /** No route to the host: neighbour resolution failed or ICMP said so. */
    HOST_UNREACHABLE,
    /** No route, or ICMP network unreachable. */
    NETWORK_UNREACHABLE,
    /** Aborted on this side, or a broken invariant reset this one connection. */
    ABORTED,
    /** The local address and port, or the whole 4-tuple, is taken. */
    ADDRESS_IN_USE,
    /** The local address is not ours, or no ephemeral port is left. */
    ADDRESS_NOT_AVAILABLE,
    /** A memory or table limit was reached. */
    NO_BUFFERS,
    /** A datagram is larger than the path takes, and may not be fragmented (UDP's, which speaks of errors in these words, too). */
    MESSAGE_TOO_LONG
}
