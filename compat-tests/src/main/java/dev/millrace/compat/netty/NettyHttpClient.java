package dev.millrace.compat.netty;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import dev.millrace.compat.app.Tally;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A Netty HTTP client that asks a number of times, on a number of connections at once, and verifies every answer:
 * {@code NettyHttpClient --server a --port p --connections c --requests n --path /bytes/100|/upload --upload bytes --keepalive true|false}.
 * The exit code is 1 unless every answer was right.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty closes the channel of a write that fails, which ends the exchange
public final class NettyHttpClient {
    private static final int TIMEOUT_SECONDS = 300;

    private final Request request;
    private final Tally tally;
    private final AtomicInteger left;
    private final CountDownLatch ended;
    private final Bootstrap bootstrap;

    /**
     * What is asked, and how.
     *
     * @param uploadBytes the size of the body of a POST, or negative for a GET
     * @param expected the SHA-256 of the right answer's body, in hexadecimal digits
     */
    record Request(InetSocketAddress server, String path, long uploadBytes, boolean keepAlive, String expected) {}

    private NettyHttpClient(Request request, int connections, int requests, MultiThreadIoEventLoopGroup loops) {
        this.request = request;
        this.tally = new Tally(requests);
        this.left = new AtomicInteger(requests);
        this.ended = new CountDownLatch(connections);
        this.bootstrap = new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(
                                        new HttpClientCodec(),
                                        new ChunkedWriteHandler(),
                                        new AnswerVerifier(NettyHttpClient.this, request));
                    }
                });
    }

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments = Arguments.parse(
                args, Set.of("server", "port", "connections", "requests", "path", "upload", "keepalive", "threads"));
        Tally tally = ask(
                new InetSocketAddress(arguments.text("server", "127.0.0.1"), arguments.number("port", 8080)),
                arguments.text("path", "/"),
                arguments.has("upload") ? Long.parseLong(arguments.text("upload", "")) : -1,
                Boolean.parseBoolean(arguments.text("keepalive", "true")),
                arguments.number("connections", 1),
                arguments.number("requests", 1),
                arguments.number("threads", 1));
        System.out.println(tally.summary());
        System.exit(tally.isComplete() ? 0 : 1);
    }

    /** Sends so many requests for {@code path}, on so many connections at once; returns when all have ended. */
    public static Tally ask(
            InetSocketAddress server,
            String path,
            long uploadBytes,
            boolean keepAlive,
            int connections,
            int requests,
            int threads)
            throws InterruptedException {
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(threads, NioIoHandler.newFactory());
        Request request = new Request(server, path, uploadBytes, keepAlive, expected(path, uploadBytes));
        NettyHttpClient client = new NettyHttpClient(request, connections, requests, loops);
        for (int i = 0; i < connections; i++) {
            client.connectOrEnd();
        }
        if (!client.ended.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            client.tally.onError(client.ended.getCount() + " connections did not end in " + TIMEOUT_SECONDS + " s");
        }
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        return client.tally;
    }

    private static String expected(String path, long uploadBytes) {
        if (uploadBytes >= 0) {
            return AnswerVerifier.digest(
                    (Content.sha256(uploadBytes) + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        }
        return path.startsWith(Site.BYTES)
                ? Content.sha256(Site.numberAfter(Site.BYTES, path))
                : AnswerVerifier.digest(Site.page());
    }

    /** Takes one of the requests that are left; false if there is none. */
    boolean takeRequest() {
        return left.getAndDecrement() > 0;
    }

    Tally tally() {
        return tally;
    }

    /** Ends the turn of a connection that is closed: the next one takes its place if requests are left. */
    void onClosed() {
        if (request.keepAlive()) {
            ended.countDown();
        } else {
            connectOrEnd();
        }
    }

    private void connectOrEnd() {
        if (!takeRequest()) {
            ended.countDown();
            return;
        }
        bootstrap.connect(request.server()).addListener((ChannelFuture connected) -> {
            if (!connected.isSuccess()) {
                tally.onError(connected.cause());
                ended.countDown();
            }
        });
    }
}
