package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A conversation between the stack and a scripted peer on a manual clock. Sequence and acknowledgment numbers are relative to each side's
 * SYN, so the first byte is 1; payload byte {@code n} of either stream has the value {@code n mod 251}.
 */
final class Trace implements AutoCloseable {
    static final IpAddress STACK = IpAddress.v4(0xc6120001);
    static final IpAddress PEER = IpAddress.v4(0xc6120002);
    static final int PORT = 80;
    static final int PEER_PORT = 40000;
    static final long MS = 1_000_000L;

    final TcpHost host;
    final TcpOptions options = new TcpOptions();

    long nowNs = 1_000 * MS;
    /** Close to the end of the sequence space, so that every trace wraps. */
    int peerIss = -200;

    int stackIss;
    int peerPort = PEER_PORT;
    int stackPort = PORT;
    /** The peer's clock when it uses timestamps; −1 when it does not. */
    int peerClock = -1;

    int peerWindow = 65535;
    boolean peerSack;
    int peerScale = -1;
    int peerMss = 1460;
    int lastStackTimestamp;
    /** When the stack sent the segment that was expected last. */
    long lastSentNs;

    @Nullable
    TcpListener listener;

    @Nullable
    TcpSocket socket;

    private final ArrayDeque<Segment> out = new ArrayDeque<>();

    Trace() {
        this(TcpConfig.of(0));
    }

    Trace(TcpConfig config) {
        this(config, 64 << 20);
    }

    Trace(TcpConfig config, long bufferBytes) {
        host = new TcpHost(STACK, config, new java.util.SplittableRandom(42), bufferBytes);
        options.noDelay = true;
    }

    // ---- time ----

    static long ms(long count) {
        return count * MS;
    }

    /** Lets time pass, firing timers as they come due. */
    void after(long durationNs) {
        long until = nowNs + durationNs;
        while (true) {
            long next = host.tcp.nextDeadlineNs();
            if (next > until) {
                break;
            }
            nowNs = Math.max(nowNs, next);
            host.turn(nowNs);
        }
        nowNs = until;
        if (peerClock >= 0) {
            peerClock += (int) (durationNs / MS);
        }
        host.turn(nowNs);
        host.checkUnbroken();
    }

    // ---- peer ----

    /** The peer sends; {@code length} bytes of payload. */
    void peerSends(String flags, long sequence, long acknowledgment, int length) {
        peerSends(flags, sequence, acknowledgment, length, segment -> {});
    }

    void peerSends(String flags, long sequence, long acknowledgment, int length, Consumer<Segment> change) {
        deliver(segment(flags, sequence, acknowledgment, length, change));
        endOfBurst();
    }

    /** As {@link #peerSends}, with more segments of the same burst to follow. */
    void peerSendsInBurst(String flags, long sequence, long acknowledgment, int length) {
        deliver(segment(flags, sequence, acknowledgment, length, segment -> {}));
    }

    private Segment segment(String flags, long sequence, long acknowledgment, int length, Consumer<Segment> change) {
        Segment segment = new Segment();
        segment.sourcePort = peerPort;
        segment.destinationPort = stackPort;
        segment.flags = Segment.flagsOf(flags);
        segment.sequence = peerIss + (int) sequence;
        segment.acknowledgment = segment.has(TcpSegment.ACK) ? stackIss + (int) acknowledgment : 0;
        segment.window = peerWindow;
        segment.payload = pattern(sequence, length);
        if (segment.has(TcpSegment.SYN)) {
            segment.mss = peerMss;
            segment.sackPermitted = peerSack;
            segment.windowScale = peerScale;
        }
        if (peerClock >= 0) {
            segment.hasTimestamp = true;
            segment.timestampValue = peerClock;
            segment.timestampEcho = segment.has(TcpSegment.ACK) ? lastStackTimestamp : 0;
        }
        change.accept(segment);
        return segment;
    }

    private void deliver(Segment segment) {
        host.receive(
                new TcpHost.Wire(PEER, STACK, segment.toBytes(), SegmentOutput.Kind.DATA, nowNs, segment.trafficClass),
                nowNs);
    }

    void endOfBurst() {
        host.tcp.endOfBurst(nowNs);
        host.turn(nowNs);
        host.checkUnbroken();
    }

