package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** TCP_NOTSENT_LOWAT as Linux has it. The first window is ten segments, and a packet buffer 22: half of the peer's window. */
@Rule("tcp.md: Windows")
class NotSentLimitTest {
    private static final int FIRST_WINDOW = 14_600;
    private static final int PACKET_BUFFER = 32_120;

    private Trace t = new Trace();
    private int told;

    @AfterEach
    void close() {
        t.close();
    }

    private boolean isWritable() {
        return (t.socket().readiness() & TcpSocket.WRITABLE) != 0;
    }

    private void limitTo(int bytes) {
        t.socket().options().notSentLowBytes = bytes;
        t.socket().optionsChanged();
        t.turn();
    }

    @Test
    void withoutALimitOnlyTheBufferCounts() {
        t.acceptConnection();
        assertEquals(100_000, t.write(1, 100_000));
        assertTrue(t.write(100_001, 100_000) > 0);
    }

    @Test
    void whatIsWrittenGoesOnToTheEndOfThePacketBufferThatIsBegun() {
        t.options.notSentLowBytes = 4000;
        t.acceptConnection();
        assertEquals(PACKET_BUFFER, t.write(1, 100_000));
        assertEquals(FIRST_WINDOW, t.write(PACKET_BUFFER + 1, 100_000)); // what has left the buffer is room in it
        assertEquals(0, t.write(PACKET_BUFFER + FIRST_WINDOW + 1, 100_000));
        assertEquals(0, t.socket().writableBytes());
    }

    @Test
    void asManyPacketBuffersAreBegunAsTheLimitTakes() {
        t.options.notSentLowBytes = PACKET_BUFFER + 1;
        t.acceptConnection();
        assertEquals(2 * PACKET_BUFFER, t.write(1, 100_000));
    }

    @Test
    void aLimitOfOneByteMakesNoSegmentsOfOneByte() {
        t.options.notSentLowBytes = 1;
        t.acceptConnection();
        assertEquals(PACKET_BUFFER, t.write(1, 100_000));
        for (int i = 0; i < 10; i++) {
            t.stackSends(".", 1 + 1460L * i, 1, 1460);
        }
    }

    @Test
    void whoWaitsMayWriteOnceLessThanHalfOfTheLimitIsUnsent() {
        t.options.notSentLowBytes = 4000;
        t.acceptConnection();
        t.socket().observer(() -> told++);
        assertEquals(18_600, t.write(1, 18_600)); // 4000 are unsent
        assertFalse(isWritable());
        told = 0;
        t.after(ms(1));
        t.peerSends(".", 1, 1461, 0); // lets two segments go, and 1080 are unsent
        assertTrue(isWritable());
        assertEquals(1, told);
    }

    @Test
    void betweenHalfOfTheLimitAndAllOfItAWriteIsTakenAndNobodyWoken() {
        t.options.notSentLowBytes = 4000;
        t.acceptConnection();
        assertEquals(17_600, t.write(1, 17_600)); // 3000 are unsent
        assertFalse(isWritable());
        assertTrue(t.write(17_601, 1000) > 0);
    }

    @Test
    void aLimitSetLaterCountsFromThen() {
        t.acceptConnection();
        t.write(1, 30_000);
        assertTrue(isWritable());
        limitTo(10_000);
        assertFalse(isWritable());
        limitTo(0);
        assertTrue(isWritable());
    }

    @Test
    void theStacksLimitIsForSocketsWithoutTheirOwn() {
        t.close();
        t = new Trace(TcpConfig.of(0).withNotSentLow(4000));
        t.acceptConnection();
        t.write(1, 30_000);
        assertFalse(isWritable());
        limitTo(-1);
        assertTrue(isWritable());
        limitTo(40_000);
        assertTrue(isWritable());
    }

    @Test
    void theStacksLimitMayChangeWhileConnectionsAreThere() {
        t.acceptConnection();
        t.write(1, 30_000);
        t.host.tcp.reconfigure(TcpConfig.of(0).withNotSentLow(4000), t.nowNs);
        assertFalse(isWritable());
        t.host.tcp.reconfigure(TcpConfig.of(0), t.nowNs);
        assertTrue(isWritable());
    }
}
