package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;

/** Opens the stack's side of a {@link Trace} with data (RFC 7413 §4.1). */
final class FastOpenTrace {
    static final byte[] NO_COOKIE = {};
    static final byte[] COOKIE = {1, 2, 3, 4, 5, 6, 7, 8};

    private final Trace t;

    FastOpenTrace(Trace trace) {
        this.t = trace;
    }

    /** @return how much of it was taken */
    int connectWith(int length) {
        ByteBuffer text = ByteBuffer.wrap(Trace.pattern(1, length));
        try {
            t.socket = t.host.tcp.connect(
                    null, Trace.PEER, Trace.PEER_PORT, t.options, TcpObserver.NONE, PortChooser.ANY, text, t.nowNs);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
        t.peerPort = Trace.PEER_PORT;
        return text.position();
    }

    /** A first connection, which brings the cookie. */
    void learnCookie() {
        assertEquals(100, connectWith(100));
        assertArrayEquals(NO_COOKIE, t.stackSends("S", 0, 0, 0).fastOpen);
        t.peerSends("S.", 0, 1, 0, s -> s.fastOpen = COOKIE);
        t.stackSends(".", 1, 1, 100);
        end();
    }

    /** Another may follow. */
    void end() {
        t.socket().abort();
        t.turn();
        t.ignoreSent();
    }
}
