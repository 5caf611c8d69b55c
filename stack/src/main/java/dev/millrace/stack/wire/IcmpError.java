package dev.millrace.stack.wire;

/**
 * What an ICMP or ICMPv6 error message says, both families in one vocabulary (RFC 792, 1122 §3.2.2, 4443 §3). TCP decides what it
 * means for a connection (RFC 1122 §4.2.3.9, 5461, 5927).
 */
public enum IcmpError {
    /** No route to the network. */
    NETWORK_UNREACHABLE,
    /** No route to the host, or its neighbour could not be resolved. */
    HOST_UNREACHABLE,
    /** The host does not speak the protocol. */
    PROTOCOL_UNREACHABLE,
    /** Nothing listens on the port. */
    PORT_UNREACHABLE,
    /** A filter refused the packet. */
    ADMINISTRATIVELY_PROHIBITED,
    /** The packet was larger than a link on its way, and may not be fragmented. */
    PACKET_TOO_BIG,
    /** Hop limit or reassembly time ran out. */
    TIME_EXCEEDED,
    /** A header field made no sense to somebody on the way. */
    PARAMETER_PROBLEM
}
