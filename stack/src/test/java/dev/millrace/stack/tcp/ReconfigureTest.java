package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Settings that change while the stack runs, as Linux' sysctls do. */
@Rule("tcp.md: Handshake")
class ReconfigureTest {
    private static final TcpConfig DEFAULT = TcpConfig.of(0);
    private static final TcpFeatures BARE = new TcpFeatures(false, false, false, QuickAck.FULL, true, Quirks.NONE);

    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.close();
    }

    @Test
    void aSynCarriesTheOptionsThatAreOnWhenItIsSent() {
        t.connect();
        assertTrue(t.stackSends("S", 0, 0, 0).sackPermitted);
        t.host.tcp.reconfigure(DEFAULT.with(BARE), t.nowNs);
        t.stackPort = 0;
        t.connect();
        Segment bare = t.stackSends("S", 0, 0, 0);
        assertFalse(bare.sackPermitted);
        assertFalse(bare.hasTimestamp);
    }

    @Test
    void whoListensAlreadyAnswersByTheLimitsOfNow() {
        t.listener = t.host.listen(Trace.PORT, 16, t.options);
        HandshakeConfig none = new HandshakeConfig(0, 0, SynCookieMode.OFF, FastOpenMode.OFF);
        t.host.tcp.reconfigure(DEFAULT.with(none), t.nowNs);
        t.peerSends("S", 0, 0, 0);
        t.stackSendsNothing();
        assertEquals(1, t.count(Counter.DROP_TCP_HALF_OPEN_FULL));
        t.host.tcp.reconfigure(DEFAULT, t.nowNs);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
    }

    @Test
    void aConnectionThatIsThereGoesOn() {
        t.acceptConnection();
        t.write(1, 100);
        t.host.tcp.reconfigure(DEFAULT.with(BARE), t.nowNs);
        t.stackSends(".", 1, 1, 100);
        t.after(ms(1));
        t.peerSends(".", 1, 101, 0);
        t.write(101, 100);
        t.stackSends(".", 101, 1, 100);
    }
}
