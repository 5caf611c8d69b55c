package dev.millrace.stack.tcp;

/** Where a connection asks for its core's attention; the core's command queue. Any thread. */
@FunctionalInterface
public interface AttentionSink {
    /** The core shall call {@link Tcp#attend} in its next turn. A connection is submitted once until then. */
    void submit(TcpConnection connection);
}
