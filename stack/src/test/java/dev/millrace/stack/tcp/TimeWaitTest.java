package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.SequenceNumber;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** TIME-WAIT: RFC 9293 §3.10.7.4, RFC 1337, RFC 6191. */
class TimeWaitTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    /** Accepts, closes first, and comes to TIME-WAIT. */
    private void timeWait() {
        t.acceptConnection();
        t.socket().close();
        t.turn();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends("F.", 1, 2, 0);
        t.stackSends(".", 2, 2, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
    }

    /** Whoever makes a hundred thousand connections end in the same instant does not get a pause for it a minute later. */
    @Test
    void thoseThatEndTogetherAreForgottenInPieces() {
        t.listener = t.host.listen(Trace.PORT, 16, t.options);
        int connections = 2 * TimeWaitTable.MAX_EXPIRED + 10;
        for (int i = 0; i < connections; i++) {
            t.peerPort = 1024 + i;
            t.peerSends("S", 0, 0, 0);
            t.stackSends("S.", 0, 1, 0);
            t.peerSends(".", 1, 1, 0);
            t.socket = t.listenerOrFail().accept();
            t.socket().close();
            t.turn();
            t.peerSends("F.", 1, 2, 0);
            t.ignoreSent();
        }
        long endNs = t.nowNs + ms(60_001);
        t.host.tcp.onTimers(endNs);
        assertEquals(connections - TimeWaitTable.MAX_EXPIRED, t.host.tcp.timeWaits.size());
        assertTrue(t.host.tcp.nextDeadlineNs() <= endNs, "the others are due");
        t.host.tcp.onTimers(endNs);
        t.host.tcp.onTimers(endNs);
        assertEquals(0, t.host.tcp.timeWaits.size());
    }

    @Rule("RFC 9293 MUST-13")
    @Test
    void acknowledgesTheFinAgainAndWaitsAnew() {
        timeWait();
        t.after(ms(50_000));
        t.peerSends("F.", 1, 2, 0);
        t.stackSends(".", 2, 2, 0);
        t.after(ms(50_000));
        assertEquals(1, t.host.tcp.timeWaits.size());
        t.after(ms(10_001));
        assertEquals(0, t.host.tcp.timeWaits.size());
    }

    @Rule("tcp.md: Lifetime")
    @Rule("tcp.md: RST in TIME-WAIT")
    @Test
    void isNotAssassinatedByAReset() {
        timeWait();
        t.peerSends("R", 2, 0, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
        assertEquals(1, t.count(Counter.DROP_TCP_RESET_IN_TIME_WAIT));
    }

    @Test
    void aPureAckIsNotAnswered() {
        timeWait();
        t.peerSends(".", 2, 2, 0);
        t.stackSendsNothing();
    }

    /** An old duplicate right behind the FIN is answered: the FIN's acknowledgment was no challenge. */
    @Test
    void theFinsAcknowledgmentDoesNotCountAgainstTheRate() {
        timeWait();
        t.after(ms(100));
        t.peerSends("S.", 1, 0, 0);
        t.stackSends(".", 2, 2, 0);
        t.after(ms(100));
        t.peerSends("S.", 1, 0, 0);
        t.stackSendsNothing();
    }

    @Rule("tcp.md: RST and ACK loops")
    @Test
    void oldDataIsAnsweredAtABoundedRate() {
        timeWait();
        t.after(ms(600));
        for (int i = 0; i < 10; i++) {
            t.peerSends("P.", 1, 2, 10);
        }
        t.stackSends(".", 2, 2, 0);
        t.stackSendsNothing();
    }

    @Rule("RFC 9293 MAY-2")
    @Test
    void aSynWithANewerSequenceNumberReopens() {
        timeWait();
        int before = t.stackIss;
        t.peerIss += 1000;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        assertTrue(SequenceNumber.gt(t.stackIss, before + 2), "beyond the old connection's numbers");
        t.peerSends(".", 1, 1, 0);
        assertNotNull(t.listener.accept());
        assertEquals(0, t.host.tcp.timeWaits.size());
    }

    @Rule("RFC 9293 MAY-2")
    @Test
    void aSynWithAnOldSequenceNumberDoesNot() {
        timeWait();
        t.after(ms(600));
        t.peerIss -= 1000;
        t.peerSends("S", 0, 0, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
        assertEquals(".", ack());
    }

    private String ack() {
        return Segment.parse(t.host.sent.remove()).flagText();
    }

    @Rule("RFC 9293 SHLD-4")
    @Test
    void aSynWithANewerTimestampReopensWhateverItsNumber() {
        t.peerClock = 1000;
        timeWait();
        t.peerIss -= 100_000;
        t.peerClock += 1;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
    }

    @Rule("tcp.md: RST in TIME-WAIT")
    @Test
    void aSynWithAnOldTimestampDoesNot() {
        t.peerClock = 1000;
        timeWait();
        t.after(ms(600));
        t.peerIss += 100_000;
        t.peerClock = 500;
        t.peerSends("S", 0, 0, 0);
        assertEquals(1, t.host.tcp.timeWaits.size());
    }

    @Test
    void theOldestEntryGivesWay() {
        TcpConfig d = TcpConfig.of(0);
        Trace small = new Trace(new TcpConfig(
                0,
                d.minRtoNs(),
                d.initialBufferBytes(),
                d.maxReceiveBufferBytes(),
                d.maxSendBufferBytes(),
                d.maxConnections(),
                d.handshake(),
                3,
                d.timeWaitNs(),
                d.timeWaitReuseNs(),
                d.synRetries(),
                d.synAckRetries(),
                d.retries(),
                d.orphanRetries(),
                d.delayedAckNs(),
                d.finWait2Ns(),
                d.congestionControl(),
                d.mtuProbing(),
                d.ecn(),
                d.features(),
                d.pacing(),
                d.notSentLowBytes()));
        small.listener = small.host.listen(Trace.PORT, 16);
        for (int i = 0; i < 5; i++) {
            small.peerPort = 1000 + i;
            small.peerSends("S", 0, 0, 0);
            small.stackSends("S.", 0, 1, 0);
            small.peerSends(".", 1, 1, 0);
            TcpSocket connection = small.listener.accept();
            assertNotNull(connection);
            connection.close();
            small.turn();
            small.peerSends("F.", 1, 2, 0);
            small.ignoreSent();
        }
        assertEquals(3, small.host.tcp.timeWaits.size());
        assertEquals(3, small.host.tcp.flows.size());
        assertEquals(2, small.count(Counter.TCP_TIME_WAIT_OVERFLOW));
        small.close();
    }

    /** Opens from a bound port, closes first. */
    private void activeTimeWait(boolean timestamps) {
        if (timestamps) {
            t.peerClock = 1000;
        }
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 0);
        t.socket().close();
        t.turn();
        t.stackSends("F.", 1, 1, 0);
        t.peerSends("F.", 1, 2, 0);
        t.stackSends(".", 2, 2, 0);
    }

    private TcpSocket reconnectFromTheSamePort() throws TcpException {
        int port = t.connection().localPort;
        return t.host.tcp.connect(
                null,
                Trace.PEER,
                Trace.PEER_PORT,
                t.options,
                TcpObserver.NONE,
                candidate -> candidate == port,
                t.nowNs);
    }

    @Rule("RFC 9293 SHLD-4")
    @Rule("tcp.md: Lifetime")
    @Test
    void aTupleInTimeWaitIsReusedOnceOurTimestampClockHasTicked() throws TcpException {
        activeTimeWait(true);
        assertThrows(TcpException.class, this::reconnectFromTheSamePort);
        t.after(ms(2));
        TcpSocket again = reconnectFromTheSamePort();
        assertEquals(TcpState.SYN_SENT, TcpHost.connectionOf(again).state());
        assertEquals(1, t.count(Counter.TCP_TIME_WAIT_REUSED));
        assertEquals(0, t.host.tcp.timeWaits.size());
        assertTrue(SequenceNumber.gt(TcpHost.connectionOf(again).sender.iss, t.stackIss + 2));
    }

    @Test
    void aTupleInTimeWaitRestsAsLongAsTheStackIsTold() throws TcpException {
        t.host.tcp.reconfigure(TcpConfig.of(0).withTimeWaitReuse(ms(1000)), t.nowNs);
        activeTimeWait(true);
        t.after(ms(999));
        assertThrows(TcpException.class, this::reconnectFromTheSamePort);
        t.after(ms(1));
        assertEquals(
                TcpState.SYN_SENT,
                TcpHost.connectionOf(reconnectFromTheSamePort()).state());
    }

    @Test
    void aBoundPortIsReusedAtOnceSinceItsSequenceNumbersGoOn() throws TcpException {
        t.host.tcp.reconfigure(TcpConfig.of(0).withTimeWaitReuse(ms(1000)), t.nowNs);
        activeTimeWait(true);
        LocalBinding bound = t.host.tcp.ports.bind(Trace.STACK, t.connection().localPort, t.options);
        TcpSocket again = t.host.tcp.connect(
                bound, Trace.PEER, Trace.PEER_PORT, t.options, TcpObserver.NONE, PortChooser.ANY, t.nowNs);
        assertTrue(SequenceNumber.gt(TcpHost.connectionOf(again).sender.iss, t.stackIss + 2));
    }

    @Test
    void aTupleInTimeWaitWithoutTimestampsIsNot() {
        activeTimeWait(false);
        t.after(ms(1000));
        assertThrows(TcpException.class, this::reconnectFromTheSamePort);
    }

    @Test
    void anotherPortIsChosenInstead() {
        activeTimeWait(false);
        TcpSocket again = t.host.connect(Trace.PEER, Trace.PEER_PORT, t.options, t.nowNs);
        assertNotEquals(t.connection().localPort, again.localPort());
    }
}
