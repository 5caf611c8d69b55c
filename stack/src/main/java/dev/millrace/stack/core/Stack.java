package dev.millrace.stack.core;

import dev.millrace.stack.port.Port;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** All shards of one network stack, and the calls an application makes on it. Any thread. */
public final class Stack implements AutoCloseable {

    /**
     * @param link where frames come from, with a queue pair per shard; the stack also has a loopback of its own
     * @param random source of every secret and port choice; seeded in simulations
     */
    public Stack(StackConfig config, Port link, RandomGenerator random) {
        throw new UnsupportedOperationException();
    }

    /** Shards, one core each. */
    public int shards() {
        throw new UnsupportedOperationException();
    }

    public StackCore core(int shard) {
        throw new UnsupportedOperationException();
    }

    /** Whether this is an own address (loopback, or configured). */
    public boolean owns(IpAddress address) {
        throw new UnsupportedOperationException();
    }

    /** Whether there is a route to this address other than through loopback. */
    public boolean routes(IpAddress destination) {
        throw new UnsupportedOperationException();
    }

    /** Whether a socket of this stack listens for connections to that address and port. */
    public boolean listensOn(IpAddress address, int port) {
        throw new UnsupportedOperationException();
    }

    /**
     * Reserves a local endpoint. Port 0 chooses an ephemeral one.
     *
     * @throws TcpException ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE
     */
    public LocalBinding bind(IpAddress local, int port, TcpOptions options) throws TcpException {
        throw new UnsupportedOperationException();
    }

    /**
     * Listens on every shard at once. The binding is taken over: closing the acceptor frees it.
     *
     * @throws TcpException ADDRESS_IN_USE when another listener has the same endpoint
     */
    public TcpAcceptor listen(LocalBinding binding, int backlog, TcpOptions options, TcpObserver observer)
            throws TcpException {
        throw new UnsupportedOperationException();
    }

    /**
     * Prepares an active open. {@code call.core().submit(call)} starts it; once done its result is a socket in SYN-SENT (or failed at
     * once), whose {@code readiness()} tells how the handshake ends.
     *
     * @param binding from {@link #bind}, taken over; or null for an ephemeral port on the address that routing chooses
     */
    public ConnectCall connect(
            @Nullable LocalBinding binding,
            IpAddress remote,
            int remotePort,
            TcpOptions options,
            TcpObserver observer) {
        throw new UnsupportedOperationException();
    }

    /** An active open on its way to a core. */
    public abstract static class ConnectCall extends CoreCall<TcpSocket> {
        /** Where to submit it. */
        public abstract StackCore core();
    }

    /** Aborts every connection and gives all memory back; the port is the caller's to close. No core may be turning. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
