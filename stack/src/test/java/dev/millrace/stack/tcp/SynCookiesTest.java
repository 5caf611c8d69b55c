package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** SYN cache and cookies: RFC 4987 §3.3 and §3.6, with Linux' way of keeping options in the timestamp. */
@Rule("tcp.md: Handshake")
@Rule("tcp.md: SYN flood")
class SynCookiesTest {
    private static final int LIMIT = 10;

    private final Trace t = trace(SynCookieMode.ON_OVERFLOW);

    private static Trace trace(SynCookieMode mode) {
        return new Trace(TcpConfig.of(0).with(new HandshakeConfig(1000, LIMIT, mode, FastOpenMode.OFF)));
    }

    @AfterEach
    void close() {
        t.host.close();
    }

    /** Half-open entries up to the limit, from ports of their own. */
    private void fill() {
        t.listener = t.host.listen(Trace.PORT, 16);
        for (int port = 1000; port < 1000 + LIMIT; port++) {
            t.peerPort = port;
            t.peerSends("S", 0, 0, 0);
        }
        t.ignoreSent();
        t.peerPort = Trace.PEER_PORT;
    }

    private Segment cookie() {
        fill();
        t.peerSends("S", 0, 0, 0);
        return t.stackSends("S.", 0, 1, 0);
    }

    private TcpConnection accepted() {
        t.socket = t.listenerOrFail().accept();
        return t.connection();
    }

    @Test
    void aSynBeyondTheLimitTakesNoMemory() {
        cookie();
        assertEquals(LIMIT, t.host.tcp.flows.size());
        assertEquals(LIMIT, t.host.tcp.liveConnections);
        assertEquals(1, t.count(Counter.TCP_SYN_COOKIES_SENT));
        assertEquals(0, t.count(Counter.DROP_TCP_HALF_OPEN_FULL));
    }

    @Test
    void aCookieIsNeverRepeatedByATimer() {
        cookie();
        for (int port = 1000; port < 1000 + LIMIT; port++) {
            t.peerPort = port;
            t.peerSends("R", 1, 0, 0);
        }
        t.after(ms(70_000));
        t.stackSendsNothing();
    }

    @Test
    void theFinalAckOpensTheConnection() {
        cookie();
        t.peerSends(".", 1, 1, 0);
        TcpConnection connection = accepted();
        assertEquals(TcpState.ESTABLISHED, connection.state());
        assertEquals(1, t.count(Counter.TCP_SYN_COOKIES_RECEIVED));
        t.peerSends("P.", 1, 1, 100);
        t.reads(1, 100);
        t.ignoreSent();
        t.write(1, 1000);
        t.stackSends(".", 1, 101, 1000);
    }

    @Test
    void theFirstTextOpensTheConnectionWhenTheFinalAckIsLost() {
        cookie();
        t.peerSends("P.", 1, 1, 100);
        accepted();
        t.reads(1, 100);
    }

    @Test
    void timestampsBringBackEveryOption() {
        t.peerClock = 5000;
        t.peerSack = true;
        t.peerScale = 9;
        t.peerMss = 1445;
        Segment synAck = cookie();
        assertEquals(7, synAck.windowScale);
        assertTrue(synAck.sackPermitted);
        assertEquals(5000, synAck.timestampEcho);
        t.peerWindow = 100;
        t.peerSends(".", 1, 1, 0);
        TcpConnection connection = accepted();
        assertEquals(9, connection.sender.window.scale);
        assertEquals(100 << 9, connection.sender.window.bytes());
        assertTrue(connection.receiver.sackPermitted);
        assertTrue(connection.receiver.timestamps.enabled);
        assertEquals(1440, connection.peerMss, "the next smaller value of the table");
        assertEquals(7, connection.receiver.window.scale);
    }

    @Test
    void timestampsSayWhichOptionsWereNotOffered() {
        t.peerClock = 5000;
        Segment synAck = cookie();
        assertEquals(-1, synAck.windowScale);
        assertFalse(synAck.sackPermitted);
        t.peerSends(".", 1, 1, 0);
        TcpConnection connection = accepted();
        assertFalse(connection.receiver.scalingOffered);
        assertFalse(connection.receiver.sackPermitted);
        assertTrue(connection.receiver.timestamps.enabled);
    }

    @Test
    void withoutTimestampsOnlyTheMssIsKept() {
        t.peerSack = true;
        t.peerScale = 9;
        t.peerMss = 536;
        Segment synAck = cookie();
        assertEquals(-1, synAck.windowScale);
        assertFalse(synAck.sackPermitted);
        assertFalse(synAck.hasTimestamp);
        t.peerSends(".", 1, 1, 0);
        TcpConnection connection = accepted();
        assertFalse(connection.receiver.sackPermitted);
        assertEquals(536, connection.peerMss);
    }

