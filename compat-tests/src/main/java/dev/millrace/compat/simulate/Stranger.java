package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpSocket;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A connection that was accepted and has not said yet which {@link Talk} it is. Once it has, a {@link Party} takes over; one that says
 * nonsense is an attacker's, is read and forgotten, and closed when the world's faults have stopped.
 */
final class Stranger {
    private final Host host;
    private final TcpSocket socket;
    private final ByteBuffer bytes;
    private long header;
    private int heard;
    private boolean lost;
    boolean ready;
    private boolean over;

    Stranger(Host host, TcpSocket socket) {
        this.host = host;
        this.socket = socket;
        this.bytes = host.world.scratch;
        socket.observer((TcpObserver) () -> host.makeReady(this));
        host.makeReady(this);
    }

    /** The party that takes over now, or null. */
    @Nullable
    Party run() {
        while (!over) {
            int count = socket.read(bytes, 0, lost ? bytes.capacity() : Talk.HEADER_BYTES - heard);
            if (count == 0) {
                return null;
            }
            if (count < 0) {
                giveUp();
                return null;
            }
            if (lost) {
                continue;
            }
            for (int i = 0; i < count; i++) {
                header |= (bytes.get(i) & 0xffL) << 8 * heard++;
            }
            if (heard == Talk.HEADER_BYTES) {
                Talk talk = host.world.talk(Talk.numberIn(header), host);
                if (talk != null) {
                    over = true;
                    return new Party(host, talk, false, socket, heard);
                }
                host.world.tally.strangers++;
                lost = true;
            }
        }
        return null;
    }

    void giveUp() {
        if (!over) {
            over = true;
            socket.abort();
        }
    }
}
