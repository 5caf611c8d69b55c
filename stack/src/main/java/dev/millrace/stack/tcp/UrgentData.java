package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.memory.SendBuffer;
import java.nio.ByteBuffer;

/**
 * The urgent mechanism of one connection (RFC 9293 §3.8.5), as Linux and sockets understand it: the last urgent byte alone is "out of
 * band". A sender announces it by a pointer to the byte behind it (RFC 6093 §3.1) in every segment before it; a receiver takes it out of the stream,
 * unless the application wants it in line (§6). Nobody reads it then: java.nio has no such call, and {@code Socket.setOOBInline} says
 * "silently discarded". An urgent byte that a later pointer overtakes unread is ordinary data.
 *
 * <p>Sending: the application writes {@code end}, the core reads it. Receiving: the core writes {@code mark} before it publishes the byte, the
 * reading application looks at it.
 */
final class UrgentData {
    private static final long NONE = -1;
    private static final int MAX_POINTER = 0xffff;

    // written by the application
    /** Position behind the urgent byte sent last. */
    private volatile long end = NONE;

    private volatile boolean inline;

    // written by the core
    /** Position of the urgent byte received last. */
    private volatile long mark = NONE;

    // ---- sending ----

    /** Appends an urgent byte; answers as {@link SendBuffer#write}. Application. */
    int write(SendBuffer buffer, byte value) {
        long before = end;
        end = buffer.tailAcquire() + 1; // before the byte, so that the core never sees the one without the other
        int count = buffer.write(ByteBuffer.wrap(new byte[] {value}), 0, 1);
        if (count <= 0) {
            end = before;
        }
        return count;
    }

    /** An urgent byte waits for its acknowledgment. Core. */
    boolean isUnacknowledged(long una) {
        return end > una;
    }

    /**
     * The urgent pointer of a segment that begins at {@code position}, or 0 for none. As Linux, one out of reach is announced by the largest there is once
     * what that covers has all been sent. Core.
     */
    int pointerFrom(long position, long una, long nxt) {
        long urgentEnd = end;
        if (urgentEnd <= una || urgentEnd <= position) {
            return 0;
        }
        long distance = urgentEnd - position;
        if (distance <= MAX_POINTER) {
            return (int) distance;
        }
        return position + MAX_POINTER > nxt ? MAX_POINTER : 0;
    }

    // ---- receiving ----

    /**
     * §3.10.7.4, sixth: a segment with URG whose first byte stands at {@code from}. Pointers to what has been received are old; 0 means the first byte,
     * as on Linux. Core.
     */
    void onPointer(int pointer, long from, Receiver receiver) {
        long at = from + Math.max(0, pointer - 1);
        boolean older = at <= mark && mark >= receiver.buffer.headAcquire();
        if (at >= receiver.nxt && !older) {
            mark = at;
        }
    }

    /** Whether received urgent bytes are ordinary ones. Application. */
    void inline(boolean on) {
        inline = on;
    }

    /** Whether the byte at this position is to be taken out of the stream, or one behind it. Application. */
    boolean isAhead(long head) {
        return mark >= head && !inline;
    }

    /** As {@link ReceiveBuffer#read}, without the urgent byte, at which it stops. Application. */
    int read(ReceiveBuffer buffer, ByteBuffer target, int to, int length) {
        long at = mark;
        if (at == buffer.headAcquire()) {
            buffer.skip(1);
        }
        long before = at - buffer.headAcquire();
        int count = buffer.read(target, to, before > 0 ? (int) Math.min(length, before) : length);
        if (count > 0 && count == before) {
            buffer.skip(1);
        }
        return count;
    }

    /** How many of {@code readable} bytes are there for the application. */
    int readable(ReceiveBuffer buffer, int readable) {
        long head = buffer.headAcquire();
        long at = mark;
        return !inline && at >= head && at < head + readable ? readable - 1 : readable;
    }
}
