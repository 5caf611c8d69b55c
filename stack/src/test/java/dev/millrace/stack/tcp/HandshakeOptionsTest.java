package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Socket options that the handshake goes by: TCP_MAXSEG and TCP_SYNCNT, as on Linux. */
@Rule("tcp.md: Handshake")
class HandshakeOptionsTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    @Test
    void aClientOffersTheSegmentSizeThatTheApplicationSetsAndSendsNoLargerOnes() {
        t.options.maxSegmentBytes = 1100;
        t.connect();
        assertEquals(1100, t.stackSends("S", 0, 0, 0).mss);
        t.peerPort = Trace.PEER_PORT;
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 0);
        t.write(1, 2000);
        t.stackSends(".", 1, 1, 1100);
        t.stackSends(".", 1101, 1, 900);
    }

    @Test
    void aListenersConnectionsHaveItsSegmentSize() {
        t.options.maxSegmentBytes = 1100;
        t.listener = t.host.listen(Trace.PORT, 16, t.options);
        t.peerSends("S", 0, 0, 0);
        assertEquals(1100, t.stackSends("S.", 0, 1, 0).mss);
        t.peerSends(".", 1, 1, 0);
        t.socket = t.listenerOrFail().accept();
        t.write(1, 2000);
        t.stackSends(".", 1, 1, 1100);
        t.stackSends(".", 1101, 1, 900);
    }

    @Test
    void theSmallerOfBothSidesSegmentSizesHolds() {
        t.options.maxSegmentBytes = 1100;
        t.peerMss = 600;
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerPort = Trace.PEER_PORT;
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 0);
        t.write(1, 600);
        t.stackSends(".", 1, 1, 600);
    }

    @Test
    void aSynIsRepeatedAsOftenAsTheApplicationSays() {
        t.options.synRetries = 1;
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.lastSentNs = t.nowNs;
        t.stackSendsAfter(ms(1000), "S", 0, 0, 0);
        t.after(ms(2000));
        t.stackSendsNothing();
        assertEquals(TcpState.CLOSED, t.state());
        assertEquals(TcpError.TIMED_OUT, t.socket().error());
    }
}
