package dev.millrace.stack.tcp;

import static dev.millrace.stack.tcp.Trace.ms;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The urgent mechanism: RFC 9293 §3.8.5, RFC 6093, and what sockets made of it. */
@Rule("RFC 9293 MUST-30")
@Rule("tcp.md: TCP core")
class UrgentDataTest {
    private final Trace t = new Trace();

    @AfterEach
    void close() {
        t.host.close();
    }

    private int writeUrgent(long sequence) {
        int count = t.socket().writeUrgent(Trace.pattern(sequence, 1)[0]);
        t.turn();
        return count;
    }

    private void peerSendsUrgent(long sequence, int length, int pointer) {
        t.peerSends("UP.", sequence, 1, length, s -> s.urgentPointer = pointer);
    }

    private byte[] readAll() {
        ByteBuffer bytes = ByteBuffer.allocate(256);
        int done = 0;
        for (int count = t.socket().read(bytes, 0, 256);
                count > 0;
                count = t.socket().read(bytes, done, 256)) {
            done += count;
        }
        t.turn();
        return Arrays.copyOf(bytes.array(), done);
    }

    // ---- sending ----

    @Rule("RFC 9293 MUST-62")
    @Test
    void thePointerIsThatOfTheByteBehindTheUrgentOne() {
        t.acceptConnection();
        assertEquals(1, writeUrgent(1));
        assertEquals(1, t.stackSends("U.", 1, 1, 1).urgentPointer);
        t.peerSends(".", 1, 2, 0);
        t.write(2, 100);
        t.stackSends(".", 2, 1, 100);
    }

    @Test
    void everySegmentBeforeItAnnouncesIt() {
        t.acceptConnection();
        t.write(1, 14_600);
        t.ignoreSent();
        t.write(14_601, 1000);
        writeUrgent(15_601);
        t.stackSendsNothing();
        t.peerSends(".", 1, 2921, 0);
        Segment next = t.stackSends("U.", 14_601, 1, 1001);
        assertEquals(1001, next.urgentPointer);
        t.write(15_602, 50);
        t.stackSends(".", 15_602, 1, 50);
    }

    @Test
    void anUrgentByteOutOfReachIsAnnouncedOnceThePointerCoversAllThatWasSent() {
        t.options.sendBufferBytes = 200_000;
        t.peerScale = 7;
        t.acceptConnection();
        t.write(1, 100_000);
        t.ignoreSent();
        writeUrgent(100_001);
        t.peerSends(".", 1, 1461, 0);
        Segment next = t.stackSends("U.", 14_601, 1, 1460);
        assertEquals(0xffff, next.urgentPointer);
    }

    @Test
    void anUrgentByteIsRetransmittedAsUrgent() {
        t.acceptConnection();
        writeUrgent(1);
        t.stackSends("U.", 1, 1, 1);
        t.after(ms(1500));
        assertEquals(1, t.stackSends("U.", 1, 1, 1).urgentPointer);
    }

    @Test
    void naglesAlgorithmDoesNotHoldItBack() {
        t.options.noDelay = false;
        t.acceptConnection();
        t.write(1, 10);
        t.stackSends(".", 1, 1, 10);
        t.write(11, 10);
        t.stackSendsNothing();
        writeUrgent(21);
        assertEquals(11, t.stackSends("U.", 11, 1, 11).urgentPointer);
    }

    @Test
    void aClosedWindowLearnsOfItByTheProbes() {
        t.peerWindow = 0;
        t.acceptConnection();
        writeUrgent(1);
        t.after(ms(1100));
        Segment probe = t.stackSends("U.", 0, 1, 0);
        assertEquals(2, probe.urgentPointer);
    }

    @Test
    void whatDoesNotFitIsNotAnnounced() {
        t.options.sendBufferBytes = 9000;
        t.acceptConnection();
        t.write(1, 9000);
        t.ignoreSent();
        assertEquals(0, writeUrgent(9001));
        t.peerSends(".", 1, 9001, 0);
        t.write(9001, 100);
        t.stackSends(".", 9001, 1, 100);
    }

    // ---- receiving ----

    @Test
    void theUrgentByteIsTakenOutOfTheStream() {
        t.acceptConnection();
        peerSendsUrgent(1, 10, 10);
        assertEquals(9, t.socket().readableBytes());
        assertArrayEquals(Trace.pattern(1, 9), readAll());
        t.peerSends("P.", 11, 1, 5);
        assertArrayEquals(Trace.pattern(11, 5), readAll());
    }

    @Test
    void anUrgentByteAloneIsNothingToRead() {
        t.acceptConnection();
        peerSendsUrgent(1, 1, 1);
        assertEquals(0, t.socket().readiness() & TcpSocket.READABLE);
        assertEquals(0, t.read());
        t.peerSends("F.", 2, 1, 0);
        assertEquals(TcpSocket.END, t.read());
    }

    @Test
    void aReadStopsAtTheUrgentByte() {
        t.acceptConnection();
        peerSendsUrgent(1, 100, 40);
        ByteBuffer bytes = ByteBuffer.allocate(100);
        assertEquals(39, t.socket().read(bytes, 0, 100));
        assertEquals(60, t.socket().readableBytes());
        assertArrayEquals(Trace.pattern(41, 60), readAll());
    }

    @Test
    void thePointerMayComeLongBeforeTheByte() {
        t.acceptConnection();
        peerSendsUrgent(1, 0, 21);
        t.peerSends("P.", 1, 1, 30);
        byte[] expected = new byte[29];
        System.arraycopy(Trace.pattern(1, 20), 0, expected, 0, 20);
        System.arraycopy(Trace.pattern(22, 9), 0, expected, 20, 9);
        assertArrayEquals(expected, readAll());
    }

    @Rule("RFC 9293 MUST-31")
    @Test
    void inLineItIsReadLikeAnyOther() {
        t.options.oobInline = true;
        t.acceptConnection();
        peerSendsUrgent(1, 10, 10);
        assertTrue((t.socket().readiness() & TcpSocket.READABLE) != 0);
        t.reads(1, 10);
    }

    @Test
    void aPointerToWhatWasReadMeansNothing() {
        t.acceptConnection();
        t.peerSends("P.", 1, 1, 10);
        peerSendsUrgent(1, 20, 10);
        assertArrayEquals(Trace.pattern(1, 20), readAll());
    }

    @Test
    void aLaterUrgentByteMakesAnEarlierOneOrdinary() {
        t.acceptConnection();
        peerSendsUrgent(1, 10, 5);
        peerSendsUrgent(11, 10, 5);
        byte[] expected = new byte[19];
        System.arraycopy(Trace.pattern(1, 14), 0, expected, 0, 14);
        System.arraycopy(Trace.pattern(16, 5), 0, expected, 14, 5);
        assertArrayEquals(expected, readAll());
    }
}
