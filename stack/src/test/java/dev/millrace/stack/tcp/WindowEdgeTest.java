package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The edges of the two windows: RFC 9293 §3.8.6, §3.10.7.4 table 6; RFC 7323 §2.3, §2.4. */
class WindowEdgeTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    /** Each window field is rounded to the scale's unit; rounding up with every byte would let the window never close. */
    @Rule("RFC 9293 SHLD-14")
    @Rule("RFC 9293 MUST-39")
    @Rule("tcp.md: Windows")
    @Test
    void tinySegmentsDoNotPushTheWindowBeyondTheBuffer() {
        t.peerScale = 7;
        t.options.receiveBufferBytes = 16 << 10;
        t.acceptConnection();
        long sequence = 1;
        int window = Integer.MAX_VALUE;
        for (int i = 0; i < 2_000 && window > 0; i++) {
            int length = i % 2 == 0 ? 1 : 13;
            t.peerSends(".", sequence, 1, length);
            sequence += length;
            t.after(ms(50));
            Segment ack = t.stackSends(".", 1, sequence, 0);
            window = ack.window << 7;
            assertTrue(sequence - 1 + window <= (16 << 10) + 128, "offered up to " + (sequence - 1 + window));
        }
        // then as much as the stack will take
        while (window > 0) {
            int length = Math.min(window, 1000);
            t.peerSends(".", sequence, 1, length);
            sequence += length;
            t.after(ms(50));
            window = t.stackSends(".", 1, sequence, 0).window << 7;
        }
        assertTrue(sequence - 1 <= (16 << 10) + 128, "took " + (sequence - 1));
        t.reads(1, (int) (sequence - 1));
    }

    /** While a full window is in flight and its first segment lost, the peer's pure ACKs carry the number just behind the window. */
    @Test
    void aPureAckAtTheRightEdgeOfTheWindowCounts() {
        t.options.receiveBufferBytes = 4000;
        t.peerWindow = 10_000;
        t.acceptConnection();
        t.write(1, 1000);
        t.stackSends(".", 1, 1, 1000);
        t.peerSends(".", 4001, 1001, 0);
        assertEquals(0, t.connection().sender.nxt - t.connection().sender.una, "acknowledged");
        assertEquals(0, t.count(Counter.DROP_TCP_OUT_OF_WINDOW));
        t.stackSendsNothing();
        t.peerSends(".", 4002, 1001, 0);
        assertEquals(1, t.count(Counter.DROP_TCP_OUT_OF_WINDOW), "beyond the edge");
    }

    /** RFC 5961: a SYN or a segment with a bad ACK is refused; what it claims as timestamp must not lock the real peer out. */
    @Test
    void aRefusedSegmentDoesNotTeachATimestamp() {
        t.peerClock = 10_000;
        t.acceptConnection();
        int real = t.peerClock;
        t.peerClock = real + 1_000_000_000;
        t.peerSends("S", 1, 0, 0);
        t.after(ms(600));
        t.peerClock = real + 1_000_000_000;
        t.peerSends(".", 1, 60_000, 10);
        t.ignoreSent();
        t.peerClock = real + 700;
        t.peerSends(".", 1, 1, 10);
        t.reads(1, 10);
        assertEquals(0, t.count(Counter.DROP_TCP_OLD_TIMESTAMP));
    }

    /** Karn's algorithm: an ACK of data sent twice measures nothing, so the backed-off timeout stays (RFC 6298 §5). */
    @Test
    void withoutTimestampsTheBackedOffTimeoutStaysUntilSomethingIsMeasured() {
        t.acceptConnection();
        long rto = t.connection().sender.rtt.rtoNs();
        t.write(1, 100);
        t.stackSends(".", 1, 1, 100);
        t.after(rto + ms(1));
        t.stackSends(".", 1, 1, 100);
        t.after(ms(1));
        t.peerSends(".", 1, 101, 0);
        assertEquals(2 * rto, t.connection().sender.rtt.rtoNs());
        t.write(101, 100);
        t.stackSends(".", 101, 1, 100);
        t.after(ms(1));
        t.peerSends(".", 1, 201, 0);
        assertTrue(t.connection().sender.rtt.rtoNs() <= rto, "measured");
    }
}
