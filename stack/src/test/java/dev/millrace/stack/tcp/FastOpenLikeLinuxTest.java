package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.FastOpenTrace.COOKIE;
import static dev.millrace.stack.tcp.FastOpenTrace.NO_COOKIE;
import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.IpAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** TCP Fast Open where RFC 7413 leaves a choice, and this stack makes Linux'. */
@Rule("tcp.md: Handshake")
class FastOpenLikeLinuxTest {
    private static final long KEY0 = 0x07060504_03020100L;
    private static final long KEY1 = 0x0f0e0d0c_0b0a0908L;

    private final Trace t = new Trace(TcpConfig.of(0).with(HandshakeConfig.DEFAULT.with(FastOpenMode.ON)));
    private final FastOpenTrace client = new FastOpenTrace(t);

    @AfterEach
    void close() {
        t.host.close();
    }

    // ---- cookies ----

    @Test
    void aCookieIsSipHashOfBothAddressesClientFirstInNetworkOrder() {
        FastOpenKeys keys = new FastOpenKeys(KEY0, KEY1);
        assertEquals(0x3063fd72c7f07397L, cookie(keys, IpAddress.v4(0xc6120002), IpAddress.v4(0xc6120001)));
        IpAddress server = new IpAddress(0xfd000018_00000000L, 2);
        IpAddress client = new IpAddress(0xfd000018_00000000L, 1);
        assertEquals(0x2fcb571c9de66cd1L, cookie(keys, server, client));
    }

    private static long cookie(FastOpenKeys keys, IpAddress local, IpAddress remote) {
        return keys.cookie(local.high(), local.low(), remote.high(), remote.low(), 0);
    }

    @Test
    void aKeyThatIsSetStaysInUse() {
        FastOpenKeys keys = new FastOpenKeys(KEY0, KEY1);
        long cookie = keys.cookie(1, 2, 3, 4, 0);
        assertTrue(keys.isCurrent(cookie, 1, 2, 3, 4, ms(100L * 3_600_000)));
        assertFalse(keys.isPrevious(cookie, 1, 2, 3, 4, ms(100L * 3_600_000)));
    }

    @Test
    void hostsWithOneKeyTakeEachOthersCookies() {
        FastOpenTuning tuning = new FastOpenTuning(KEY0, KEY1, 0, 0);
        HandshakeConfig config = new HandshakeConfig(100, 100, SynCookieMode.OFF, FastOpenMode.SERVER, tuning);
        byte[] given;
        try (Trace one = new Trace(TcpConfig.of(0).with(config))) {
            one.listener = one.host.listen(Trace.PORT, 16, one.options);
            one.peerSends("S", 0, 0, 0, s -> s.fastOpen = NO_COOKIE);
            given = one.stackSends("S.", 0, 1, 0).fastOpen;
            assertNotNull(given);
        }
        try (Trace other = new Trace(TcpConfig.of(0).with(config))) {
            other.listener = other.host.listen(Trace.PORT, 16, other.options);
            other.after(ms(10L * 3_600_000));
            other.peerSends("S", 0, 0, 100, s -> s.fastOpen = given);
            other.stackSends("S.", 0, 101, 0);
        }
    }

    /** A SYN with 100 bytes at a listener that needs no cookie; the SYN+ACK that takes them. */
    private Segment openedByAnySyn() {
        t.options.fastOpenNoCookie = true;
        t.listener = t.host.listen(Trace.PORT, 16, t.options);
        t.peerSends("S", 0, 0, 100, s -> s.payload = Trace.pattern(1, 100));
        return t.stackSends("S.", 0, 101, 0);
    }

    @Test
    void aListenerThatNeedsNoCookieTakesDataOfAnySyn() {
        assertNull(openedByAnySyn().fastOpen);
        t.socket = t.listenerOrFail().accept();
        t.reads(1, 100);
    }

    @Test
    void aConnectThatNeedsNoCookieSendsDataWithItsFirstSyn() {
        t.options.fastOpenNoCookie = true;
        client.connectWith(100);
        assertNull(t.stackSends("S", 0, 0, 100).fastOpen);
        t.peerSends("S.", 0, 101, 0, s -> s.fastOpen = COOKIE);
        client.end();
        t.options.fastOpenNoCookie = false;
        client.connectWith(100);
        assertArrayEquals(NO_COOKIE, t.stackSends("S", 0, 0, 0).fastOpen, "nobody had asked for that cookie");
    }

    // ---- what goes with the SYN ----

    @Test
    void theMssOfTheLastAnswerBoundsTheNextSyn() {
        client.learnCookie();
        client.connectWith(100);
        t.stackSends("S", 0, 0, 100);
        t.peerSends("S.", 0, 101, 0, s -> s.mss = 1000);
        client.end();
        client.connectWith(3000);
        t.stackSends("S", 0, 0, 960);
    }

    @Test
    void aRequestThatIsLostSpeaksAgainstNothing() {
        client.connectWith(100);
        t.stackSends("S", 0, 0, 0);
        t.lastSentNs = t.nowNs;
        assertNull(t.stackSendsAfter(ms(1000), "S", 0, 0, 0).fastOpen);
        t.peerSends("S.", 0, 1, 0);
        client.end();
        client.connectWith(100);
        assertArrayEquals(NO_COOKIE, t.stackSends("S", 0, 0, 0).fastOpen);
    }

