package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.Test;

/** RFC 8257: the sender's estimate, and the receiver's exact echo. */
@Rule("tcp.md: Congestion control")
class DctcpTest {
    private static final int MSS = 1000;

    private final AckSample sample = new AckSample();
    private long position;

    /** An observation window, which is 101 acknowledgments with 100 segments in flight, of which so many with ECE. */
    private void round(Dctcp control, int marked) {
        for (int i = 0; i < 101; i++) {
            position += MSS;
            sample.ackedBytes = MSS;
            sample.unacknowledgedPosition = position;
            sample.nextPosition = position + 100 * MSS;
            sample.ecnEcho = i < marked;
            control.onSample(sample);
        }
    }

    private static Dctcp withWindow(int segments) {
        Dctcp control = new Dctcp();
        control.onEstablished(MSS, false);
        AckSample sample = new AckSample();
        sample.arrivedBytes = MSS;
        sample.windowLimited = true;
        for (int i = 10; i < segments; i++) {
            control.onAck(sample);
        }
        assertEquals((long) segments * MSS, control.cwndBytes());
        return control;
    }

    @Rule("RFC 8257 §4.2")
    @Test
    void theFirstMarkHalvesTheWindow() {
        Dctcp control = withWindow(100);
        control.onEcnEcho(0);
        assertEquals(50 * MSS, control.cwndBytes());
    }

    @Rule("RFC 8257 §3.3")
    @Test
    void theWindowShrinksInProportionToTheShareOfMarkedBytes() {
        Dctcp control = withWindow(100);
        for (int i = 0; i < 200; i++) {
            round(control, 10);
        }
        control.onEcnEcho(0);
        assertEquals(95.0 * MSS, (double) control.cwndBytes(), MSS / 10.0);
    }

    @Test
    void withoutMarksTheEstimateFadesByASixteenthPerRound() {
        Dctcp control = withWindow(100);
        for (int i = 0; i < 16; i++) {
            round(control, 0);
        }
        control.onEcnEcho(0);
        double alpha = Math.pow(15.0 / 16, 16);
        assertEquals(100_000 * (1 - alpha / 2), (double) control.cwndBytes(), 100);
    }

    @Rule("RFC 8257 §3.5")
    @Test
    void aLossHalvesTheWindowWhateverTheEstimate() {
        Dctcp control = withWindow(100);
        for (int i = 0; i < 200; i++) {
            round(control, 0);
        }
        control.onLoss(0);
        assertEquals(50 * MSS, control.cwndBytes());
    }

    @Test
    void theWindowStaysTwoSegmentsAtLeast() {
        Dctcp control = withWindow(10);
        for (int i = 0; i < 10; i++) {
            control.onEcnEcho(0);
        }
        assertEquals(2 * MSS, control.cwndBytes());
    }

    // ---- receiver ----

    private static void peerSends(Trace trace, long sequence, int length, int ecn) {
        trace.peerSends(".", sequence, 1, length, segment -> segment.trafficClass = ecn);
    }

    private static Trace accepted() {
        Trace trace = new Trace(TcpConfig.of(0).withCongestion(CongestionAlgorithm.DCTCP, EcnMode.OFF, false));
        trace.listener = trace.host.listen(Trace.PORT, 16, trace.options);
        trace.peerSends("SEW", 0, 0, 0, segment -> segment.trafficClass = Ecn.ECT_0); // as Linux with dctcp does
        trace.stackSends("S.E", 0, 1, 0);
        trace.after(ms(1));
        trace.peerSends(".", 1, 1, 0);
        trace.socket = trace.listener.accept();
        assertNotNull(trace.socket);
        return trace;
    }

    @Rule("RFC 8257 §3.2")
    @Test
    void acksSayWhetherWhatTheyAcknowledgeWasMarked() {
        try (Trace trace = accepted()) {
            int[] marks = {Ecn.ECT_0, Ecn.CE, Ecn.CE, Ecn.ECT_0, Ecn.ECT_0, Ecn.CE};
            for (int i = 0; i < marks.length; i++) {
                peerSends(trace, 1 + 1460L * i, 1460, marks[i]);
                trace.stackSends(marks[i] == Ecn.CE ? ".E" : ".", 1, 1461 + 1460L * i, 0);
            }
        }
    }

    @Rule("RFC 8257 §3.2")
    @Test
    void whenMarksBeginWhatWaitsForAnAckIsAcknowledgedAsUnmarkedFirst() {
        try (Trace trace = accepted()) {
            peerSends(trace, 1, 100, Ecn.ECT_0);
            trace.stackSendsNothing(); // delayed
            peerSends(trace, 101, 100, Ecn.CE);
            trace.stackSends(".", 1, 101, 0);
            trace.stackSends(".E", 1, 201, 0);
            peerSends(trace, 201, 100, Ecn.CE);
            trace.stackSendsNothing(); // marks go on: delayed again
            peerSends(trace, 301, 100, Ecn.ECT_0);
            trace.stackSends(".E", 1, 301, 0);
            trace.stackSends(".", 1, 401, 0);
        }
    }

    @Test
    void withoutEcnItIsReno() {
        try (Trace trace = new Trace(TcpConfig.of(0).withCongestion(CongestionAlgorithm.DCTCP, EcnMode.OFF, false))) {
            trace.acceptConnection();
            trace.write(1, 20 * 1460);
            trace.ignoreSent();
            trace.peerSends(".E", 1, 1 + 1460, 0);
            assertTrue(trace.connection().sender.cwndBytes() > 10 * 1460);
        }
    }
}
