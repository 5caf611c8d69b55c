package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;

/** A reserved local address and port, as {@code bind(2)} makes it. Any thread. */
public interface LocalBinding extends AutoCloseable {
    /** May be the any-address of either family; {@link IpAddress#ANY6} stands for both families (dual stack). */
    IpAddress address();

    /** Never 0. */
    int port();

    /** Gives the reservation up, unless a listener or connection has taken it over. Idempotent. */
    @Override
    void close();
}
