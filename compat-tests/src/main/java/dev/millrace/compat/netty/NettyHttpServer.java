package dev.millrace.compat.netty;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerExpectContinueHandler;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.net.InetSocketAddress;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A Netty HTTP server as anybody would write it, with the pages of {@link Site}:
 * {@code NettyHttpServer --address 0.0.0.0 --port 8080 --threads 2 [--upstream host:port] [--redis host:port]}.
 */
public final class NettyHttpServer implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup loops;
    private final Channel listener;

    private NettyHttpServer(MultiThreadIoEventLoopGroup loops, Channel listener) {
        this.loops = loops;
        this.listener = listener;
    }

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port", "threads", "upstream", "redis"));
        Upstreams upstreams = new Upstreams(server(arguments, "upstream"), server(arguments, "redis"));
        InetSocketAddress address =
                new InetSocketAddress(arguments.text("address", "0.0.0.0"), arguments.number("port", 8080));
        NettyHttpServer server = start(address, arguments.number("threads", 2), upstreams);
        Site.announce("netty", server.localAddress());
        server.listener.closeFuture().sync();
    }

    /** Starts a server on {@code address} with so many event loops. */
    public static NettyHttpServer start(InetSocketAddress address, int threads) throws InterruptedException {
        return start(address, threads, new Upstreams(null, null));
    }

    private static NettyHttpServer start(InetSocketAddress address, int threads, Upstreams upstreams)
            throws InterruptedException {
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(threads, NioIoHandler.newFactory());
        Channel listener = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        addHandlers(channel.pipeline(), upstreams);
                    }
                })
                .bind(address)
                .sync()
                .channel();
        return new NettyHttpServer(loops, listener);
    }

    private static void addHandlers(ChannelPipeline pipeline, Upstreams upstreams) {
        pipeline.addLast(new HttpServerCodec());
        pipeline.addLast(new HttpServerKeepAliveHandler());
        pipeline.addLast(new HttpServerExpectContinueHandler());
        pipeline.addLast(new ChunkedWriteHandler());
        pipeline.addLast(new SiteHandler(upstreams));
    }

    private static @Nullable InetSocketAddress server(Arguments arguments, String name) {
        if (!arguments.has(name)) {
            return null;
        }
        String value = arguments.text(name, "");
        int colon = value.lastIndexOf(':');
        return new InetSocketAddress(value.substring(0, colon), Integer.parseInt(value.substring(colon + 1)));
    }

    public InetSocketAddress localAddress() {
        return (InetSocketAddress) listener.localAddress();
    }

    @Override
    public void close() {
        listener.close().syncUninterruptibly();
        loops.shutdownGracefully().syncUninterruptibly();
    }
}
