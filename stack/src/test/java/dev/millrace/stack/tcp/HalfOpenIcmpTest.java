package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IcmpError;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** ICMP errors about the SYN+ACK of a half-open entry, as Linux takes them for IPv4. */
@Rule("tcp.md: forged ICMP")
class HalfOpenIcmpTest {
    private final Trace t = new Trace();

    @BeforeEach
    void aSynHasCome() {
        t.listener = t.host.listen(Trace.PORT, 16, t.options);
        t.peerSends("S", 0, 0, 0);
        t.stackSends("S.", 0, 1, 0);
    }

    @AfterEach
    void close() {
        t.close();
    }

    private void icmp(IcmpError kind, int quotedSequence) {
        t.host.tcp.onIcmpError(
                kind,
                Trace.STACK.high(),
                Trace.STACK.low(),
                Trace.PORT,
                Trace.PEER.high(),
                Trace.PEER.low(),
                t.peerPort,
                quotedSequence,
                0,
                t.nowNs);
    }

    @ParameterizedTest
    @EnumSource(
            value = IcmpError.class,
            names = {"NETWORK_UNREACHABLE", "HOST_UNREACHABLE", "TIME_EXCEEDED", "PARAMETER_PROBLEM"})
    void anEntryWhosePeerCannotBeReachedIsForgotten(IcmpError kind) {
        icmp(kind, t.stackIss);
        assertEquals(1, t.count(Counter.TCP_ATTEMPT_FAILS));
        t.peerSends(".", 1, 1, 0);
        t.stackSends("R", 1, 0, 0);
    }

    @ParameterizedTest
    @EnumSource(
            value = IcmpError.class,
            names = {"PORT_UNREACHABLE", "PROTOCOL_UNREACHABLE", "ADMINISTRATIVELY_PROHIBITED", "PACKET_TOO_BIG"})
    void otherErrorsAreNoReason(IcmpError kind) {
        icmp(kind, t.stackIss);
        t.peerSends(".", 1, 1, 0);
        t.stackSendsNothing();
        assertEquals(0, t.count(Counter.TCP_ATTEMPT_FAILS));
    }

    @Test
    void whoDoesNotKnowTheNumberOfOurSynEndsNothing() {
        icmp(IcmpError.HOST_UNREACHABLE, t.stackIss + 1);
        assertEquals(1, t.count(Counter.TCP_ICMP_OUT_OF_WINDOW));
        t.peerSends(".", 1, 1, 0);
        t.stackSendsNothing();
        assertEquals(0, t.count(Counter.TCP_ATTEMPT_FAILS));
    }
}
