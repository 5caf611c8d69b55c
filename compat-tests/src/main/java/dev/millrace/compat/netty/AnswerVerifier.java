package dev.millrace.compat.netty;

import dev.millrace.compat.app.Content;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpChunkedInput;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;

/** One connection of {@link NettyHttpClient}: asks, digests the answer as it comes, and asks again while requests are left. */
@SuppressWarnings("FutureReturnValueIgnored") // Netty closes the channel of a write that fails, which ends the exchange
final class AnswerVerifier extends SimpleChannelInboundHandler<HttpObject> {
    private final NettyHttpClient client;
    private final NettyHttpClient.Request request;
    private final MessageDigest digest = Content.newDigest();
    private int status;
    private long startNs = System.nanoTime();
    private boolean awaitingAnswer;

    AnswerVerifier(NettyHttpClient client, NettyHttpClient.Request request) {
        this.client = client;
        this.request = request;
    }

    static String digest(byte[] bytes) {
        return HexFormat.of().formatHex(Content.newDigest().digest(bytes));
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ask(context);
    }

    private void ask(ChannelHandlerContext context) {
        awaitingAnswer = true;
        if (request.uploadBytes() < 0) {
            DefaultFullHttpRequest get = new DefaultFullHttpRequest(
                    HttpVersion.HTTP_1_1, HttpMethod.GET, request.path(), Unpooled.EMPTY_BUFFER);
            setHeaders(get.headers());
            context.writeAndFlush(get);
        } else {
            DefaultHttpRequest post = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, request.path());
            setHeaders(post.headers());
            post.headers().set(HttpHeaderNames.CONTENT_LENGTH, request.uploadBytes());
            context.write(post);
            context.writeAndFlush(new HttpChunkedInput(new ContentInput(request.uploadBytes())));
        }
    }

    private void setHeaders(HttpHeaders headers) {
        headers.set(HttpHeaderNames.HOST, "server");
        if (!request.keepAlive()) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (message instanceof HttpResponse response) {
            status = response.status().code();
        }
        if (message instanceof HttpContent content) {
            for (ByteBuffer bytes : content.content().nioBuffers()) {
                digest.update(bytes);
            }
        }
        if (message instanceof LastHttpContent) {
            onAnswer(context);
        }
    }

    private void onAnswer(ChannelHandlerContext context) {
        awaitingAnswer = false;
        String found = HexFormat.of().formatHex(digest.digest());
        if (status == 200 && found.equals(request.expected())) {
            client.tally().onAnswer(System.nanoTime() - startNs);
        } else {
            client.tally().onError("status " + status + ", digest " + found);
        }
        if (request.keepAlive()) {
            if (client.takeRequest()) {
                startNs = System.nanoTime();
                ask(context);
            } else {
                context.close();
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (awaitingAnswer) {
            client.tally().onError("the server closed before it answered");
        }
        client.onClosed();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        client.tally().onError(cause);
        awaitingAnswer = false;
        context.close();
    }
}
