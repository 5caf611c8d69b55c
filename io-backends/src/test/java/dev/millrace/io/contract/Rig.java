package dev.millrace.io.contract;

import dev.millrace.stack.port.Port;

/**
 * A link as the contract suite sees it.
 *
 * @param port the port under test
 * @param peer its other end
 * @param leadsBack the peer is the port's own queue
 * @param packets packets of each of its pools
 * @param whenClosed frees the other end
 */
public record Rig(Port port, Peer peer, boolean leadsBack, int packets, Runnable whenClosed) implements AutoCloseable {
    @Override
    public void close() {
        port.close();
        whenClosed.run();
    }
}