    @Test
    void ourTimestampsNeverStepBack() {
        t.peerClock = 5000;
        t.peerScale = 14;
        t.peerSack = true;
        Segment synAck = cookie();
        t.peerSends("P.", 1, 1, 10);
        accepted();
        t.after(ms(50));
        Segment ack = t.stackSends(".", 1, 11, 0);
        assertTrue(ack.timestampValue - synAck.timestampValue >= 0);
    }

    @Test
    void aCookieIsGoodForAMinute() {
        cookie();
        t.after(ms(60_000));
        t.ignoreSent();
        t.peerSends(".", 1, 1, 0);
        assertNotNull(t.listenerOrFail().accept());
    }

    @Test
    void aCookieIsVoidAfterTwoMinutes() {
        cookie();
        t.after(ms(110_000));
        for (int port = 2000; port < 2000 + LIMIT + 1; port++) { // the flood goes on
            t.peerPort = port;
            t.peerSends("S", 0, 0, 0);
        }
        assertEquals(2, t.count(Counter.TCP_SYN_COOKIES_SENT));
        t.ignoreSent();
        t.after(ms(11_000));
        t.ignoreSent();
        t.peerPort = Trace.PEER_PORT;
        t.peerSends(".", 1, 1, 0);
        t.stackSends("R", 1, 0, 0);
        assertNull(t.listenerOrFail().accept());
        assertEquals(1, t.count(Counter.TCP_SYN_COOKIES_FAILED));
    }

    @Test
    void guessingSucceedsHardlyEver() {
        cookie();
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 20_000; i++) {
            int guess = random.nextInt();
            t.peerSends(".", 1, 1, 0, s -> s.acknowledgment = guess);
        }
        assertEquals(20_000, t.count(Counter.TCP_SYN_COOKIES_FAILED), "one guess in 2^29 succeeds");
        assertNull(t.listenerOrFail().accept());
    }

    @Test
    void aCookieIsGoodForItsTupleAndSequenceNumberOnly() {
        cookie();
        t.peerPort++;
        t.peerSends(".", 1, 1, 0);
        t.peerPort--;
        t.peerSends(".", 2, 1, 0);
        t.peerSends(".", 1, 2, 0);
        assertEquals(3, t.count(Counter.TCP_SYN_COOKIES_FAILED));
        assertNull(t.listenerOrFail().accept());
    }

    @Test
    void withoutAFloodNoCookieIsBelieved() {
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends(".", 1, 1, 0);
        t.stackSends("R", 1, 0, 0);
        assertEquals(0, t.count(Counter.TCP_SYN_COOKIES_FAILED), "not even looked at");
    }

    @Test
    void turnedOffTheSynIsDropped() {
        try (Trace off = trace(SynCookieMode.OFF)) {
            off.host.listen(Trace.PORT, 16);
            for (int port = 1000; port < 1000 + LIMIT + 5; port++) {
                off.peerPort = port;
                off.peerSends("S", 0, 0, 0);
            }
            assertEquals(5, off.count(Counter.DROP_TCP_HALF_OPEN_FULL));
            assertEquals(LIMIT, off.host.sent.size());
        }
    }

    @Test
    void whenAlwaysEvenTheFirstSynGetsACookie() {
        try (Trace always = trace(SynCookieMode.ALWAYS)) {
            always.acceptConnection();
            assertEquals(1, always.count(Counter.TCP_SYN_COOKIES_RECEIVED));
        }
    }

    @Test
    @Rule("tcp.md: accept queue full")
    void withAFullAcceptQueueTheCookiesAckIsDroppedAndTheTextOpensLater() {
        fill();
        t.listenerOrFail().backlog(0);
        t.peerPort = 3000;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        int firstIss = t.stackIss;
        t.peerPort = 3001;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends(".", 1, 1, 0);
        t.peerPort = 3000;
        t.stackIss = firstIss;
        t.peerSends(".", 1, 1, 0);
        assertEquals(1, t.count(Counter.DROP_TCP_LISTEN_OVERFLOW));
        t.stackSendsNothing();
        assertNotNull(t.listenerOrFail().accept());
        t.peerSends("P.", 1, 1, 10);
        accepted();
        t.reads(1, 10);
    }

    @Test
    void aRepeatedSynGetsTheSameCookieAgain() {
        Segment first = cookie();
        t.peerSends("S", 0, 0, 0);
        Segment again = t.stackSends("S.", 0, 1, 0);
        assertEquals(first.sequence, again.sequence);
    }

    @Test
    void theShardsLimitCountsAllListeners() {
        try (Trace small = new Trace(
                TcpConfig.of(0).with(new HandshakeConfig(4, LIMIT, SynCookieMode.ON_OVERFLOW, FastOpenMode.OFF)))) {
            small.host.listen(81, 16);
            small.host.listen(82, 16);
            for (int i = 0; i < 6; i++) {
                small.stackPort = 81 + i % 2;
                small.peerPort = 1000 + i;
                small.peerSends("S", 0, 0, 0);
            }
            assertEquals(4, small.host.tcp.flows.size());
            assertEquals(2, small.count(Counter.TCP_SYN_COOKIES_SENT));
        }
    }
}
