package dev.millrace.compat.blocking;

import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Locale;

/** One HTTP/1.1 connection, served by the thread that runs it, until either side ends it. */
final class Connection implements Runnable {
    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

    private final SocketChannel channel;
    /** Bytes that were read and not yet used, between position and limit. */
    private final ByteBuffer input =
            ByteBuffer.allocateDirect(Content.PIECE_BYTES).flip();

    private boolean keepAlive = true;

    Connection(SocketChannel channel) {
        this.channel = channel;
    }

    @Override
    public void run() {
        try (channel) {
            while (keepAlive) {
                String line = readLine();
                if (line.isEmpty()) {
                    return;
                }
                serve(line.split(" "));
            }
        } catch (EOFException e) {
            System.err.println("blocking: the peer closed in the middle of a request");
        } catch (IOException e) {
            // A peer that resets its connection is ordinary, and ends only that connection.
            keepAlive = false;
        }
    }

    private void serve(String[] request) throws IOException {
        String path = request[1];
        long bodyBytes = readHeaders();
        if (path.equals(Site.UPLOAD)) {
            answer(200, (digestOf(bodyBytes) + "\n").getBytes(StandardCharsets.US_ASCII));
        } else if (path.equals("/")) {
            answer(200, Site.page());
        } else if (path.startsWith(Site.BYTES)) {
            download(Site.numberAfter(Site.BYTES, path));
        } else if (path.startsWith(Site.SLEEP)) {
            Site.sleep(Site.numberAfter(Site.SLEEP, path));
            answer(200, Site.page());
        } else {
            answer(404, new byte[0]);
        }
    }

    private long readHeaders() throws IOException {
        long bodyBytes = 0;
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            String header = line.toLowerCase(Locale.ROOT);
            if (header.startsWith("content-length:")) {
                bodyBytes = Long.parseLong(header.substring(15).trim());
            } else if (header.startsWith("connection:") && header.contains("close")) {
                keepAlive = false;
            } else if (header.startsWith("expect:")) {
                writeFully(ByteBuffer.wrap(CONTINUE.getBytes(StandardCharsets.US_ASCII)));
            }
        }
        return bodyBytes;
    }

    /** The next line without its end; empty at the end of the headers and, before a request, at the end of the stream. */
    private String readLine() throws IOException {
        StringBuilder line = new StringBuilder();
        while (true) {
            while (input.hasRemaining()) {
                char c = (char) input.get();
                if (c == '\n') {
                    return line.toString();
                }
                if (c != '\r') {
                    line.append(c);
                }
            }
            if (!fillInput()) {
                if (line.isEmpty()) {
                    return "";
                }
                throw new EOFException();
            }
        }
    }

    private boolean fillInput() throws IOException {
        input.clear();
        int read = channel.read(input);
        input.flip();
        return read >= 0;
    }

    private String digestOf(long bodyBytes) throws IOException {
        MessageDigest digest = Content.newDigest();
        long left = bodyBytes;
        while (left > 0) {
            if (!input.hasRemaining() && !fillInput()) {
                throw new EOFException();
            }
            int bytes = (int) Math.min(left, input.remaining());
            digest.update(input.slice(input.position(), bytes));
            input.position(input.position() + bytes);
            left -= bytes;
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private void download(long length) throws IOException {
        writeFully(head(200, length));
        byte[] piece = new byte[Content.PIECE_BYTES];
        for (long offset = 0; offset < length; offset += piece.length) {
            writeFully(ByteBuffer.wrap(piece, 0, Content.fill(piece, offset, length)));
        }
    }

    private void answer(int status, byte[] body) throws IOException {
        ByteBuffer[] parts = {head(status, body.length), ByteBuffer.wrap(body)};
        while (parts[1].hasRemaining() || parts[0].hasRemaining()) {
            channel.write(parts);
        }
    }

    private ByteBuffer head(int status, long length) {
        String text = "HTTP/1.1 " + status + (status == 200 ? " OK" : " Not Found") + "\r\nContent-Length: " + length
                + "\r\nConnection: " + (keepAlive ? "keep-alive" : "close") + "\r\n\r\n";
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void writeFully(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