    @Test
    void oneLossIsForgivenAndTwoInARowAreNot() {
        client.learnCookie();
        loseSynWithData();
        loseSynWithData();
        client.connectWith(100);
        assertNull(t.stackSends("S", 0, 0, 0).fastOpen);
        t.peerSends("S.", 0, 1, 0);
        client.end();
        t.after(ms(60_000));
        client.connectWith(100);
        assertArrayEquals(COOKIE, t.stackSends("S", 0, 0, 100).fastOpen);
    }

    private void loseSynWithData() {
        client.connectWith(100);
        t.stackSends("S", 0, 0, 100);
        t.lastSentNs = t.nowNs;
        t.stackSendsAfter(ms(1000), "S", 0, 0, 0);
        t.peerSends("S.", 0, 1, 0);
        client.end();
    }

    @Test
    void whatGoesAgainFromTheSynCountsAsRetransmittedUntilItIsAcknowledged() {
        client.learnCookie();
        client.connectWith(1500);
        t.stackSends("S", 0, 0, 1420);
        t.peerSends("S.", 0, 1, 0);
        t.ignoreSent();
        assertEquals(1, t.connection().sender.recoveryFigures().retransmittedSegments);
        assertEquals(1, t.connection().tally.retransmissions);
        t.peerSends(".", 1, 1421, 0);
        assertEquals(0, t.connection().sender.recoveryFigures().retransmittedSegments);
    }

    @Test
    void whatTheServerLeftGoesAgainInOnePieceAndHoldsNothingBack() {
        client.learnCookie();
        client.connectWith(1500);
        t.stackSends("S", 0, 0, 1420);
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 1420);
        t.stackSends(".", 1421, 1, 80);
    }

    @Test
    void dataTooLargeForThePathMakesTheSynGoAgainAtOnceWithout() {
        client.learnCookie();
        client.connectWith(1400);
        Segment syn = t.stackSends("S", 0, 0, 1400);
        t.host.tcp.onIcmpError(
                IcmpError.PACKET_TOO_BIG,
                Trace.STACK.high(),
                Trace.STACK.low(),
                t.connection().localPort,
                Trace.PEER.high(),
                Trace.PEER.low(),
                Trace.PEER_PORT,
                syn.sequence,
                840,
                t.nowNs);
        t.turn();
        Segment again = t.stackSends("S", 0, 0, 0);
        assertNull(again.fastOpen);
        assertEquals(800, again.mss);
        t.peerSends("S.", 0, 1, 0);
        t.stackSends(".", 1, 1, 800);
    }

    @Test
    void synsWithDataThatCrossMakeAConnection() {
        client.learnCookie();
        client.connectWith(100);
        t.stackSends("S", 0, 0, 100);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends("S.", 0, 101, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
        t.ignoreSent();
        t.peerSends("P.", 1, 101, 30);
        t.reads(1, 30);
    }

    // ---- TCP_FASTOPEN_CONNECT ----

    private void connectDeferred() {
        client.learnCookie();
        t.options.fastOpenConnect = true;
        t.connect();
        t.peerPort = Trace.PEER_PORT;
    }

    @Test
    void aSynForWhichTheApplicationAskedToWaitWaitsAsLongAsItTakes() {
        connectDeferred();
        t.after(ms(60_000));
        t.stackSendsNothing();
        t.write(1, 10);
        t.stackSends("S", 0, 0, 10);
    }

    @Test
    void untilTheHandshakeIsCompleteNoMoreIsWrittenThanGoesWithTheSyn() {
        connectDeferred();
        assertTrue((t.socket().readiness() & TcpSocket.WRITABLE) != 0);
        assertEquals(1420, t.write(1, 3000));
        t.stackSends("S", 0, 0, 1420);
        assertEquals(0, t.write(1421, 100));
        assertEquals(0, t.socket().readiness() & TcpSocket.WRITABLE);
        t.peerSends("S.", 0, 1421, 0);
        t.stackSends(".", 1421, 1, 0);
        assertTrue((t.socket().readiness() & TcpSocket.WRITABLE) != 0);
        assertEquals(100, t.write(1421, 100));
        t.stackSends(".", 1421, 1, 100);
    }

    @Test
    void aWriteOfNothingLetsTheSynGo() {
        connectDeferred();
        t.write(1, 0);
        assertArrayEquals(COOKIE, t.stackSends("S", 0, 0, 0).fastOpen);
    }

    // ---- before accept ----

    @Test
    void anIcmpErrorEndsAConnectionThatDataHasOpenedUntilItIsAccepted() {
        Segment synAck = openedByAnySyn();
        t.host.tcp.onIcmpError(
                IcmpError.HOST_UNREACHABLE,
                Trace.STACK.high(),
                Trace.STACK.low(),
                Trace.PORT,
                Trace.PEER.high(),
                Trace.PEER.low(),
                t.peerPort,
                synAck.sequence,
                0,
                t.nowNs);
        t.socket = t.listenerOrFail().accept();
        t.reads(1, 100);
        assertEquals(TcpSocket.ERROR, t.read());
        assertEquals(TcpError.HOST_UNREACHABLE, t.socket().error());
    }
}
