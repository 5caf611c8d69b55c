package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpSocket;
import java.nio.ByteBuffer;

/**
 * A connection that was accepted and has not said yet which {@link Talk} it is. Once it has, a {@link Party} takes over; one that says
 * nonsense is an attacker's and is aborted, as is one that repeats a talk.
 */
final class Stranger extends Application {
    private final TcpSocket socket;
    private final ByteBuffer bytes;
    private long header;
    private int heard;

    Stranger(Host host, TcpSocket socket) {
        super(host);
        this.socket = socket;
        this.bytes = host.world.scratch;
        socket.observer((TcpObserver) () -> host.makeReady(this));
        host.makeReady(this);
    }

    @Override
    void run(long nowNs) {
        while (!over) {
            int count = socket.read(bytes, 0, Talk.HEADER_BYTES - heard);
            if (count == 0) {
                return;
            }
            if (count < 0) {
                giveUp(true);
                return;
            }
            for (int i = 0; i < count; i++) {
                header |= (bytes.get(i) & 0xffL) << 8 * heard++;
            }
            if (heard == Talk.HEADER_BYTES) {
                Talk talk = host.world.conversations.talk(Talk.numberIn(header), host);
                if (talk != null) {
                    over = true;
                    host.runs(new Party(host, talk, false, socket, 0, heard));
                    return;
                }
                host.world.tally.strangers++;
                giveUp(true); // also a request that came a second time, after its SYN (RFC 7413 §6.1)
                return;
            }
        }
    }

    @Override
    void giveUp(boolean hostLives) {
        if (!over) {
            over = true;
            if (hostLives) {
                socket.abort();
            }
        }
    }
}
