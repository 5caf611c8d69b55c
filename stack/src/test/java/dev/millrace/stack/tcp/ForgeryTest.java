package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Segments from somebody who guesses: RFC 5961, RFC 7323 §5 (PAWS), and segments that make no sense in a connection. */
class ForgeryTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    @Test
    void aResetAtReceiveNextEndsTheConnection() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 10);
        t.peerSends("R", 11, 0, 0);
        assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
        t.stackSendsNothing();
        assertEquals(0, t.host.tcp.flows.size());
    }

    @Test
    void aResetElsewhereInTheWindowIsChallenged() {
        t.acceptConnection();
        t.peerSends("R", 100, 0, 0);
        t.stackSends(".", 1, 1, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
    }

    @Test
    void aResetOutsideTheWindowIsIgnored() {
        t.acceptConnection();
        t.peerSends("R", 100_000, 0, 0);
        t.peerSends("R", 0, 0, 0);
        t.stackSendsNothing();
        assertEquals(TcpState.ESTABLISHED, t.state());
    }

    @Test
    void aSynIsChallengedWhateverItsNumber() {
        t.acceptConnection();
        t.peerSends("S", 1, 0, 0);
        t.stackSends(".", 1, 1, 0);
        t.after(ms(600));
        t.peerSends("S", 500_000, 0, 0);
        t.stackSends(".", 1, 1, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
    }

    @Rule("tcp.md: RST and ACK loops")
    @Test
    void challengesAreLimitedPerConnection() {
        t.acceptConnection();
        for (int i = 0; i < 50; i++) {
            t.peerSends("S", 1, 0, 0);
        }
        t.stackSends(".", 1, 1, 0);
        t.stackSendsNothing();
        assertEquals(49, t.count(Counter.TCP_CHALLENGE_ACKS_WITHHELD));
    }

    @Rule("tcp.md: ACK splitting, optimistic ACK, duplicate-ACK spoofing")
    @Test
    void anAckOfWhatWasNotSentIsRefused() {
        t.acceptConnection();
        t.peerSends("P.", 1, 5000, 10);
        t.stackSends(".", 1, 1, 0);
        assertEquals(0, t.socket().readableBytes());
        assertEquals(1, t.count(Counter.DROP_TCP_BAD_ACK));
    }

    @Test
    void anAckOlderThanTheLargestWindowIsRefused() {
        t.acceptConnection();
        t.peerSends("P.", 1, -70_000, 10);
        t.stackSends(".", 1, 1, 0);
        assertEquals(0, t.socket().readableBytes());
    }

    @Test
    void anOldAckWithinTheWindowStillCarriesData() {
        t.acceptConnection();
        t.write(1, 100);
        t.peerSends(".", 1, 101, 0);
        t.peerSends("P.", 1, 51, 10);
        t.reads(1, 10);
        assertEquals(100, t.connection().sender.una);
    }

    @Test
    void aSegmentWithoutAckIsDropped() {
        t.acceptConnection();
        t.peerSends("F", 1, 0, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
        assertEquals(1, t.count(Counter.DROP_TCP_UNEXPECTED));
    }

    @Test
    void dataBeforeTheWindowIsAcknowledgedAndDropped() {
        t.acceptConnection();
        t.peerSends("P.", -9, 1, 10);
        t.stackSends(".", 1, 1, 0);
        assertEquals(0, t.socket().readableBytes());
    }

    @Test
    void dataBeyondTheWindowIsAcknowledgedAndDropped() {
        t.acceptConnection();
        t.peerSends("P.", 70_000, 1, 10);
        t.stackSends(".", 1, 1, 0);
        assertEquals(0, t.socket().readableBytes());
        assertEquals(1, t.count(Counter.DROP_TCP_OUT_OF_WINDOW));
    }

    @Rule("tcp.md: data or FIN after FIN")
    @Test
    void dataAfterTheFinIsIgnored() {
        t.acceptConnection();
        t.peerSends("F.", 1, 1, 0);
        t.peerSends("P.", 2, 1, 10);
        t.peerSends("F.", 12, 1, 0);
        assertEquals(0, t.socket().readableBytes());
        assertEquals(TcpState.CLOSE_WAIT, t.state());
        assertEquals(TcpSocket.END, t.read());
    }

    @Rule("tcp.md: data or FIN after FIN")
    @Test
    void aSecondFinElsewhereIsIgnored() {
        t.acceptConnection();
        t.peerSends("FP.", 101, 1, 100);
        t.peerSends("FP.", 1, 1, 50);
        t.peerSends("P.", 1, 1, 100);
        assertEquals(TcpState.CLOSE_WAIT, t.state());
        t.reads(1, 200);
        assertEquals(TcpSocket.END, t.read());
    }

    @Rule("tcp.md: old timestamps, wrapped timestamps, segment without a negotiated timestamp")
    @Test
    void anOldTimestampIsChallengedAndDropped() {
        t.peerClock = 1000;
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 10);
        t.peerClock -= 5;
        t.peerSends("P.", 11, 1, 10);
        t.stackSends(".", 1, 11, 0);
        assertEquals(10, t.socket().readableBytes());
        assertEquals(1, t.count(Counter.DROP_TCP_OLD_TIMESTAMP));
    }

    @Rule("tcp.md: old timestamps, wrapped timestamps, segment without a negotiated timestamp")
    @Test
    void aWrappedTimestampIsNewer() {
        t.peerClock = Integer.MAX_VALUE - 1;
        t.acceptConnection();
        int wrapped = Integer.MIN_VALUE + 5;
        t.peerSends("P.", 1, 1, 10, s -> s.timestampValue = wrapped);
        assertEquals(10, t.socket().readableBytes());
        assertEquals(wrapped, t.connection().receiver.timestamps.recent);
    }

    @Rule("tcp.md: Options")
    @Test
    void afterTwentyFourDaysAnyTimestampIsTaken() {
        t.peerClock = 1000;
        t.acceptConnection();
        t.after(ms(25L * 24 * 3600 * 1000));
        t.peerClock = 900;
        t.peerSends("P.", 1, 1, 10);
        assertEquals(10, t.socket().readableBytes());
    }

    @Rule("tcp.md: old timestamps, wrapped timestamps, segment without a negotiated timestamp")
    @Test
    void aSegmentWithoutTheTimestampAgreedOnIsDropped() {
        t.peerClock = 1000;
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 10, s -> s.hasTimestamp = false);
        assertEquals(0, t.socket().readableBytes());
        assertEquals(1, t.count(Counter.DROP_TCP_NO_TIMESTAMP));
    }

    @Rule("tcp.md: old timestamps, wrapped timestamps, segment without a negotiated timestamp")
    @Test
    void aResetNeedsNoTimestamp() {
        t.peerClock = 1000;
        t.acceptConnection();
        t.peerSends("R", 1, 0, 0, s -> s.hasTimestamp = false);
        assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
    }

    @Test
    void aTimestampBeyondAGapIsNotEchoed() {
        t.peerClock = 1000;
        t.acceptConnection();
        t.peerClock += 50;
        t.peerSends("P.", 101, 1, 10);
        Segment ack = t.stackSends(".", 1, 1, 0);
        assertTrue(ack.timestampEcho - 1050 < 0, "RFC 7323 §4.3: last in-order segment's, not " + ack.timestampEcho);
    }

    @Rule("tcp.md: out-of-order flood, fragment flood")
    @Test
    void anOutOfOrderFloodIsBounded() {
        t.acceptConnection();
        for (int i = 0; i < 2000; i++) {
            t.peerSends(".", 3 + 2L * i, 1, 1);
        }
        assertTrue(t.host.chunks.chunksInUse() <= 3, "chunks " + t.host.chunks.chunksInUse());
        t.ignoreSent();
        for (int i = 0; i < 4; i++) {
            t.peerSends(".", 1 + i * 1000, 1, 1000);
        }
        t.reads(1, 4000);
    }

    @Rule("tcp.md: SACK panic, SACK slowness, tiny MSS")
    @Test
    void aTinyMssIsPressedUp() {
        t.peerMss = 1;
        t.acceptConnection();
        t.write(1, 200);
        t.stackSends(".", 1, 1, 64);
    }

    @Rule("RFC 9293 MAY-5")
    @Rule("RFC 9293 MUST-24")
    @Rule("RFC 9293 MUST-26")
    @Rule("RFC 9293 MUST-27")
    @Rule("RFC 9293 MUST-29")
    @Rule("RFC 9293 SHLD-12")
    @Rule("tcp.md: Lifetime")
    @Test
    void anIdleConnectionIsProbedWhenAskedTo() {
        t.options.keepAlive = true;
        t.options.keepIdleSeconds = 10;
        t.options.keepIntervalSeconds = 2;
        t.options.keepCount = 3;
        t.acceptConnection();
        t.after(ms(9_900));
        t.stackSendsNothing();
        t.after(ms(200));
        t.stackSends(".", 0, 1, 0);
        t.peerSends(".", 1, 1, 0);
        t.after(ms(9_900));
        t.stackSendsNothing();
        t.after(ms(200));
        t.stackSends(".", 0, 1, 0);
        t.stackSendsAfter(ms(2000), ".", 0, 1, 0);
        t.stackSendsAfter(ms(2000), ".", 0, 1, 0);
        t.after(ms(2001));
        t.stackSends("R.", 1, 1, 0);
        assertEquals(TcpError.TIMED_OUT, t.socket().error());
    }

    /** As on Linux: window probes say as much about the peer. */
    @Test
    void aClosedWindowIsProbedOnlyOnce() {
        t.options.keepAlive = true;
        t.options.keepIdleSeconds = 1;
        t.options.keepIntervalSeconds = 1;
        t.options.keepCount = 2;
        t.peerWindow = 0;
        t.acceptConnection();
        t.write(1, 100);
        t.after(ms(30_000));
        assertEquals(0, t.count(Counter.TCP_KEEPALIVE_PROBES));
        assertEquals(TcpState.ESTABLISHED, t.state());
    }

    @Test
    void keepAliveCanBeTurnedOnLater() {
        t.acceptConnection();
        t.after(ms(100_000));
        t.socket().options().keepAlive = true;
        t.socket().options().keepIdleSeconds = 5;
        t.socket().optionsChanged();
        t.turn();
        t.after(ms(5_100));
        t.stackSends(".", 0, 1, 0);
    }

    @Test
    void answersAKeepAliveProbe() {
        t.acceptConnection();
        t.peerSends(".", 0, 1, 0);
        t.stackSends(".", 1, 1, 0);
        t.after(ms(1000));
        t.peerSends(".", 0, 1, 1);
        t.stackSends(".", 1, 1, 0);
    }
}
