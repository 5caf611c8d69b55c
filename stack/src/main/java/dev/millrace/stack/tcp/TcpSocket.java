package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;

/**
 * The application's only door to a connection. Any thread may call any method, with one reader and one writer at a time (the
 * channel's read lock and write lock). Nothing blocks, and nothing is sent from the calling thread: what the core must
 * look at, it is told through its command queue, once however many calls there were.
 */
public interface TcpSocket {
    /** {@link #readiness}: the handshake is complete (stays set). */
    int CONNECTED = 1;
    /** {@link #readiness}: {@link #read} would give bytes, the end of the stream, or an error. */
    int READABLE = 1 << 1;
    /**
     * {@link #readiness}: {@link #write} would take bytes, or fail. As on Linux at least a third of the buffer is free, and less is unsent than half of what {@link
     * TcpOptions#notSentLowBytes} allows.
     */
    int WRITABLE = 1 << 2;
    /** {@link #readiness}: the peer's FIN was received; once the bytes before it are read, reads give {@link #END}. */
    int PEER_CLOSED = 1 << 3;
    /** {@link #readiness}: {@link #error} is not NONE. */
    int FAILED = 1 << 4;
    /** {@link #readiness}: everything written, and our FIN if there is one, is acknowledged (for linger). */
    int DRAINED = 1 << 5;
    /** {@link #readiness}: the core holds nothing for this connection any more, except perhaps a TIME-WAIT entry. */
    int GONE = 1 << 6;

    /** {@link #read}: the stream has ended, or the input is shut down. */
    int END = -1;
    /** {@link #read}, {@link #write}: the connection failed; see {@link #error}. */
    int ERROR = -2;

    /** What is true now; bits above. Cheap. */
    int readiness();

    TcpError error();

    /**
     * Moves up to {@code length} received bytes into {@code target} at absolute index {@code at}; the buffer's position is left alone.
     *
     * @return bytes moved; 0 when there are none now; {@link #END}; {@link #ERROR}
     */
    int read(ByteBuffer target, int at, int length);

    /**
     * Takes up to {@code length} bytes of {@code source} from absolute index {@code from}; the buffer's position is left alone. They leave
     * when the core next turns.
     *
     * @return bytes taken; 0 when the buffer is full, or as much unsent as may be; {@link #ERROR} (also when the output is shut down or the socket closed)
     */
    int write(ByteBuffer source, int from, int length);

    /**
     * Takes one byte of urgent data behind what was written before (RFC 9293 §3.8.5), as {@code send} with MSG_OOB; neither Nagle's algorithm nor
     * anything else that waits for more holds it back.
     *
     * @return 1; 0 when the buffer is full; {@link #ERROR}
     */
    int writeUrgent(byte value);

    /**
     * Says whether more will follow soon, before a {@link #write}: what that leaves over of a full segment then waits for it, for an
     * acknowledgment, or for the retransmission timeout (Linux' MSG_MORE).
     */
    void moreFollows(boolean more);

    /** Bytes that can be read now. */
    int readableBytes();

    /** Bytes that could be written now. */
    int writableBytes();

    /** FIN after everything written. Idempotent. */
    void shutdownOutput();

    /** From now on reads give {@link #END}; what arrives is acknowledged and discarded, as Linux does. Idempotent. */
    void shutdownInput();

    /**
     * Gives the connection up: FIN after everything written, or RST if received bytes were not read (RFC 1122 §4.2.2.13). The core
     * finishes on its own. Idempotent. Nothing but {@link #readiness} may be called afterwards.
     */
    void close();

    /** Gives the connection up with RST at once; bytes in flight are lost. Idempotent. */
    void abort();

    /** The options object to change, followed by {@link #optionsChanged}. */
    TcpOptions options();

    void optionsChanged();

    /** Replaces the observer; it is called at least once afterwards. {@link TcpObserver#NONE} to end. */
    void observer(TcpObserver observer);

    IpAddress localAddress();

    int localPort();

    IpAddress remoteAddress();

    int remotePort();

    /** The shard that this connection lives on. */
    int shard();
}
