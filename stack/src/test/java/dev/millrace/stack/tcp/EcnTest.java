package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** RFC 3168 §6.1, in traces. */
@Rule("tcp.md: ECN")
@Rule("RFC 9293 SHLD-8")
class EcnTest {
    private Trace trace = new Trace();

    @AfterEach
    void close() {
        trace.close();
    }

    private void with(EcnMode mode) {
        with(CongestionAlgorithm.NEWRENO, mode);
    }

    private void with(CongestionAlgorithm algorithm, EcnMode mode) {
        trace.close();
        trace = new Trace(TcpConfig.of(0).withCongestion(algorithm, mode, false));
    }

    /** A client asks for ECN and the stack agrees. */
    private void accept() {
        trace.listener = trace.host.listen(Trace.PORT, 16, trace.options);
        trace.peerSends("SEW", 0, 0, 0);
        assertEquals(0, trace.stackSends("S.E", 0, 1, 0).trafficClass & Ecn.MASK);
        trace.after(ms(1));
        trace.peerSends(".", 1, 1, 0);
        trace.socket = trace.listener.accept();
        assertNotNull(trace.socket);
    }

    private void expectText(String flags, long sequence, int segments) {
        for (int i = 0; i < segments; i++) {
            Segment segment = trace.stackSends(i == 0 ? flags : ".", sequence + i * 1460L, 1, 1460);
            assertEquals(Ecn.ECT_0, segment.trafficClass & Ecn.MASK);
        }
    }

    private void peerSendsMarked(String flags, long sequence, long acknowledgment, int length, int ecn) {
        trace.peerSends(flags, sequence, acknowledgment, length, segment -> segment.trafficClass = ecn);
    }

    // ---- negotiation ----

    @ParameterizedTest
    @CsvSource({"OFF,S.", "PASSIVE,S.E", "ON,S.E"})
    void aListenerAgreesUnlessSwitchedOff(EcnMode mode, String answer) {
        with(mode);
        trace.host.listen(Trace.PORT, 16);
        trace.peerSends("SEW", 0, 0, 0);
        trace.stackSends(answer, 0, 1, 0);
    }

    @ParameterizedTest
    @CsvSource({"S", "SE", "SW"})
    void aSynWithoutBothFlagsDoesNotAsk(String flags) {
        trace.host.listen(Trace.PORT, 16);
        trace.peerSends(flags, 0, 0, 0);
        trace.stackSends("S.", 0, 1, 0);
    }

    @Test
    void aSynThatIsMarkedAsCapableItselfIsNotBelieved() {
        trace.host.listen(Trace.PORT, 16);
        peerSendsMarked("SEW", 0, 0, 0, Ecn.ECT_0);
        trace.stackSends("S.", 0, 1, 0);
    }

    @ParameterizedTest
    @CsvSource({"OFF,S", "PASSIVE,S", "ON,SEW"})
    void onlyModeOnAsks(EcnMode mode, String flags) {
        with(mode);
        trace.connect();
        assertEquals(0, trace.stackSends(flags, 0, 0, 0).trafficClass & Ecn.MASK);
    }

    @Test
    void dctcpAsksWhateverTheMode() {
        with(CongestionAlgorithm.DCTCP, EcnMode.OFF);
        trace.connect();
        trace.stackSends("SEW", 0, 0, 0);
    }

    @ParameterizedTest
    @CsvSource({"PASSIVE,S.E,true", "OFF,S.,false"})
    void aSynCookieRemembersTheAgreementInItsTimestamp(EcnMode mode, String answer, boolean agreed) {
        trace.close();
        HandshakeConfig always = new HandshakeConfig(1000, 1000, SynCookieMode.ALWAYS, FastOpenMode.OFF);
        trace = new Trace(TcpConfig.of(0).with(always).withCongestion(CongestionAlgorithm.CUBIC, mode, false));
        trace.listener = trace.host.listen(Trace.PORT, 16, trace.options);
        trace.peerClock = 1_000;
        trace.peerSends("SEW", 0, 0, 0);
        trace.stackSends(answer, 0, 1, 0);
        trace.after(ms(1));
        trace.peerSends(".", 1, 1, 0);
        trace.socket = trace.listener.accept();
        assertEquals(agreed, trace.connection().ecn.agreed());
    }

    /** §6.1.1: a SYN+ACK with both flags comes from something that reflects them. */
    @ParameterizedTest
    @CsvSource({"S.E,true", "S.,false", "S.EW,false"})
    void aSynAckWithEceAloneAgrees(String answer, boolean agreed) {
        with(EcnMode.ON);
        trace.connect();
        trace.stackSends("SEW", 0, 0, 0);
        trace.peerSends(answer, 0, 1, 0);
        trace.stackSends(".", 1, 1, 0);
        assertEquals(agreed, trace.connection().ecn.agreed());
        trace.write(1, 100);
        assertEquals(agreed ? Ecn.ECT_0 : 0, trace.stackSends(".", 1, 1, 100).trafficClass & Ecn.MASK);
    }

