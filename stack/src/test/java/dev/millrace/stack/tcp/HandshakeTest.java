package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Opening a connection: RFC 9293 §3.5, §3.10.7.2 to §3.10.7.4; options of RFC 7323 and 2018. */
class HandshakeTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    @Test
    void acceptsAConnection() {
        TcpSocket connection = t.acceptConnection();
        t.stackSendsNothing();
        assertEquals(TcpState.ESTABLISHED, TcpHost.connectionOf(connection).state());
        assertTrue((connection.readiness() & TcpSocket.CONNECTED) != 0);
        assertEquals(Trace.PEER_PORT, connection.remotePort());
        assertEquals(1, t.count(Counter.TCP_PASSIVE_OPENS));
    }

    @Rule("RFC 9293 MUST-14")
    @Rule("RFC 9293 SHLD-5")
    @Rule("RFC 9293 MAY-3")
    @Rule("RFC 9293 MUST-67")
    @Test
    void offersOptionsInAnActiveOpen() {
        t.connect();
        Segment syn = t.stackSends("S", 0, 0, 0);
        assertEquals(1460, syn.mss);
        assertTrue(syn.sackPermitted);
        assertTrue(syn.hasTimestamp);
        assertEquals(7, syn.windowScale, "6 MiB need a shift of 7");
        assertEquals(65535, syn.window);
    }

    @Test
    void connects() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerPort = Trace.PEER_PORT;
        t.after(ms(10));
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
        assertEquals(ms(10), t.connection().sender.rtt.smoothedRttNs());
    }

    @Test
    void answersOptionsOnlyWhenOffered() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0, s -> s.mss = -1);
        Segment bare = t.stackSends("S.", 0, 1, 0);
        assertEquals(-1, bare.windowScale);
        assertEquals(false, bare.sackPermitted);
        assertEquals(false, bare.hasTimestamp);
        assertEquals(1460, bare.mss);
    }

    @Rule("RFC 9293 MUST-14")
    @Rule("RFC 9293 SHLD-5")
    @Rule("RFC 9293 MAY-3")
    @Test
    void answersAllOptionsOffered() {
        t.peerClock = 5000;
        t.peerSack = true;
        t.peerScale = 14;
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        Segment answer = t.stackSends("S.", 0, 1, 0);
        assertEquals(7, answer.windowScale);
        assertTrue(answer.sackPermitted);
        assertTrue(answer.hasTimestamp);
        assertEquals(5000, answer.timestampEcho);
    }

    @Rule("RFC 9293 MUST-15")
    @Rule("tcp.md: Options")
    @Test
    void assumesTheDefaultMssWithoutTheOption() {
        t.peerMss = -1;
        t.acceptConnection();
        t.write(1, 1000);
        t.stackSends(".", 1, 1, 536);
        t.stackSends(".", 537, 1, 464);
    }

    @Test
    void refusesWhenNobodyListens() {
        t.peerSends("S", 0, 0, 0);
        t.stackSends("R.", 0, 1, 0);
        assertEquals(1, t.count(Counter.DROP_TCP_NO_CONNECTION));
    }

    @Test
    void resetsAnAckWithoutConnection() {
        t.peerSends(".", 5, 77, 10);
        t.stackSends("R", 77, 0, 0);
    }

    @Rule("tcp.md: RST and ACK loops")
    @Test
    void neverAnswersAResetWithoutConnection() {
        t.peerSends("R", 5, 0, 0);
        t.peerSends("R.", 5, 9, 0);
        t.stackSendsNothing();
    }

    @Test
    void connectionIsRefusedByAReset() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("R.", 0, 1, 0);
        assertEquals(TcpError.CONNECTION_REFUSED, t.socket().error());
        assertTrue((t.socket().readiness() & TcpSocket.FAILED) != 0);
        assertTrue((t.socket().readiness() & TcpSocket.GONE) != 0);
        assertEquals(TcpSocket.ERROR, t.read());
    }

    @Test
    void whatIsWrittenInSynSentGoesOutOnceTheHandshakeIsComplete() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        int capacity = t.socket().writableBytes();
        assertEquals(capacity, t.write(1, capacity + 1)); // full, so the application is to hear of space
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 1460);
    }

    @Test
    void inSynSentTheApplicationsCallsSendNothing() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.socket().optionsChanged();
        t.socket().observer(() -> {});
        t.turn();
        t.socket().shutdownOutput();
        t.turn();
        t.stackSendsNothing();
    }

    @Test
    void ignoresAResetWithoutAckInSynSent() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("R", 0, 0, 0);
        assertEquals(TcpState.SYN_SENT, t.state());
    }

    @Test
    void resetsAnUnacceptableAckInSynSent() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("S.", 0, 2, 0);
        t.stackSends("R", 2, 0, 0);
        assertEquals(TcpState.SYN_SENT, t.state(), "half-open recovery goes on (RFC 9293 §3.5.1)");
    }

    @Rule("RFC 9293 MUST-10")
    @Rule("tcp.md: TCP core")
    @Rule("tcp.md: Handshake")
    @Test
    void opensSimultaneously() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        assertEquals(TcpState.SYN_RECEIVED, t.state());
        t.peerSends("S.", 0, 1, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
        t.ignoreSent();
        t.peerSends("P.", 1, 1, 10);
        t.reads(1, 10);
    }

    @Rule("tcp.md: TCP core")
    @Test
    void connectsToItself() {
        TcpHost host = t.host;
        LocalBinding binding = bind(7777);
        TcpSocket self;
        try {
            self = host.tcp.connect(binding, Trace.STACK, 7777, t.options, TcpObserver.NONE, PortChooser.ANY, t.nowNs);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
        for (int i = 0; i < 10 && !host.sent.isEmpty(); i++) {
            host.receive(host.sent.remove(), t.nowNs);
            host.tcp.endOfBurst(t.nowNs);
        }
        assertEquals(TcpState.ESTABLISHED, TcpHost.connectionOf(self).state());
        host.checkUnbroken();
    }

    private LocalBinding bind(int port) {
        try {
            return t.host.ports.bind(Trace.STACK, port, t.options);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
    }

    @Rule("RFC 9293 MUST-22")
    @Rule("RFC 9293 MUST-23")
    @Test
    void repeatsTheSynWithBackOffAndGivesUp() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        for (int i = 0; i < 6; i++) {
            t.stackSendsAfter(ms(1000L << i), "S", 0, 0, 0);
        }
        t.after(ms(64_000));
        t.stackSendsNothing();
        assertEquals(TcpError.TIMED_OUT, t.socket().error());
        assertTrue((t.socket().readiness() & TcpSocket.GONE) != 0);
    }

    @Test
    void repeatsTheSynAckAndForgets() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        for (int i = 0; i < 5; i++) {
            t.stackSendsAfter(ms(1000L << i), "S.", 0, 1, 0);
        }
        t.after(ms(33_000));
        t.stackSendsNothing();
        assertEquals(0, t.host.tcp.flows.size());
        assertEquals(0, t.host.tcp.liveConnections);
    }

    @Test
    void answersARepeatedSyn() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
    }

    @Rule("RFC 9293 MUST-11")
    @Test
    void aResetEndsAHalfOpenEntry() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends("R", 1, 0, 0);
        assertEquals(0, t.host.tcp.flows.size());
        t.stackSendsNothing();
    }

    @Test
    void resetsAWrongFinalAck() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends(".", 1, 2, 0);
        t.stackSends("R", 2, 0, 0);
        assertNull(t.listener.accept());
    }

    @Test
    void takesDataWithTheFinalAck() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends("P.", 1, 1, 100);
        t.socket = t.listener.accept();
        assertNotNull(t.socket);
        t.reads(1, 100);
    }

    @Rule("tcp.md: Handshake")
    @Test
    void leavesDataOnTheSynToBeSentAgain() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 50);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends("P.", 1, 1, 50);
        t.socket = t.listener.accept();
        t.reads(1, 50);
    }

    @Rule("tcp.md: accept queue full")
    @Test
    void dropsTheFinalAckWhenTheAcceptQueueIsFull() {
        t.listener = t.host.listen(Trace.PORT, 0);
        handshake(1);
        t.peerPort = 40_002;
        t.peerSends("S", 0, 0, 0);
        t.stackSendsNothing(); // even the SYN, as Linux does
        assertEquals(1, t.count(Counter.DROP_TCP_LISTEN_OVERFLOW));
        assertNotNull(t.listener.accept());
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
    }

    private void handshake(int number) {
        t.peerPort = 40_000 + number;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends(".", 1, 1, 0);
    }

    @Test
    void closingTheListenerResetsWhatWasNotAccepted() {
        t.listener = t.host.listen(Trace.PORT, 16);
        handshake(1);
        t.listener.close();
        t.turn();
        t.stackSends("R.", 1, 1, 0);
        t.peerPort = 40_002;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("R.", -t.stackIss, 1, 0);
    }

    @Rule("tcp.md: SYN flood")
    @Test
    void boundsHalfOpenEntries() {
        Trace small =
                new Trace(TcpConfig.of(0).with(new HandshakeConfig(100, 10, SynCookieMode.OFF, FastOpenMode.OFF)));
        small.host.listen(Trace.PORT, 16);
        for (int port = 1000; port < 1020; port++) {
            small.peerPort = port;
            small.peerSends("S", 0, 0, 0);
        }
        assertEquals(10, small.count(Counter.DROP_TCP_HALF_OPEN_FULL));
        assertEquals(10, small.host.tcp.flows.size());
        small.close();
    }
}
