package dev.millrace.stack.core;

import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.udp.UdpPeer;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.wire.IpAddress;

/** Connects a datagram socket: routing, which belongs to its home core, chooses the local address unless it was bound to one. */
public final class UdpConnectCall extends CoreCall<UdpPeer> {
    private final StackCore core;
    private final UdpSocket socket;
    private final IpAddress remote;
    private final int remotePort;

    UdpConnectCall(StackCore core, UdpSocket socket, IpAddress remote, int remotePort) {
        this.core = core;
        this.socket = socket;
        this.remote = remote;
        this.remotePort = remotePort;
    }

    /** Where to submit it. */
    public StackCore core() {
        return core;
    }

    @Override
    public void execute(long nowNs) {
        IpAddress bound = socket.boundAddress();
        IpAddress local = core.sourceFor(remote);
        if (local == null || (!bound.isAny() && !core.reaches(bound, remote))) {
            fail(TcpError.NETWORK_UNREACHABLE);
            return;
        }
        UdpPeer peer = new UdpPeer(bound.isAny() ? local : bound, remote, remotePort);
        socket.connect(peer);
        succeed(peer);
    }
}