    @Rule("RFC 3168 §6.1.1.1")
    @Test
    void aSynThatIsNotAnsweredIsRepeatedWithoutAsking() {
        with(EcnMode.ON);
        trace.connect();
        trace.stackSends("SEW", 0, 0, 0);
        trace.stackSendsAfter(ms(1000), "S", 0, 0, 0);
        trace.stackSendsAfter(ms(2000), "S", 0, 0, 0);
        trace.peerSends("S.", 0, 1, 0);
        assertFalse(trace.connection().ecn.agreed());
    }

    @Test
    void crossedSynsAgreeWhenBothAsk() {
        with(EcnMode.ON);
        trace.connect();
        trace.stackSends("SEW", 0, 0, 0);
        trace.peerSends("SEW", 0, 0, 0);
        trace.stackSends("S.E", 0, 1, 0);
        assertTrue(trace.connection().ecn.agreed());
    }

    // ---- what may be marked ----

    @Test
    void onlyNewTextIsMarkedAsCapable() {
        accept();
        trace.write(1, 100);
        assertEquals(Ecn.ECT_0, trace.stackSends(".", 1, 1, 100).trafficClass & Ecn.MASK);
        trace.peerSends(".", 1, 1, 2000);
        assertEquals(0, trace.stackSends(".", 101, 2001, 0).trafficClass & Ecn.MASK, "a pure ACK");
        trace.after(ms(250));
        Segment again = trace.stackSends(".", 1, 2001, 100);
        trace.ignoreSent();
        assertEquals(0, again.trafficClass & Ecn.MASK, "a retransmission");
        trace.peerSends(".", 2001, 101, 0);
        trace.socket().shutdownOutput();
        trace.turn();
        assertEquals(0, trace.stackSends("F.", 101, 2001, 0).trafficClass & Ecn.MASK, "a FIN");
    }

    @Test
    void theTrafficClassOptionDoesNotReachTheEcnBits() {
        trace.options.trafficClass = 0xff;
        accept();
        trace.write(1, 100);
        assertEquals(0xfc | Ecn.ECT_0, trace.stackSends(".", 1, 1, 100).trafficClass);
        trace.peerSends(".", 1, 101, 2000);
        assertEquals(0xfc, trace.stackSends(".", 101, 2001, 0).trafficClass);
    }

    @Test
    void withoutAgreementNothingIsMarkedAndNothingEchoed() {
        trace.acceptConnection();
        trace.write(1, 100);
        assertEquals(0, trace.stackSends(".", 1, 1, 100).trafficClass & Ecn.MASK);
        peerSendsMarked(".", 1, 101, 2000, Ecn.CE);
        trace.stackSends(".", 101, 2001, 0);
        trace.write(101, 14_600);
        trace.ignoreSent();
        trace.peerSends(".E", 2001, 101 + 1460, 0);
        assertEquals(0, trace.count(Counter.TCP_ECN_REDUCTIONS));
    }

    // ---- receiver ----

    @Rule("RFC 3168 §6.1.3")
    @Test
    void everyAckEchoesAMarkUntilTheSenderSaysThatItHasReacted() {
        accept();
        peerSendsMarked(".", 1, 1, 100, Ecn.CE);
        trace.stackSends(".E", 1, 101, 0);
        peerSendsMarked(".", 101, 1, 2000, Ecn.ECT_0);
        trace.stackSends(".E", 1, 2101, 0);
        trace.write(1, 50);
        trace.stackSends(".E", 1, 2101, 50);
        peerSendsMarked(".W", 2101, 51, 100, Ecn.ECT_0);
        trace.stackSends(".", 51, 2201, 0);
        assertEquals(1, trace.count(Counter.TCP_CE_RECEIVED));
    }

    @Test
    void aMarkOnTheSegmentThatSaysCwrCountsAnew() {
        accept();
        peerSendsMarked(".", 1, 1, 100, Ecn.CE);
        trace.stackSends(".E", 1, 101, 0);
        peerSendsMarked(".W", 101, 1, 100, Ecn.CE);
        trace.stackSends(".E", 1, 201, 0);
    }

    @Rule("RFC 3168 §6.1.5")
    @Test
    void aMarkOnASegmentOutsideTheWindowIsIgnored() {
        accept();
        trace.peerSends(".", 1, 1, 2000);
        trace.stackSends(".", 1, 2001, 0);
        peerSendsMarked(".", 1, 1, 2000, Ecn.CE);
        trace.stackSends(".", 1, 2001, 0);
        peerSendsMarked(".", 1_000_001, 1, 100, Ecn.CE);
        trace.stackSends(".", 1, 2001, 0);
        assertEquals(0, trace.count(Counter.TCP_CE_RECEIVED));
    }

