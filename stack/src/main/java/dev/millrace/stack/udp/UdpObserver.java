package dev.millrace.stack.udp;

/**
 * Told when a socket may have become ready. Called on the threads of all cores, at the same time even: must be quick, must not throw,
 * must not call back into a core. {@link UdpSocket#readiness} says what is true now.
 */
@FunctionalInterface
public interface UdpObserver {
    UdpObserver NONE = () -> {};

    void onReadiness();
}
