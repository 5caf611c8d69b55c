package dev.millrace.stack.udp;

import dev.millrace.stack.wire.IpAddress;

/**
 * Whom a socket is connected to. Immutable.
 *
 * @param local the own address towards it
 * @param remote its address
 * @param port its port
 */
public record UdpPeer(IpAddress local, IpAddress remote, int port) {
    boolean is(long high, long low, int remotePort) {
        return port == remotePort && remote.low() == low && remote.high() == high;
    }
}
