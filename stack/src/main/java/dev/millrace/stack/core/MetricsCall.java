package dev.millrace.stack.core;

import dev.millrace.stack.tcp.TcpMetrics;
import dev.millrace.stack.tcp.TcpSocket;

/** Reads a connection's figures, all at one moment, on the core that writes them. Answers for connections that are over as well. */
public final class MetricsCall extends CoreCall<TcpMetrics> {
    private final StackCore core;
    private final TcpSocket socket;

    MetricsCall(StackCore core, TcpSocket socket) {
        this.core = core;
        this.socket = socket;
    }

    /** Where to submit it. */
    public StackCore core() {
        return core;
    }

    @Override
    public void execute(long nowNs) {
        succeed(TcpMetrics.of(socket, nowNs));
    }
}
