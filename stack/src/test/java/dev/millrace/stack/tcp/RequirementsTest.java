package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.wire.IcmpError;
import dev.millrace.stack.wire.TcpSegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Labelled requirements of RFC 9293 that the tests by subject do not single out. */
class RequirementsTest {
    private static final int HEADER = 20;

    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.close();
    }

    // ---- windows ----

    @Rule("RFC 9293 MUST-1")
    @Test
    void aWindowWithItsHighestBitSetIsLargeNotNegative() {
        t.peerWindow = 0x8000;
        t.acceptConnection();
        t.write(1, 1000);
        t.stackSends(".", 1, 1, 1000);
        t.peerWindow = 0xffff;
        t.peerSends(".", 1, 1001, 0);
        assertEquals(0xffff, t.connection().sender.window.bytes());
    }

    @Rule("RFC 9293 SHLD-14")
    @Test
    void theRightEdgeOfTheWindowNeverMovesBack() {
        t.options.receiveBufferBytes = 20_000;
        t.acceptConnection();
        long edge = 0;
        long next = 1;
        for (int i = 0; i < 60; i++) {
            int length = 1 + i * 37 % 700;
            t.peerSends(".", next, 1, length);
            next += length;
            if (i % 5 == 4) {
                t.reads(next - t.socket().readableBytes(), t.socket().readableBytes() / 2);
            }
            t.after(ms(41));
            for (TcpHost.Wire wire = t.host.sent.poll(); wire != null; wire = t.host.sent.poll()) {
                Segment sent = Segment.parse(wire);
                long told = Integer.toUnsignedLong(sent.acknowledgment - t.peerIss) + sent.window;
                assertTrue(told >= edge, "from " + edge + " back to " + told);
                edge = told;
            }
        }
        assertTrue(edge > 20_000, "the window has moved");
    }

    @Rule("RFC 9293 SHLD-16")
    @Rule("RFC 9293 SHLD-17")
    @Rule("RFC 9293 MAY-7")
    @Test
    void whatWasSentIntoAWindowThatThenShrankIsRetransmittedAndNotGivenUpWhileThePeerAnswers() {
        t.acceptConnection();
        t.write(1, 2920);
        t.stackSends(".", 1, 1, 1460);
        t.stackSends(".", 1461, 1, 1460);
        t.peerWindow = 0;
        for (int i = 0; i < 40; i++) {
            t.peerSends(".", 1, 1461, 0);
            t.after(ms(30_000));
        }
        assertEquals(TcpState.ESTABLISHED, t.state());
        t.ignoreSent();
        t.after(ms(121_000));
        TcpHost.Wire wire = t.host.sent.peek();
        assertNotNull(wire);
        Segment again = Segment.parse(wire);
        assertEquals(t.stackIss + 1461, again.sequence);
        assertTrue(
                again.payload.length > 0 && again.payload.length <= 1460, "beyond the edge only what was sent before");
        t.peerSends(".", 1, 2921, 0);
        assertEquals(TcpState.ESTABLISHED, t.state());
    }

    @Rule("RFC 9293 MUST-66")
    @Rule("RFC 9293 SHLD-2")
    @Test
    void aResetCountsThoughTheWindowIsClosedAndItCarriesText() {
        t.options.receiveBufferBytes = 1000;
        t.acceptConnection();
        t.peerSends(".", 1, 1, 1000);
        t.after(ms(41));
        assertEquals(0, t.stackSends(".", 1, 1001, 0).window);
        t.peerSends("R.", 1001, 1, 20);
        assertEquals(TcpError.CONNECTION_RESET, t.socket().error());
        t.reads(1, 1000);
        assertEquals(TcpSocket.ERROR, t.read());
    }

    // ---- options ----

    @Rule("RFC 9293 MUST-65")
    @Test
    void onlyASynCarriesTheMss() {
        t.acceptConnection();
        t.write(1, 100);
        t.peerSends(".", 1, 101, 10);
        t.after(ms(41));
        t.socket().shutdownOutput();
        t.turn();
        int seen = 0;
        for (TcpHost.Wire wire = t.host.sent.poll(); wire != null; wire = t.host.sent.poll()) {
            int header = (wire.bytes()[12] >> 4 & 15) * 4;
            assertEquals(HEADER, header, "no option at all was agreed on");
            seen++;
        }
        assertTrue(seen >= 2, "data and FIN were seen");
    }

    @Rule("RFC 9293 MUST-5")
    @Rule("RFC 9293 MUST-64")
    @Test
    void optionsAreTakenFromAnySegmentAndAnyOffset() {
        t.peerClock = 100;
        t.peerSack = true;
        t.acceptConnection();
        t.write(1, 2920);
        t.ignoreSent();
        t.peerSends(".", 1, 1, 10, segment -> {
            segment.sackLeft = new int[] {t.stackIss + 1461};
            segment.sackRight = new int[] {t.stackIss + 2921};
        });
        assertEquals(10, t.socket().readableBytes());
        t.peerClock = 99; // older than the first, which therefore counted
        t.peerSends(".", 11, 1, 10);
        assertEquals(10, t.socket().readableBytes());
    }

    // ---- opening ----

    @Rule("RFC 9293 MUST-11")
    @Test
    void aResetInSynReceivedAfterAnActiveOpenIsARefusal() {
        t.connect();
        t.stackSends("S", 0, 0, 0);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends("R", 1, 0, 0);
        assertEquals(TcpError.CONNECTION_REFUSED, t.socket().error());
        t.stackSendsNothing();
    }

    @Rule("RFC 9293 MUST-41")
    @Test
    void aSecondPassiveOpenLeavesAConnectionOfItsPortAlone() {
        t.acceptConnection();
        t.listenerOrFail().close();
        TcpListener second = t.host.listen(Trace.PORT, 16, t.options);
        t.peerSends(".", 1, 1, 10);
        t.reads(1, 10);
        t.stackSends(".", 1, 11, 0);
        t.write(1, 5);
        t.stackSends(".", 1, 11, 5);
        second.close();
        assertEquals(TcpState.ESTABLISHED, t.state());
    }

    @Rule("RFC 9293 MUST-42")
    @Test
    void listeningGoesOnWhileAnotherConnectionOfThePortOpens() {
        t.listener = t.host.listen(Trace.PORT, 16, t.options);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerPort++;
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
        t.peerSends(".", 1, 1, 0);
        TcpSocket accepted = t.listenerOrFail().accept();
        assertNotNull(accepted);
        assertEquals(t.peerPort, accepted.remotePort());
    }

    @Rule("RFC 9293 MUST-15")
    @Test
    void overIpv6ThePeersMssIs1220WithoutTheOption() {
        TcpSegment syn = new TcpSegment();
        syn.mss = -1;
        assertEquals(536, SegmentArrival.peerMss(syn, true));
        assertEquals(1220, SegmentArrival.peerMss(syn, false));
    }

    // ---- keepalive, traffic class ----

    @Rule("RFC 9293 MUST-25")
    @Rule("RFC 9293 MUST-28")
    @Test
    void keepAlivesAreOffAndWouldBeginAfterTwoHours() {
        TcpOptions fresh = new TcpOptions();
        assertFalse(fresh.keepAlive);
        assertTrue(fresh.keepIdleSeconds >= 7200);
        t.acceptConnection();
        t.after(ms(4 * 3_600_000L));
        t.stackSendsNothing();
        t.socket().options().keepAlive = true;
        t.socket().optionsChanged();
        t.turn();
        t.after(ms(7_199_000));
        t.stackSendsNothing();
        t.after(ms(2_000));
        t.stackSends(".", 0, 1, 0);
    }

    @Rule("RFC 9293 MUST-48")
    @Rule("RFC 9293 SHLD-21")
    @Rule("RFC 9293 SHLD-22")
    @Test
    void theTrafficClassGoesToIpUnchangedAndCanChange() {
        t.options.trafficClass = 0x48;
        t.acceptConnection();
        assertEquals(0x48, t.host.lastTrafficClass);
        t.socket().options().trafficClass = 0xb8;
        t.socket().optionsChanged();
        t.turn();
        t.write(1, 10);
        assertEquals(0xb8, t.host.lastTrafficClass);
    }

    // ---- ICMP ----

    @Rule("RFC 9293 SHLD-26")
    @Rule("RFC 9293 MUST-56")
    @Test
    void hardErrorsEndTheHandshakeOnlyAndOthersNothing() {
        t.acceptConnection();
        t.write(1, 100);
        for (IcmpError kind : IcmpError.values()) {
            if (kind != IcmpError.PACKET_TOO_BIG) {
                quote(kind);
                assertEquals(TcpState.ESTABLISHED, t.state(), kind.toString());
            }
        }
        t.connect();
        t.ignoreSent();
        t.stackIss = t.connection().sender.iss;
        quote(IcmpError.TIME_EXCEEDED);
        quote(IcmpError.PARAMETER_PROBLEM);
        assertEquals(TcpState.SYN_SENT, t.state());
        quote(IcmpError.PROTOCOL_UNREACHABLE);
        assertEquals(TcpError.CONNECTION_REFUSED, t.socket().error());
    }

    /** An ICMP error about the first segment in flight. */
    private void quote(IcmpError kind) {
        TcpConnection c = t.connection();
        int quoted = c.sender.sequenceOf(c.sender.una);
        t.host.tcp.onIcmpError(
                kind,
                c.localHigh,
                c.localLow,
                c.localPort,
                c.remoteHigh,
                c.remoteLow,
                c.remotePort,
                quoted,
                0,
                t.nowNs);
        t.host.checkUnbroken();
    }
}
