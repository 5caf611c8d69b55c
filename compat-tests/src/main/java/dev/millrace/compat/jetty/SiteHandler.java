package dev.millrace.compat.jetty;

import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** The pages of {@link Site}, with Jetty's blocking streams, as most of its applications use it. Called by many threads. */
final class SiteHandler extends Handler.Abstract {
    @Override
    public boolean handle(Request request, Response response, Callback callback) throws IOException {
        String path = Request.getPathInContext(request);
        if (path.equals(Site.UPLOAD)) {
            answer(response, callback, (digestOf(request) + "\n").getBytes(StandardCharsets.US_ASCII));
        } else if (path.equals("/")) {
            answer(response, callback, Site.page());
        } else if (path.startsWith(Site.BYTES)) {
            download(request, response, callback, Site.numberAfter(Site.BYTES, path));
        } else if (path.startsWith(Site.SLEEP)) {
            Site.sleep(Site.numberAfter(Site.SLEEP, path));
            answer(response, callback, Site.page());
        } else {
            Response.writeError(request, response, callback, HttpStatus.NOT_FOUND_404);
        }
        return true;
    }

    private static void answer(Response response, Callback callback, byte[] body) {
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
        response.write(true, ByteBuffer.wrap(body), callback);
    }

    private static void download(Request request, Response response, Callback callback, long length)
            throws IOException {
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, length);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/octet-stream");
        byte[] piece = new byte[Content.PIECE_BYTES];
        try (OutputStream body = Response.asBufferedOutputStream(request, response)) {
            for (long offset = 0; offset < length; offset += piece.length) {
                body.write(piece, 0, Content.fill(piece, offset, length));
            }
        }
        callback.succeeded();
    }

    private static String digestOf(Request request) throws IOException {
        MessageDigest digest = Content.newDigest();
        byte[] piece = new byte[Content.PIECE_BYTES];
        try (InputStream body = Request.asInputStream(request)) {
            for (int read = body.read(piece); read >= 0; read = body.read(piece)) {
                digest.update(piece, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
