package dev.millrace.compat.exchange;

import dev.millrace.compat.app.Content;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Sends and receives {@link Content} on a blocking channel. One thread at a time. */
final class Bulk {
    private Bulk() {}

    static void send(SocketChannel channel, long bytes) throws IOException {
        byte[] piece = new byte[Content.PIECE_BYTES];
        for (long offset = 0; offset < bytes; offset += piece.length) {
            Request.writeAll(channel, ByteBuffer.wrap(piece, 0, Content.fill(piece, offset, bytes)));
        }
    }

    /** Reads so many bytes; their SHA-256 in hexadecimal digits. */
    static String digest(SocketChannel channel, long bytes) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            ByteBuffer buffer = ByteBuffer.allocateDirect(Content.PIECE_BYTES);
            for (long left = bytes; left > 0; left -= buffer.limit()) {
                buffer.clear().limit((int) Math.min(left, buffer.capacity()));
                if (channel.read(buffer) < 0) {
                    throw new IOException("end of stream, " + left + " of " + bytes + " bytes are missing");
                }
                digest.update(buffer.flip());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new LinkageError("every JDK has SHA-256", e);
        }
    }

    /** Reads the end of the stream, and nothing before it. */
    static void expectEnd(SocketChannel channel) throws IOException {
        if (channel.read(ByteBuffer.allocate(1)) >= 0) {
            throw new IOException("bytes after the end");
        }
    }
}
