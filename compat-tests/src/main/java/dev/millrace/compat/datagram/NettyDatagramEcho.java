package dev.millrace.compat.datagram;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.net.InetSocketAddress;
import java.util.Set;

/** The same with Netty: {@code NettyDatagramEcho --address 0.0.0.0 --port 7}. */
public final class NettyDatagramEcho {
    private static final int ROOM = 1 << 16;

    private NettyDatagramEcho() {}

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port"));
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        Channel channel = new Bootstrap()
                .group(loops)
                .channel(NioDatagramChannel.class)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(ROOM))
                .handler(new Echo())
                .bind(new InetSocketAddress(arguments.text("address", "0.0.0.0"), arguments.number("port", 7)))
                .sync()
                .channel();
        Site.announce("netty datagram echo", channel.localAddress());
        channel.closeFuture().sync();
    }

    private static final class Echo extends SimpleChannelInboundHandler<DatagramPacket> {
        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // failures of a void promise go down the pipeline
        protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
            context.write(new DatagramPacket(packet.content().retain(), packet.sender()), context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }
    }
}
