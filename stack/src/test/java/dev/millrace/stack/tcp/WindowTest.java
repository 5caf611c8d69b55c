package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Flow control: RFC 9293 §3.8.6, silly windows on both sides, probes, scaling (RFC 7323 §2). */
class WindowTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    @Test
    void sendsNothingBeyondTheWindow() {
        t.peerWindow = 2000;
        t.acceptConnection();
        t.write(1, 5000);
        t.stackSends(".", 1, 1, 1460);
        t.stackSendsNothing(); // 540 more would be silly, while 1460 are in flight
        t.peerSends(".", 1, 1461, 0);
        t.stackSends(".", 1461, 1, 1460);
    }

    @Rule("RFC 9293 MUST-38")
    @Test
    void sendsHalfTheLargestWindowAtOnce() {
        t.peerWindow = 1000;
        t.acceptConnection();
        t.write(1, 5000);
        t.stackSends(".", 1, 1, 1000);
        t.stackSendsNothing();
    }

    @Rule("RFC 9293 MUST-35")
    @Rule("RFC 9293 MUST-36")
    @Rule("RFC 9293 SHLD-29")
    @Rule("RFC 9293 SHLD-30")
    @Rule("tcp.md: Windows")
    @Rule("tcp.md: zero-window holders (sockstress)")
    @Test
    void probesAClosedWindowWithBackOff() {
        t.peerWindow = 1000;
        t.acceptConnection();
        t.write(1, 3000);
        t.stackSends(".", 1, 1, 1000);
        t.peerWindow = 0;
        t.peerSends(".", 1, 1001, 0);
        t.stackSendsNothing();
        t.after(ms(250));
        t.stackSends(".", 1000, 1, 0);
        t.peerSends(".", 1, 1001, 0);
        t.after(ms(250));
        t.stackSendsNothing();
        t.after(ms(250));
        t.stackSends(".", 1000, 1, 0);
        assertEquals(2, t.count(Counter.TCP_WINDOW_PROBES));
        t.peerWindow = 5000;
        t.peerSends(".", 1, 1001, 0);
        t.stackSends(".", 1001, 1, 1460);
        t.stackSends(".", 2461, 1, 540);
    }

    @Rule("RFC 9293 MUST-37")
    @Test
    void keepsProbingAPeerThatAnswers() {
        t.acceptConnection();
        t.peerWindow = 0;
        t.peerSends(".", 1, 1, 0);
        t.write(1, 100);
        for (int i = 0; i < 40; i++) {
            t.after(ms(120_000));
            t.ignoreSent();
            t.peerSends(".", 1, 1, 0);
        }
        assertEquals(TcpError.NONE, t.socket().error());
    }

    @Rule("tcp.md: zero-window holders (sockstress)")
    @Test
    void givesUpOnAPeerThatAnswersNoProbe() {
        t.acceptConnection();
        t.peerWindow = 0;
        t.peerSends(".", 1, 1, 0);
        t.write(1, 100);
        t.after(ms(3_600_000));
        assertEquals(TcpError.TIMED_OUT, t.socket().error());
    }

    @Rule("RFC 9293 MUST-38")
    @Test
    void overridesASillyWindowInTheEnd() {
        t.acceptConnection();
        t.peerWindow = 100;
        t.peerSends(".", 1, 1, 0);
        t.write(1, 5000);
        t.stackSendsNothing();
        t.after(ms(300));
        t.stackSends(".", 1, 1, 100);
    }

    @Rule("RFC 9293 SHLD-15")
    @Rule("RFC 9293 MUST-34")
    @Rule("tcp.md: window shrunk or negative")
    @Test
    void aShrunkWindowStopsSendingAndLosesNothing() {
        t.peerWindow = 4380;
        t.acceptConnection();
        t.write(1, 8000);
        t.stackSends(".", 1, 1, 1460);
        t.stackSends(".", 1461, 1, 1460);
        t.stackSends(".", 2921, 1, 1460);
        t.peerWindow = 0;
        t.peerSends(".", 1, 1461, 0);
        t.stackSendsNothing();
        t.peerWindow = 65535;
        t.peerSends(".", 1, 1461, 0);
        t.stackSends(".", 4381, 1, 1460);
        t.stackSends(".", 5841, 1, 1460);
    }

    @Rule("RFC 9293 MAY-8")
    @Rule("RFC 9293 MUST-39")
    @Test
    void closesItsWindowAndReopensItWhenRead() {
        t.options.receiveBufferBytes = 4000;
        t.acceptConnection();
        t.peerSends(".", 1, 1, 1460);
        assertEquals(4000 - 1460, t.stackSends(".", 1, 1461, 0).window);
        t.peerSends(".", 1461, 1, 1460);
        t.stackSends(".", 1, 2921, 0);
        t.peerSends(".", 2921, 1, 1080);
        t.after(ms(41));
        assertEquals(0, t.stackSends(".", 1, 4001, 0).window);
        t.reads(1, 1000);
        t.stackSendsNothing(); // a window of 1000 would be silly
        t.reads(1001, 1000);
        assertEquals(2000, t.stackSends(".", 1, 4001, 0).window);
    }

    @Test
    void takesNothingBeyondItsWindow() {
        t.options.receiveBufferBytes = 2000;
        t.acceptConnection();
        t.peerSends(".", 1, 1, 1460);
        t.peerSends(".", 1461, 1, 1460);
        assertEquals(2000, t.socket().readableBytes());
        t.ignoreSent();
        t.peerSends(".", 2001, 1, 100);
        assertEquals(0, t.stackSends(".", 1, 2001, 0).window);
        t.reads(1, 2000);
    }

    @Test
    void aFinTakesNoRoomInTheWindow() {
        t.options.receiveBufferBytes = 4000;
        t.acceptConnection();
        t.peerSends(".", 1, 1, 1460);
        assertEquals(4000 - 1460, t.stackSends(".", 1, 1461, 0).window);
        t.peerSends("F.", 1461, 1, 0);
        t.after(ms(41));
        assertEquals(4000 - 1460, t.stackSends(".", 1, 1462, 0).window);
    }

    @Test
    void takesTheAckOfASegmentIntoAClosedWindow() {
        t.options.receiveBufferBytes = 1000;
        t.acceptConnection();
        t.write(1, 100);
        t.peerSends(".", 1, 1, 1000);
        t.ignoreSent();
        t.peerSends(".", 1001, 101, 1);
        assertEquals(101 - 1, t.connection().sender.una);
    }

    @Rule("RFC 9293 REC-1")
    @Test
    void scalesBothWindows() {
        t.peerScale = 3;
        t.peerWindow = 1000;
        t.acceptConnection();
        t.write(1, 20_000);
        for (int i = 0; i < 5; i++) {
            t.stackSends(".", 1 + i * 1460, 1, 1460);
        }
        // 8000 − 7300 is silly
        t.stackSendsNothing();
        assertEquals(8000, t.connection().sender.window.bytes());
    }

    @Test
    void theWindowOfASynIsNotScaled() {
        t.peerScale = 7;
        t.listener = t.host.listen(Trace.PORT, 16);
        t.peerSends("S", 0, 0, 0);
        assertEquals(65535, t.stackSends("S.", 0, 1, 0).window);
        t.peerSends("P.", 1, 1, 1000);
        t.after(ms(50));
        int field = t.stackSends(".", 1, 1001, 0).window;
        assertEquals((131072 - 1000 + 127) >> 7, field);
    }

    @Rule("tcp.md: Windows")
    @Test
    void growsItsBufferForAFastPeer() {
        t.peerScale = 7;
        t.acceptConnection();
        long next = 1;
        int before = t.connection().receiver.window.capacity();
        for (int round = 0; round < 40; round++) {
            for (int i = 0; i < 40; i++) {
                t.peerSendsInBurst(".", next, 1, 1460);
                next += 1460;
            }
            t.endOfBurst();
            t.reads(next - 40 * 1460, 40 * 1460);
            t.after(ms(1));
        }
        assertTrue(
                t.connection().receiver.window.capacity() > before,
                "capacity " + t.connection().receiver.window.capacity());
    }

    @Rule("tcp.md: window shrunk or negative")
    @Test
    void whatIsLostBeyondAShrunkWindowIsNotSentAgain() {
        t.peerSack = true;
        t.acceptConnection();
        t.write(1, 14_600);
        t.ignoreSent();
        t.peerSends(".", 1, 1, 0, s -> {
            s.window = 2920;
            s.sackLeft = new int[] {t.stackIss + 7301};
            s.sackRight = new int[] {t.stackIss + 14_601};
        });
        t.stackSends(".", 1, 1, 1460);
        t.stackSends(".", 1461, 1, 1460);
        t.stackSendsNothing();
        t.peerSends(".", 1, 2921, 0, s -> {
            s.sackLeft = new int[] {t.stackIss + 7301};
            s.sackRight = new int[] {t.stackIss + 14_601};
        });
        t.stackSends(".", 2921, 1, 1460);
    }
}