    // ---- sender ----

    @Rule("RFC 3168 §6.1.2")
    @ParameterizedTest
    @EnumSource(
            value = CongestionAlgorithm.class,
            names = {"NEWRENO", "CUBIC"})
    void anEchoReducesTheWindowOncePerWindowOfDataAndIsAnsweredWithCwr(CongestionAlgorithm algorithm) {
        with(algorithm, EcnMode.PASSIVE);
        accept();
        trace.write(1, 60 * 1460);
        expectText(".", 1, 10);
        long window = trace.connection().sender.cwndBytes();
        trace.peerSends(".E", 1, 1 + 2 * 1460, 0);
        long threshold = trace.connection().sender.ssthreshBytes();
        assertEquals(algorithm == CongestionAlgorithm.CUBIC ? window * 7 / 10 : window / 2, threshold);
        expectText(".W", 1 + 10 * 1460, 1); // of two that arrived, a proportion
        trace.peerSends(".E", 1, 1 + 9 * 1460, 0);
        assertEquals(threshold, trace.connection().sender.ssthreshBytes(), "one reduction per window");
        int full = (int) (threshold / 1460);
        expectText(".", 1 + 11 * 1460, full - 2); // two are in flight
        trace.peerSends(".E", 1, 1 + 10 * 1460, 0);
        assertEquals(threshold, trace.connection().sender.cwndBytes(), "what carried CWR has not arrived yet");
        expectText(".", 1 + (9L + full) * 1460, 1);
        trace.peerSends(".E", 1, 1 + 11 * 1460, 0);
        assertTrue(trace.connection().sender.ssthreshBytes() < threshold, "the next window is marked too");
        assertEquals(2, trace.count(Counter.TCP_ECN_REDUCTIONS));
    }

    /** As Linux: what is lost in the window that a mark has reduced is congestion that has been answered. */
    @Test
    void aLossWhileTheWindowShrinksForAMarkReducesNoFurther() {
        with(EcnMode.PASSIVE);
        accept();
        trace.write(1, 60 * 1460);
        expectText(".", 1, 10);
        trace.peerSends(".E", 1, 1 + 1460, 0);
        long threshold = trace.connection().sender.ssthreshBytes();
        trace.ignoreSent();
        for (int i = 0; i < 3; i++) {
            trace.peerSends(".E", 1, 1 + 1460, 0);
        }
        assertEquals(1, trace.count(Counter.TCP_FAST_RECOVERIES));
        assertEquals(threshold, trace.connection().sender.ssthreshBytes());
        trace.stackSends(".", 1 + 1460, 1, 1460);
        trace.ignoreSent();
        trace.peerSends(".", 1, 1 + 10 * 1460, 0);
        assertEquals(threshold, trace.connection().sender.cwndBytes());
    }

    @Test
    void aLossIsAnnouncedAndItsWindowNotReducedAgainForMarks() {
        with(EcnMode.PASSIVE);
        accept();
        trace.write(1, 12 * 1460);
        expectText(".", 1, 10);
        trace.peerSends(".", 1, 1, 0);
        expectText(".", 1 + 10 * 1460, 1); // limited transmit
        trace.peerSends(".", 1, 1, 0);
        expectText(".", 1 + 11 * 1460, 1);
        trace.peerSends(".", 1, 1, 0);
        assertEquals(0, trace.stackSends(".", 1, 1, 1460).trafficClass & Ecn.MASK, "a retransmission");
        long threshold = trace.connection().sender.ssthreshBytes();
        trace.peerSends(".E", 1, 1, 0);
        trace.peerSends(".E", 1, 1 + 12 * 1460, 0);
        assertEquals(0, trace.count(Counter.TCP_ECN_REDUCTIONS));
        assertEquals(threshold, trace.connection().sender.ssthreshBytes());
        trace.write(1 + 12 * 1460, 1460);
        expectText(".W", 1 + 12 * 1460, 1);
    }

    @Test
    void aTimeoutIsAnnouncedWithTheNextNewText() {
        with(EcnMode.PASSIVE);
        accept();
        trace.write(1, 10 * 1460);
        expectText(".", 1, 10);
        trace.after(ms(300));
        trace.ignoreSent();
        trace.peerSends(".", 1, 1 + 10 * 1460, 0);
        trace.write(1 + 10 * 1460, 1460);
        expectText(".W", 1 + 10 * 1460, 1);
        trace.write(1 + 11 * 1460, 1460);
        expectText(".", 1 + 11 * 1460, 1);
    }
}
