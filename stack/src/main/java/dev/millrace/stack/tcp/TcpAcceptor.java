package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import org.jspecify.annotations.Nullable;

/**
 * The application's door to a listener, across all shards. Any thread; one accepting thread at a time.
 * Established connections wait in it, at most {@code backlog} of them.
 */
public interface TcpAcceptor {
    /** The next established connection, or null when there is none now. */
    @Nullable
    TcpSocket accept();

    boolean hasPending();

    /** Stops listening on every shard; connections not yet accepted are reset. Idempotent. */
    void close();

    /** Changes the backlog as a second {@code listen(2)} does. */
    void backlog(int backlog);

    /** Options that accepted connections inherit. */
    TcpOptions options();

    void observer(TcpObserver observer);

    IpAddress localAddress();

    int localPort();
}
