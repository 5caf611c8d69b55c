package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Closing: RFC 9293 §3.6, §3.10.4; RFC 1122 §4.2.2.13; half-close; limits on states that must not last. */
class CloseTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    private void applicationCloses() {
        t.socket().close();
        t.turn();
    }

    private boolean is(int bit) {
        return (t.socket().readiness() & bit) != 0;
    }

    @Rule("RFC 9293 MUST-13")
    @Test
    void weCloseFirst() {
        t.acceptConnection();
        applicationCloses();
        t.stackSends("F.", 1, 1, 0);
        assertEquals(TcpState.FIN_WAIT_1, t.state());
        t.peerSends(".", 1, 2, 0);
        assertEquals(TcpState.FIN_WAIT_2, t.state());
        assertTrue(is(TcpSocket.DRAINED));
        t.peerSends("F.", 1, 2, 0);
        t.stackSends(".", 2, 2, 0);
        assertTrue(is(TcpSocket.GONE));
        assertEquals(1, t.host.tcp.timeWaits.size());
        t.after(ms(60_001));
        assertEquals(0, t.host.tcp.timeWaits.size());
        assertEquals(0, t.host.tcp.flows.size());
        assertEquals(0, t.host.tcp.liveConnections);
    }

    @Rule("RFC 9293 MUST-12")
    @Test
    void thePeerClosesFirst() {
        t.acceptConnection();
        t.peerSends("F.", 1, 1, 0);
        assertEquals(TcpState.CLOSE_WAIT, t.state());
        assertEquals(TcpSocket.END, t.read());
        assertEquals(TcpSocket.END, t.read());
        applicationCloses();
        t.stackSends("F.", 1, 2, 0); // and no ACK before it
        assertEquals(TcpState.LAST_ACK, t.state());
        t.peerSends(".", 2, 2, 0);
        assertTrue(is(TcpSocket.GONE));
        assertEquals(0, t.host.tcp.flows.size());
    }

    @Test
    void acknowledgesAFinThatNobodyAnswers() {
        t.acceptConnection();
        t.peerSends("F.", 1, 1, 0);
        t.after(ms(41));
        t.stackSends(".", 1, 2, 0);
    }

    @Rule("tcp.md: TCP core")
    @Test
    void closesSimultaneously() {
        t.acceptConnection();
        applicationCloses();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends("F.", 1, 1, 0);
        assertEquals(TcpState.CLOSING, t.state());
        t.after(ms(41));
        t.stackSends(".", 2, 2, 0);
        t.peerSends(".", 2, 2, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
    }

    @Rule("tcp.md: TCP core")
    @Test
    void closedWhileSynsCrossTheFinFollowsTheHandshake() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        applicationCloses();
        assertEquals(TcpState.SYN_RECEIVED, t.state());
        assertEquals(1, t.host.tcp.lifecycle.orphans());
        t.peerSends("S.", 0, 1, 0);
        t.stackSends("F.", 1, 1, 0);
        t.peerSends("F.", 1, 2, 0);
        t.stackSends(".", 2, 2, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
        assertEquals(0, t.host.tcp.lifecycle.orphans());
    }

    @Test
    void closedWhileSynsCrossAPeerThatFallsSilentIsGivenUp() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("S", 0, 0, 0);
        applicationCloses();
        for (int i = 0; i < 100 && t.host.tcp.liveConnections > 0; i++) {
            t.after(ms(10_000));
        }
        assertEquals(0, t.host.tcp.liveConnections);
        assertEquals(0, t.host.tcp.lifecycle.orphans());
    }

    @Test
    void aFinAndItsAckTogetherEndFinWait1() {
        t.acceptConnection();
        applicationCloses();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends("F.", 1, 2, 0);
        t.stackSends(".", 2, 2, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
    }

    @Test
    void theFinRidesOnTheLastData() {
        t.acceptConnection();
        ByteBuffer bytes = ByteBuffer.wrap(Trace.pattern(1, 100));
        t.socket().write(bytes, 0, 100);
        t.socket().close();
        t.turn();
        t.stackSends("F.", 1, 1, 100);
    }

    @Test
    void dataBeforeTheFinIsReadFirst() {
        t.acceptConnection();
        t.peerSends("FP.", 1, 1, 100);
        t.reads(1, 100);
        assertEquals(TcpSocket.END, t.read());
    }

    @Test
    void aFinBeyondAGapWaits() {
        t.acceptConnection();
        t.peerSends("FP.", 101, 1, 100);
        assertEquals(TcpState.ESTABLISHED, t.state());
        t.stackSends(".", 1, 1, 0);
        t.peerSends(".", 1, 1, 100);
        assertEquals(TcpState.CLOSE_WAIT, t.state());
        t.stackSends(".", 1, 202, 0);
        t.reads(1, 200);
        assertEquals(TcpSocket.END, t.read());
    }

    @Rule("tcp.md: TCP core")
    @Test
    void receivesAfterHalfClose() {
        t.acceptConnection();
        t.socket().shutdownOutput();
        t.turn();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends(".", 1, 2, 0);
        t.after(ms(300_000)); // no limit while the application still reads
        t.peerSends("P.", 1, 2, 100);
        t.reads(1, 100);
        assertEquals(TcpSocket.ERROR, t.socket().write(ByteBuffer.allocate(1), 0, 1));
        t.peerSends("F.", 101, 2, 0);
        assertEquals(TcpSocket.END, t.read());
    }

    @Test
    void sendsAfterThePeersHalfClose() {
        t.acceptConnection();
        t.peerSends("F.", 1, 1, 0);
        t.write(1, 100);
        t.stackSends(".", 1, 2, 100);
    }

    @Test
    void bytesReceivedBeforeTheEndStayReadableAfterIt() {
        t.acceptConnection();
        t.socket().shutdownOutput();
        t.turn();
        t.peerSends("FP.", 1, 2, 100);
        assertTrue(is(TcpSocket.GONE));
        t.reads(1, 100);
        assertEquals(TcpSocket.END, t.read());
        applicationCloses();
        assertEquals(0, t.host.chunks.chunksInUse());
    }

    @Rule("RFC 9293 MAY-1")
    @Rule("RFC 9293 SHLD-3")
    @Rule("tcp.md: Lifetime")
    @Test
    void closingWithUnreadBytesResets() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        applicationCloses();
        t.stackSends("R.", 1, 101, 0);
        assertTrue(is(TcpSocket.GONE));
        assertEquals(1, t.count(Counter.TCP_ABORT_ON_CLOSE));
        assertEquals(0, t.host.chunks.chunksInUse());
    }

    @Rule("RFC 9293 MAY-1")
    @Rule("RFC 9293 SHLD-3")
    @Test
    void dataAfterCloseResets() {
        t.acceptConnection();
        applicationCloses();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends("P.", 1, 2, 100);
        t.stackSends("R", 2, 0, 0);
        assertTrue(is(TcpSocket.GONE));
        assertEquals(1, t.count(Counter.TCP_ABORT_ON_DATA));
    }

    @Test
    void abortResetsAtOnceAndForgetsWhatWasWritten() {
        t.acceptConnection();
        t.write(1, 100);
        t.ignoreSent();
        t.socket().abort();
        t.turn();
        t.stackSends("R.", 101, 1, 0);
        assertTrue(is(TcpSocket.GONE));
        assertEquals(0, t.host.chunks.chunksInUse());
    }

    @Test
    void closingInSynSentForgetsSilently() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        applicationCloses();
        t.stackSendsNothing();
        assertEquals(0, t.host.tcp.flows.size());
    }

    @Rule("tcp.md: Lifetime")
    @Rule("tcp.md: Lifetime")
    @Test
    void connectionsThatOnlyThePeersKeepAliveAreBounded() {
        t.host.tcp.lifecycle.maxOrphans = 2;
        for (int i = 0; i < 2; i++) {
            t.acceptConnection();
            t.write(1, 100);
            t.stackSends(".", 1, 1, 100);
            t.socket().close();
            t.turn();
            t.stackSends("F.", 101, 1, 0);
            t.listenerOrFail().close();
            t.peerPort++;
        }
        assertEquals(2, t.host.tcp.lifecycle.orphans());
        t.acceptConnection();
        t.socket().close();
        t.turn();
        t.stackSends("R.", 1, 1, 0);
        assertEquals(1, t.count(Counter.TCP_ABORT_ON_MEMORY));
        t.peerPort--;
        t.after(ms(200_000)); // nobody answers the two
        t.ignoreSent();
        assertEquals(0, t.host.tcp.lifecycle.orphans());
        assertEquals(0, t.host.tcp.liveConnections);
    }

    @Test
    void finWait2IsBoundedOnceClosed() {
        t.acceptConnection();
        applicationCloses();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends(".", 1, 2, 0);
        t.after(ms(59_000));
        assertEquals(TcpState.FIN_WAIT_2, t.state());
        t.after(ms(2000));
        assertTrue(is(TcpSocket.GONE));
        assertEquals(0, t.host.tcp.flows.size());
    }

    @Test
    void finWait2IsBoundedWhenClosedAfterHalfClose() {
        t.acceptConnection();
        t.socket().shutdownOutput();
        t.turn();
        t.peerSends(".", 1, 2, 0);
        applicationCloses();
        t.after(ms(61_000));
        assertTrue(is(TcpSocket.GONE));
    }

    @Rule("tcp.md: Lifetime")
    @Test
    void lastAckIsBounded() {
        t.acceptConnection();
        t.peerSends("F.", 1, 1, 0);
        applicationCloses();
        t.after(ms(600_000));
        assertTrue(is(TcpSocket.GONE));
        assertEquals(0, t.host.tcp.flows.size());
    }

    @Test
    void closedInputDiscardsAndAcknowledges() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        t.socket().shutdownInput();
        t.turn();
        assertEquals(TcpSocket.END, t.read());
        for (int i = 0; i < 300; i++) {
            t.peerSends("P.", 101 + i * 1460, 1, 1460);
        }
        t.ignoreSent();
        t.after(ms(41));
        assertEquals(TcpState.ESTABLISHED, t.state());
        assertEquals(0, t.host.chunks.chunksInUse());
        t.write(1, 10);
        assertTrue(t.stackSends(".", 1, 101 + 300 * 1460, 10).window > 0);
    }

    @Rule("RFC 9293 MUST-12")
    @Test
    void aResetIsToldAfterTheBytesBeforeIt() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 100);
        t.peerSends("R.", 101, 1, 0);
        t.reads(1, 100);
        assertEquals(TcpSocket.ERROR, t.read());
        assertEquals(TcpSocket.ERROR, t.socket().write(ByteBuffer.allocate(1), 0, 1));
        assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
    }

    @Rule("tcp.md: Lifetime")
    @Test
    void drainedOnceEverythingIsAcknowledged() {
        t.acceptConnection();
        assertTrue(is(TcpSocket.DRAINED));
        t.write(1, 100);
        t.socket().shutdownOutput();
        t.turn();
        assertEquals(false, is(TcpSocket.DRAINED));
        t.peerSends(".", 1, 101, 0);
        assertEquals(false, is(TcpSocket.DRAINED), "the FIN is not acknowledged");
        t.peerSends(".", 1, 102, 0);
        assertTrue(is(TcpSocket.DRAINED));
    }

    /** Linux' tcp_reset: what was sent last was not acknowledged, so it is no orderly end; the peer's stream is complete all the same. */
    @Rule("tcp.md: Lifetime")
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aResetBeforeOurFinIsAcknowledgedEndsTheWaitForThat(boolean peerFirst) {
        t.acceptConnection();
        if (peerFirst) {
            t.peerSends("F.", 1, 1, 0);
        }
        t.socket().shutdownOutput();
        t.turn();
        if (!peerFirst) {
            t.peerSends("F.", 1, 1, 0); // crosses ours
        }
        assertEquals(peerFirst ? TcpState.LAST_ACK : TcpState.CLOSING, t.state());
        t.peerSends("R", 2, 0, 0);
        assertEquals(TcpState.CLOSED, t.state());
        assertTrue(is(TcpSocket.FAILED));
        assertEquals(false, is(TcpSocket.DRAINED));
        assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
        assertEquals(TcpSocket.END, t.read());
    }

    @Test
    void closingAllResetsEverything() {
        t.acceptConnection();
        t.host.tcp.closeAll(t.nowNs);
        t.stackSends("R.", 1, 1, 0);
        assertEquals(0, t.host.tcp.flows.size());
        assertTrue(is(TcpSocket.GONE));
    }
}
