package dev.millrace.compat.netty;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Servers behind this one, reached on the same event loop as the connection that asks: {@code /upstream/x} asks an HTTP server for
 * {@code /x}, {@code /redis/text} has a Redis server send {@code text} back. Where the server itself runs on one network stack and
 * its upstreams on another, one selector then holds channels of both.
 *
 * @param http the HTTP server, or null if there is none
 * @param redis the Redis server, or null if there is none
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty closes the channel of a write that fails, which ends the exchange
record Upstreams(@Nullable InetSocketAddress http, @Nullable InetSocketAddress redis) {
    private static final String HTTP = "/upstream/";
    private static final String REDIS = "/redis/";

    boolean serves(String path) {
        return (http != null && path.startsWith(HTTP)) || (redis != null && path.startsWith(REDIS));
    }

    /** Asks the server that {@code path} names and answers {@code context} with what it says, or with 502. */
    void forward(ChannelHandlerContext context, String path) {
        if (redis != null && path.startsWith(REDIS)) {
            // The end of Redis's answer is known only by its protocol, so the connection is given up by QUIT instead.
            String text = path.substring(REDIS.length());
            ask(context, redis, "PING " + text + "\r\nQUIT\r\n");
        } else if (http != null) {
            String target = "/" + path.substring(HTTP.length());
            ask(context, http, "GET " + target + " HTTP/1.0\r\nHost: upstream\r\nConnection: close\r\n\r\n");
        }
    }

    private static void ask(ChannelHandlerContext context, InetSocketAddress server, String request) {
        Bootstrap bootstrap = new Bootstrap()
                .group(context.channel().eventLoop())
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new AnswerCollector(context));
                    }
                });
        bootstrap.connect(server).addListener((ChannelFuture connected) -> {
            if (connected.isSuccess()) {
                connected.channel().writeAndFlush(Unpooled.copiedBuffer(request, StandardCharsets.US_ASCII));
            } else {
                refuse(context, String.valueOf(connected.cause()));
            }
        });
    }

    private static void refuse(ChannelHandlerContext context, String reason) {
        SiteHandler.answer(
                context, HttpResponseStatus.BAD_GATEWAY, Unpooled.copiedBuffer(reason, StandardCharsets.US_ASCII));
    }

    /** Collects what the upstream says until it closes, then passes it on as it came. */
    private static final class AnswerCollector extends ChannelInboundHandlerAdapter {
        private final ChannelHandlerContext asker;
        private final ByteBuf answer = Unpooled.buffer();

        AnswerCollector(ChannelHandlerContext asker) {
            this.asker = asker;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            answer.writeBytes(bytes);
            bytes.release();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            SiteHandler.answer(asker, HttpResponseStatus.OK, answer);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            refuse(asker, String.valueOf(cause));
            context.close();
        }
    }
}
