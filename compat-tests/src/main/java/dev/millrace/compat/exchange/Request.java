package dev.millrace.compat.exchange;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/**
 * What a client asks for first on its connection; on the wire a byte for the kind and eight for the length.
 *
 * @param kind what is wanted
 * @param bytes how many bytes of {@code Content}
 */
record Request(Kind kind, long bytes) {
    /** Who sends the bytes. */
    enum Kind {
        /** The server sends them, and closes. */
        DOWN,
        /** The client sends them; the server answers with their SHA-256 in hexadecimal digits, and closes. */
        UP
    }

    private static final int WIRE_BYTES = 9;

    void write(SocketChannel channel) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(WIRE_BYTES);
        buffer.put((byte) kind.ordinal()).putLong(bytes).flip();
        writeAll(channel, buffer);
    }

    static Request read(SocketChannel channel) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(WIRE_BYTES);
        readAll(channel, buffer);
        int kind = buffer.flip().get();
        if (kind < 0 || kind >= Kind.values().length) {
            throw new IOException("request of kind " + kind);
        }
        return new Request(Kind.values()[kind], buffer.getLong());
    }

    static void writeAll(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    static void readAll(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("end of stream after " + buffer.position() + " bytes of " + buffer.limit());
            }
        }
    }
}
