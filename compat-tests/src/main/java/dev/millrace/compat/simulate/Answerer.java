package dev.millrace.compat.simulate;

import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.udp.UdpOptions;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;

/** Answers every question that comes by datagram, in both families. What it cannot send is asked for again. */
final class Answerer extends Application {
    private final UdpSocket socket;
    private final DatagramHeader from = new DatagramHeader();
    private final ByteBuffer scratch;

    Answerer(Host host) throws TcpException {
        super(host);
        this.scratch = host.world.scratch;
        this.socket = host.bindDatagram(IpAddress.ANY6, Inquiry.PORT, new UdpOptions(), () -> host.makeReady(this));
    }

    @Override
    void run(long nowNs) {
        while (!over) {
            int length = socket.receive(scratch, 0, scratch.capacity(), from);
            if (length == UdpSocket.NOTHING) {
                return;
            }
            Inquiry inquiry =
                    length < Inquiry.HEADER_BYTES ? null : host.world.conversations.inquiry(scratch.getInt(0));
            int index = scratch.getInt(4);
            if (inquiry == null
                    || inquiry.serverHost() != host.index
                    || !inquiry.isWhole(scratch, true, index, length)) {
                host.world.fail("host " + host.index + " was given " + length + " bytes that nobody asked, " + inquiry);
                return;
            }
            inquiry.write(scratch, false, index, inquiry.answerBytes());
            IpAddress asker = new IpAddress(from.remoteHigh, from.remoteLow);
            socket.send(scratch, 0, inquiry.answerBytes(), asker, from.remotePort);
        }
    }

    @Override
    void giveUp(boolean hostLives) {
        over = true;
        if (hostLives) {
            socket.close();
        }
    }
}
