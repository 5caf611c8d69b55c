package dev.millrace.stack.core;

import dev.millrace.stack.tcp.TcpConnection;
import dev.millrace.stack.tcp.TcpMetrics;

/** Reads a connection's figures, all at one moment, on the core that writes them. Answers for connections that are over as well. */
public final class MetricsCall extends CoreCall<TcpMetrics> {
    private final StackCore core;
    private final TcpConnection connection;

    MetricsCall(StackCore core, TcpConnection connection) {
        this.core = core;
        this.connection = connection;
    }

    /** Where to submit it. */
    public StackCore core() {
        return core;
    }

    @Override
    public void execute(long nowNs) {
        succeed(TcpMetrics.of(connection, nowNs));
    }
}
