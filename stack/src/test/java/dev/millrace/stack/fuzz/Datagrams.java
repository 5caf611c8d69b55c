package dev.millrace.stack.fuzz;

import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.udp.UdpObserver;
import dev.millrace.stack.udp.UdpOptions;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;

/** A datagram socket of a fuzzed stack, for both families, and the peer's side of it. */
final class Datagrams {
    static final int PORT = 53;
    private static final int PEER_PORT = 5353;
    private static final int BUFFER = 65_536;

    private final FuzzedStack host;
    private final boolean v6;
    private final IpAddress peer;
    private final UdpSocket socket;
    private final UdpOptions options = new UdpOptions();
    private final DatagramHeader from = new DatagramHeader();
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);

    Datagrams(FuzzedStack host, boolean v6) {
        this.host = host;
        this.v6 = v6;
        this.peer = IpAddress.of(v6 ? Wire.PEER6 : Wire.PEER4);
        try {
            this.socket = host.stack.bindDatagram(IpAddress.ANY6, PORT, options, UdpObserver.NONE);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
    }

    void applicationCalls(int which, int count) {
        switch (which % 8) {
            case 0 -> {
                var call = host.stack.connect(socket, peer, PEER_PORT);
                call.core().submit(call);
            }
            case 1 -> socket.connect(null);
            case 2 -> options.dontFragment = !options.dontFragment;
            case 3 -> socket.takeError();
            case 4 -> receive(count);
            default -> socket.send(buffer, 0, Math.min(count, BUFFER - 1), peer, PEER_PORT);
        }
        host.turn();
    }

    private void receive(int count) {
        int length = socket.receive(buffer, 0, Math.min(count, BUFFER), from);
        Wire.check(length <= count && (length < 0 || length <= from.length), "received more than was asked for");
    }

    /** @param oddity bit 0: a length field that lies; bit 1: no checksum */
    void peerSends(int oddity, byte[] payload) {
        ByteBuffer datagram = ByteBuffer.allocate(8 + payload.length);
        datagram.putShort((short) PEER_PORT).putShort((short) PORT);
        datagram.putShort((short) (8 + payload.length - (oddity & 1))).putShort((short) 0);
        datagram.put(payload);
        byte[] bytes = (oddity & 2) != 0 ? datagram.array() : Wire.checksummed(v6, Wire.UDP, datagram.array(), 6);
        host.receives(Wire.ip(v6, Wire.UDP, bytes));
    }

    void end() {
        socket.close();
        host.turn();
    }
}
