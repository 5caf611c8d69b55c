package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The OPEN call in its active form (RFC 9293 §3.10.1): choice of address and port, then the SYN. One per core; core thread only. */
final class ActiveOpen {
    private final Tcp tcp;
    private final EphemeralPorts ephemeralPorts;
    private final FreeTuple freeTuple = new FreeTuple();

    ActiveOpen(Tcp tcp) {
        this.tcp = tcp;
        this.ephemeralPorts = new EphemeralPorts(tcp.ports, tcp.random);
    }

    TcpConnection connect(
            @Nullable LocalBinding binding,
            IpAddress remote,
            int remotePort,
            TcpOptions options,
            TcpObserver observer,
            PortChooser chooser,
            @Nullable ByteBuffer text,
            long nowNs)
            throws TcpException {
        if (tcp.isFull()) {
            throw new TcpException(TcpError.NO_BUFFERS);
        }
        IpAddress local =
                binding == null || binding.address().isAny() ? tcp.output.sourceFor(remote) : binding.address();
        Path path = local == null ? null : tcp.output.path(local, remote);
        if (path == null) {
            throw new TcpException(TcpError.NETWORK_UNREACHABLE);
        }
        int localPort = binding != null ? binding.port() : choosePort(path, remotePort, chooser, nowNs);
        if (localPort == 0) {
            throw new TcpException(TcpError.ADDRESS_NOT_AVAILABLE);
        }
        return open(path, localPort, remotePort, options, observer, binding, text, nowNs);
    }

    /** Accepts the local ports with which the tuple is free, or left in a TIME-WAIT that may be reused. One instance, refilled. */
    private final class FreeTuple implements PortChooser {
        private @Nullable Path path;
        private PortChooser chooser = PortChooser.ANY;
        private int remotePort;
        private long nowNs;

        @Override
        public boolean accepts(int localPort) {
            Path to = path;
            if (to == null || !chooser.accepts(localPort)) {
                return false;
            }
            Flow there = find(to, localPort, remotePort);
            return there == null || there instanceof TimeWait old && old.mayReuse(false, nowNs);
        }
    }

    private int choosePort(Path path, int remotePort, PortChooser chooser, long nowNs) {
        freeTuple.path = path;
        freeTuple.chooser = chooser;
        freeTuple.remotePort = remotePort;
        freeTuple.nowNs = nowNs;
        return ephemeralPorts.choose(
                path.local.high(), path.local.low(), path.remote.high(), path.remote.low(), remotePort, freeTuple);
    }

    private @Nullable Flow find(Path path, int localPort, int remotePort) {
        return tcp.flows.lookup(
                path.local.high(), path.local.low(), localPort, path.remote.high(), path.remote.low(), remotePort);
    }

    private TcpConnection open(
            Path path,
            int localPort,
            int remotePort,
            TcpOptions options,
            TcpObserver observer,
            @Nullable LocalBinding binding,
            @Nullable ByteBuffer text,
            long nowNs)
            throws TcpException {
        int iss = tcp.isns.initialSequence(
                path.local.high(),
                path.local.low(),
                localPort,
                path.remote.high(),
                path.remote.low(),
                remotePort,
                nowNs);
        Flow there = find(path, localPort, remotePort);
        if (there instanceof TimeWait old && old.mayReuse(binding != null, nowNs)) {
            iss = old.nextInitialSequence(iss);
            tcp.timeWaits.remove(old);
            tcp.counters.increment(Counter.TCP_TIME_WAIT_REUSED);
        } else if (there != null) {
            throw new TcpException(TcpError.ADDRESS_IN_USE);
        }
        if (binding != null) {
            tcp.ports.takeOver(binding);
        }
        TcpConnection connection = new TcpConnection(tcp, path, localPort, remotePort, options, observer, binding);
        connection.tally.opened = true;
        connection.sender.iss = iss;
        connection.sender.nxt = 0;
        connection.receiver.timestamps.offset =
                tcp.isns.timestampOffset(path.local.high(), path.local.low(), path.remote.high(), path.remote.low());
        connection.ecn.ask(tcp.config);
        connection.moveTo(TcpState.SYN_SENT);
        boolean inserted = tcp.flows.insert(connection);
        if (!inserted) {
            throw new TcpException(TcpError.NO_BUFFERS);
        }
        tcp.liveConnections++;
        tcp.counters.increment(Counter.TCP_ACTIVE_OPENS);
        connection.synSentNs = nowNs;
        if (text != null) {
            takeText(connection, text);
        } else if (tcp.fastOpen.defersConnects(options)) {
            connection.fastOpen.wanted = true;
            if (tcp.fastOpen.mayCarryData(connection.path.remote, options, nowNs)) {
                connection.fastOpen.deferSyn(nowNs);
                return connection;
            }
        }
        connection.sendSyn(nowNs);
        return connection;
    }

    private void takeText(TcpConnection connection, ByteBuffer text) {
        int taken = connection.sender.buffer.write(text, text.position(), text.remaining());
        text.position(text.position() + taken);
        connection.fastOpen.wanted = tcp.config.handshake().fastOpen().client();
    }
}
