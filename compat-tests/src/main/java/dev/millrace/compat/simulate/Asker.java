package dev.millrace.compat.simulate;

import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.udp.UdpOptions;
import dev.millrace.stack.udp.UdpSocket;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;

/** The client's side of an {@link Inquiry}. */
final class Asker extends Application {
    /** After which a question is repeated. */
    private static final long PATIENCE_NS = 1_000_000_000L;

    /** What every path takes whole. */
    private static final int SMALL_BYTES = 500;

    private static final long LOOK_AGAIN_NS = 10_000_000L;

    private final Inquiry inquiry;
    private final IpAddress remote;
    private final UdpSocket socket;
    private final DatagramHeader from = new DatagramHeader();
    private final ByteBuffer scratch;
    private int questionBytes;
    private int index;
    private long askFromNs;

    Asker(Host host, Inquiry inquiry, IpAddress remote) throws TcpException {
        super(host);
        this.inquiry = inquiry;
        this.remote = remote;
        this.questionBytes = inquiry.questionBytes();
        this.scratch = host.world.scratch;
        UdpOptions options = new UdpOptions();
        options.dontFragment = inquiry.whole();
        this.socket = host.bindDatagram(
                inquiry.v4() ? IpAddress.ANY4 : IpAddress.ANY6, 0, options, () -> host.makeReady(this));
        if (inquiry.connected()) {
            host.connect(socket, remote, inquiry.port());
        }
        host.world.conversations.onAsker(inquiry, this);
        host.makeReady(this);
    }

    @Override
    void run(long nowNs) {
        sleep();
        if (over) {
            return;
        }
        socket.takeError(); // nobody has the port while that host restarts; the question is repeated anyway
        listen();
        if (over) {
            return;
        }
        if (nowNs >= askFromNs) {
            ask(nowNs);
        } else {
            wakeAt(askFromNs);
        }
    }

    private void listen() {
        for (int length = receive(); length != UdpSocket.NOTHING && !over; length = receive()) {
            if (length < Inquiry.HEADER_BYTES || scratch.getInt(0) != inquiry.number()) {
                host.world.fail(this + " was given " + length + " bytes that are no answer to it");
            }
            int answered = scratch.getInt(4);
            if (!inquiry.isWhole(scratch, false, answered, length) || length != inquiry.answerBytes()) {
                host.world.fail(this + " was given other bytes than were sent");
            }
            if (answered == index) {
                host.world.tally.answers++;
                index++;
                askFromNs = Long.MIN_VALUE;
                if (index == inquiry.questions()) {
                    end();
                }
            }
        }
    }

    private int receive() {
        return socket.receive(scratch, 0, scratch.capacity(), from);
    }

    private void ask(long nowNs) {
        inquiry.write(scratch, true, index, questionBytes);
        int sent = socket.send(scratch, 0, questionBytes, remote, inquiry.port());
        if (sent == UdpSocket.TOO_LONG) {
            if (!inquiry.whole() || questionBytes == Inquiry.HEADER_BYTES) {
                host.world.fail(this + " cannot send " + questionBytes + " bytes");
            }
            questionBytes = Math.max(Inquiry.HEADER_BYTES, questionBytes / 2);
            wakeAt(nowNs + LOOK_AGAIN_NS);
        } else if (sent == UdpSocket.FULL) {
            wakeAt(nowNs + LOOK_AGAIN_NS);
        } else {
            host.world.tally.questions++;
            askFromNs = nowNs + PATIENCE_NS;
            wakeAt(askFromNs);
            if (inquiry.whole() && !inquiry.connected() && questionBytes > SMALL_BYTES) {
                questionBytes /= 2; // whoever is not connected hears of no limit: the next time it asks less
            }
        }
    }

    private void end() {
        over = true;
        socket.close();
    }

    @Override
    void giveUp(boolean hostLives) {
        if (!over) {
            over = true;
            if (hostLives) {
                socket.close();
            }
        }
    }

    @Override
    public String toString() {
        return "asker of " + inquiry + " on host " + host.index + " (at question " + index + " of " + questionBytes
                + " bytes)";
    }
}
