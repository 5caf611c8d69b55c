package dev.millrace.stack.core;

import dev.millrace.stack.port.LoopPort;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.Sleeper;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.PortTable;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpListener;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.udp.UdpDoor;
import dev.millrace.stack.udp.UdpObserver;
import dev.millrace.stack.udp.UdpOptions;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.udp.UdpTable;
import dev.millrace.stack.wire.IpAddress;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** All shards of one network stack, and the calls an application makes on it. Any thread. */
public final class Stack implements AutoCloseable {
    private static final int LOOPBACK_PACKETS = 1024;

    private final StackConfig config;
    private final StackCore[] cores;
    private final PortTable ports;
    private final UdpTable datagramPorts;
    private final UdpDoor[] doors;
    private final Port loopback;
    private final boolean ownsLoopback;
    private final AtomicInteger nextShard = new AtomicInteger();

    /**
     * @param link where frames come from, with a queue pair per shard; a loopback link (hardware address 0) serves as the stack's own
     *     loopback, too; with any other the stack makes one of its own
     * @param random source of every secret and port choice; seeded in simulations
     */
    public Stack(StackConfig config, Port link, RandomGenerator random) {
        this.config = config;
        this.cores = new StackCore[link.queues()];
        this.ports = new PortTable(random);
        this.datagramPorts = new UdpTable(random);
        this.doors = new UdpDoor[cores.length];
        this.ownsLoopback = link.mac() != 0;
        this.loopback = ownsLoopback
                ? new LoopPort("lo", cores.length, LoopPort.DEFAULT_MTU, LOOPBACK_PACKETS, CoreSleeper::new)
                : link;
        for (int shard = 0; shard < cores.length; shard++) {
            cores[shard] = new StackCore(shard, config, link, loopback, ports, datagramPorts, random);
            doors[shard] = cores[shard]::submit;
        }
    }

    /** The loopback's way to a core that sleeps in its link; cores never sleep in their loopback. */
    private final class CoreSleeper implements Sleeper {
        private final int shard;

        CoreSleeper(int shard) {
            this.shard = shard;
        }

        @Override
        public void await(long timeoutNs) {
            throw new IllegalStateException("a core sleeps in its link");
        }

        @Override
        public void wake() {
            cores[shard].wakeIfAsleep();
        }
    }

    /** Shards, one core each. */
    public int shards() {
        return cores.length;
    }

    public StackCore core(int shard) {
        return cores[shard];
    }

    public StackConfig config() {
        return config;
    }

    /** Whether this is an own address: loopback, or configured. */
    public boolean owns(IpAddress address) {
        return address.isLoopback() || config.isConfigured(address);
    }

    /** Whether there is a route to this address other than through loopback. */
    public boolean routes(IpAddress destination) {
        if (destination.isLoopback() || destination.isAny()) {
            return false;
        }
        for (StackConfig.Interface own : config.addresses()) {
            if (own.contains(destination)) {
                return true;
            }
        }
        return config.gateway(destination.isV4()) != null;
    }

    /** Whether a socket of this stack listens for connections to that address and port. */
    public boolean listensOn(IpAddress address, int port) {
        return ports.listensOn(address, port);
    }

    /**
     * Reserves a local endpoint. Port 0 chooses an ephemeral one.
     *
     * @throws TcpException ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE
     */
    public LocalBinding bind(IpAddress local, int port, TcpOptions options) throws TcpException {
        if (!local.isAny() && !owns(local)) {
            throw new TcpException(TcpError.ADDRESS_NOT_AVAILABLE);
        }
        return ports.bind(local, port, options);
    }

    /**
     * Listens on every shard at once. The binding is taken over: closing the acceptor frees it.
     *
     * @throws TcpException ADDRESS_IN_USE when another listener has the same endpoint
     */
    public TcpAcceptor listen(LocalBinding binding, int backlog, TcpOptions options, TcpObserver observer)
            throws TcpException {
        return TcpListener.open(ports, binding, backlog, options, observer, cores.length);
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
        StackCore first = cores[Math.floorMod(nextShard.getAndIncrement(), cores.length)];
        return new ConnectCall(first, cores, binding, remote, remotePort, options, observer);
    }

    /**
     * Prepares to read a connection's figures. {@code call.core().submit(call)} starts it.
     *
     * @param socket a connection of this stack
     */
    public MetricsCall metrics(TcpSocket socket) {
        return new MetricsCall(cores[socket.shard()], socket);
    }

    /**
     * Binds a datagram socket.
     *
     * @param local an own address, or an any-address; {@link IpAddress#ANY6} stands for both families
     * @param port 0 for an ephemeral one
     * @throws TcpException ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE
     */
    public UdpSocket bindDatagram(IpAddress local, int port, UdpOptions options, UdpObserver observer)
            throws TcpException {
        if (!local.isAny() && !owns(local)) {
            throw new TcpException(TcpError.ADDRESS_NOT_AVAILABLE);
        }
        int home = Math.floorMod(nextShard.getAndIncrement(), cores.length);
        return UdpSocket.bind(datagramPorts, doors, home, cores[home].chunks(), local, port, options, observer);
    }

    /** Whether a socket of this stack would get a datagram from {@code remote} to {@code local}. Allocates nothing. */
    public boolean receivesDatagram(IpAddress local, int port, IpAddress remote, int remotePort) {
        return datagramPorts.hasReceiver(local, port, remote, remotePort);
    }

    /**
     * Prepares to connect a datagram socket. {@code call.core().submit(call)} starts it; once done without error the socket receives from
     * that peer alone.
     */
    public UdpConnectCall connect(UdpSocket socket, IpAddress remote, int remotePort) {
        return new UdpConnectCall(cores[socket.home()], socket, remote, remotePort);
    }

    /** Aborts every connection and gives all memory back; the link is the caller's to close. No core may be turning. */
    @Override
    public void close() {
        for (StackCore core : cores) {
            core.close();
        }
        if (ownsLoopback) {
            loopback.close();
        }
    }
}
