package dev.millrace.stack.udp;

/** Where a socket asks a core for attention; the core's command queue. Any thread. */
@FunctionalInterface
public interface UdpDoor {
    /** The core shall call {@link Udp#attend} in its next turn. */
    void submit(UdpSocket socket);
}
