package dev.millrace.stack.tcp;

/**
 * Told when an endpoint may have become ready. Called on the core's thread, many times per turn: must be quick, must not throw,
 * must not call back into the core. {@code endpoint.readiness()} says what is true now.
 */
@FunctionalInterface
public interface TcpObserver {
    TcpObserver NONE = () -> {};

    void onReadiness();
}
