package dev.millrace.compat.packetdrill;

/**
 * An ICMP error as the script writes it.
 *
 * @param v6 ICMPv6
 * @param mtu of the too-big messages, otherwise 0
 * @param quotedSequence the script's sequence number of the quoted segment
 * @param quotedLength bytes of its payload
 */
record IcmpSpec(boolean v6, int type, int code, int mtu, long quotedSequence, int quotedLength) {}
