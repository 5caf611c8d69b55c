package dev.millrace.provider.routing;

import dev.millrace.stack.wire.IpAddress;

/** What routing asks about the network: the questions that {@code Stack} answers. Any thread. */
public interface Reach {
    /** Whether this is an own address of the stack: loopback, or one of the link's. */
    boolean owns(IpAddress address);

    /** Whether the stack has a way to this address through its link. */
    boolean routes(IpAddress destination);

    /** Whether a socket of the stack listens there. */
    boolean listensOn(IpAddress address, int port);

    /** Whether a socket of the stack would get a datagram from {@code remote} to {@code local}. Allocates nothing. */
    boolean receivesDatagram(IpAddress local, int port, IpAddress remote, int remotePort);
}