    static byte[] pattern(long sequence, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) ((sequence + i) % 251);
        }
        return bytes;
    }

    // ---- stack ----

    void collectSent() {
        collect();
    }

    /** The next segment that the stack has sent, or null. */
    @Nullable
    Segment pollSent() {
        return out.poll();
    }

    private void collect() {
        for (TcpHost.Wire wire = host.sent.poll(); wire != null; wire = host.sent.poll()) {
            out.add(Segment.parse(wire));
        }
    }

    /** The next segment that the stack sends has these flags, numbers and this many bytes of payload. */
    Segment stackSends(String flags, long sequence, long acknowledgment, int length) {
        collect();
        Segment next = out.poll();
        assertNotNull(next, "the stack sent nothing; expected " + flags + " " + sequence);
        if (next.has(TcpSegment.SYN)) {
            stackIss = next.sequence;
            stackPort = next.sourcePort;
        }
        lastSentNs = next.sentNs;
        if (next.hasTimestamp) {
            lastStackTimestamp = next.timestampValue;
        }
        String expected = text(flags, sequence, acknowledgment, length);
        assertEquals(expected, describe(next), "segment sent by the stack at " + nowNs / MS + " ms");
        if (length > 0) {
            org.junit.jupiter.api.Assertions.assertArrayEquals(
                    pattern(sequence + (next.has(TcpSegment.SYN) ? 1 : 0), length), next.payload);
        }
        return next;
    }

    /** Nothing is sent until this long after the last expected segment was, then this; the timer wheel's tick is allowed for. */
    Segment stackSendsAfter(long durationNs, String flags, long sequence, long acknowledgment, int length) {
        long due = lastSentNs + durationNs;
        after(due - ms(1) - nowNs);
        stackSendsNothing();
        after(due + ms(1) - nowNs);
        return stackSends(flags, sequence, acknowledgment, length);
    }

    private String describe(Segment segment) {
        long ack = segment.has(TcpSegment.ACK) ? Integer.toUnsignedLong(segment.acknowledgment - peerIss) : 0;
        String flags = segment.payload.length > 0 ? segment.flagText().replace("P", "") : segment.flagText();
        return text(flags, segment.sequence - stackIss, ack, segment.payload.length);
    }

    private static String text(String flags, long sequence, long acknowledgment, int length) {
        return flags + " seq " + sequence + " ack " + acknowledgment + " len " + length;
    }

    void stackSendsNothing() {
        collect();
        assertTrue(out.isEmpty(), () -> "the stack sent " + describe(out.peek()) + " at " + nowNs / MS + " ms");
    }

    /** Everything the stack has sent is of no interest. */
    void ignoreSent() {
        collect();
        out.clear();
    }

    // ---- application ----

    /** Handshake by a client of the stack's listener. */
    TcpSocket acceptConnection() {
        listener = host.listen(PORT, 16, options);
        peerSends("S", 0, 0, 0);
        stackSends("S.", 0, 1, 0);
        after(ms(1));
        peerSends(".", 1, 1, 0);
        socket = listener.accept();
        assertNotNull(socket, "not accepted");
        return socket;
    }

    /** SYN of an active open. */
    TcpSocket connect() {
        socket = host.connect(PEER, PEER_PORT, options, nowNs);
        return socket;
    }

    /** The application writes the next bytes of its stream, beginning at this relative number. */
    int write(long sequence, int length) {
        ByteBuffer bytes = ByteBuffer.wrap(pattern(sequence, length));
        int taken = socket().write(bytes, 0, length);
        host.turn(nowNs);
        host.checkUnbroken();
        return taken;
    }

    /** The application reads exactly these bytes of the peer's stream. */
    void reads(long sequence, int length) {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        int done = 0;
        while (done < length) {
            int count = socket().read(bytes, done, length - done);
            assertTrue(count > 0, "read gave " + count + " after " + done + " of " + length);
            done += count;
        }
        org.junit.jupiter.api.Assertions.assertArrayEquals(pattern(sequence, length), bytes.array());
        host.turn(nowNs);
        host.checkUnbroken();
    }

    /** What a read gives now. */
    int read() {
        return socket().read(ByteBuffer.allocate(64), 0, 64);
    }

    @Override
    public void close() {
        host.close();
    }

    /** The application's calls reach the core. */
    void turn() {
        host.turn(nowNs);
        host.checkUnbroken();
    }

    /** What the application holds. */
    TcpSocket socket() {
        TcpSocket there = socket;
        assertNotNull(there);
        return there;
    }

    /** The core's half of it. */
    TcpConnection connection() {
        return TcpHost.connectionOf(socket());
    }

    TcpListener listenerOrFail() {
        TcpListener there = listener;
        assertNotNull(there);
        return there;
    }

    TcpState state() {
        return connection().state();
    }

    long count(Counter counter) {
        return host.count(counter);
    }
}
