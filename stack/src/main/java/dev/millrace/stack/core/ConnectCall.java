package dev.millrace.stack.core;

import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.PortChooser;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.wire.FlowSteering;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.ToeplitzHash;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An active open on its way to a core. The connection must live where the link delivers its replies: an ephemeral port is chosen so that
 * this is the first core's shard; with a port that the application has bound the call moves to the shard that the hash names.
 */
public final class ConnectCall extends CoreCall<TcpSocket> {
    private final StackCore first;
    private final StackCore[] cores;
    private final @Nullable LocalBinding binding;
    private final IpAddress remote;
    private final int remotePort;
    private final TcpOptions options;
    private final TcpObserver observer;
    private StackCore here;
    private @Nullable ByteBuffer text;
    private PortChooser wanted = PortChooser.ANY;

    ConnectCall(
            StackCore first,
            StackCore[] cores,
            @Nullable LocalBinding binding,
            IpAddress remote,
            int remotePort,
            TcpOptions options,
            TcpObserver observer) {
        this.first = first;
        this.here = first;
        this.cores = cores;
        this.binding = binding;
        this.remote = remote;
        this.remotePort = remotePort;
        this.options = options;
        this.observer = observer;
    }

    /** Where to submit it. */
    public StackCore core() {
        return first;
    }

    /**
     * Gives it the first bytes of the stream, as sendto(2) with MSG_FASTOPEN does: they leave with the SYN if the server has given us a cookie
     * before (RFC 7413), else after the handshake. Before submitting only.
     *
     * @param first taken from its position to its limit, as far as the send buffer takes it; its position says how far that is, once done
     */
    public void text(ByteBuffer first) {
        text = first;
    }

    /** Which ephemeral ports it may have, as IP_LOCAL_PORT_RANGE on Linux; without meaning for a port that is bound. Before submitting only. */
    public void ports(PortChooser range) {
        wanted = range;
    }

    @Override
    public void execute(long nowNs) {
        IpAddress local = binding != null && !binding.address().isAny() ? binding.address() : here.sourceFor(remote);
        if (local == null) {
            fail(TcpError.NETWORK_UNREACHABLE);
            return;
        }
        if (binding != null) {
            StackCore target = cores[shardOf(local, binding.port())];
            if (target != here) {
                here = target;
                target.submit(this);
                return;
            }
        }
        try {
            succeed(open(chooser(local), nowNs));
        } catch (TcpException refused) {
            fail(refused.error());
        }
    }

    private TcpSocket open(PortChooser chooser, long nowNs) throws TcpException {
        ByteBuffer first = text;
        return first == null
                ? here.tcp().connect(binding, remote, remotePort, options, observer, chooser, nowNs)
                : here.tcp().connect(binding, remote, remotePort, options, observer, chooser, first, nowNs);
    }

    private int shardOf(IpAddress local, int localPort) {
        int hash = local.isV4()
                ? ToeplitzHash.v4(remote.v4Bits(), local.v4Bits(), remotePort, localPort)
                : ToeplitzHash.v6(remote.high(), remote.low(), local.high(), local.low(), remotePort, localPort);
        return FlowSteering.shardOfHash(hash, cores.length);
    }

    private PortChooser chooser(IpAddress local) {
        if (cores.length == 1) {
            return wanted;
        }
        int shard = here.shard();
        PortChooser range = wanted;
        return localPort -> range.accepts(localPort) && shardOf(local, localPort) == shard;
    }
}
