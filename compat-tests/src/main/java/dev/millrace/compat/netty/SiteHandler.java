package dev.millrace.compat.netty;

import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** The pages of {@link Site}, and those of {@link Upstreams} where the server was given any. One instance per connection. */
@SuppressWarnings("FutureReturnValueIgnored") // Netty closes the channel of a write that fails, which ends the exchange
final class SiteHandler extends SimpleChannelInboundHandler<HttpObject> {
    private final Upstreams upstreams;
    private @Nullable MessageDigest upload;

    SiteHandler(Upstreams upstreams) {
        this.upstreams = upstreams;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (message instanceof HttpRequest request) {
            onRequest(context, request);
        }
        if (message instanceof HttpContent content && upload != null) {
            onUpload(context, content, upload);
        }
    }

    private void onRequest(ChannelHandlerContext context, HttpRequest request) {
        String path = request.uri();
        if (request.method().equals(HttpMethod.POST) || request.method().equals(HttpMethod.PUT)) {
            upload = Content.newDigest();
        } else if (path.equals("/")) {
            answer(context, HttpResponseStatus.OK, Unpooled.wrappedBuffer(Site.page()));
        } else if (path.startsWith(Site.BYTES)) {
            download(context, Site.numberAfter(Site.BYTES, path));
        } else if (path.startsWith(Site.SLEEP)) {
            Site.sleep(Site.numberAfter(Site.SLEEP, path));
            answer(context, HttpResponseStatus.OK, Unpooled.wrappedBuffer(Site.page()));
        } else if (upstreams.serves(path)) {
            upstreams.forward(context, path);
        } else {
            answer(context, HttpResponseStatus.NOT_FOUND, Unpooled.EMPTY_BUFFER);
        }
    }

    private void download(ChannelHandlerContext context, long bytes) {
        DefaultHttpResponse response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, bytes);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "application/octet-stream");
        context.write(response);
        context.writeAndFlush(new HttpChunkedInput(new ContentInput(bytes)));
    }

    private void onUpload(ChannelHandlerContext context, HttpContent content, MessageDigest digest) {
        for (ByteBuffer bytes : content.content().nioBuffers()) {
            digest.update(bytes);
        }
        if (content instanceof LastHttpContent) {
            String hex = HexFormat.of().formatHex(digest.digest());
            upload = null;
            answer(context, HttpResponseStatus.OK, Unpooled.copiedBuffer(hex + "\n", StandardCharsets.US_ASCII));
        }
    }

    static void answer(ChannelHandlerContext context, HttpResponseStatus status, ByteBuf body) {
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes());
        context.writeAndFlush(response);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // A peer that resets its connection is ordinary; anything else is a fault that the test's log must show.
        if (!(cause instanceof IOException)) {
            System.err.println("netty: " + context.channel() + ": " + cause);
        }
        context.close();
    }
}
