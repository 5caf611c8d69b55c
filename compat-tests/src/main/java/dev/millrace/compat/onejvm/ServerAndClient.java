package dev.millrace.compat.onejvm;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Tally;
import dev.millrace.compat.blocking.BlockingHttpServer;
import dev.millrace.compat.client.JdkClient;
import dev.millrace.compat.jetty.JettyHttpServer;
import dev.millrace.compat.netty.NettyHttpClient;
import dev.millrace.compat.netty.NettyHttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Set;

/**
 * One of the servers, with a Netty client and the JDK's {@code HttpClient} in the same JVM, over the loopback address:
 * {@code ServerAndClient --server netty|jetty|blocking|virtual --address 127.0.0.1 --requests 10000 --connections 32 --bytes 1073741824}.
 * Prints a line per step; the exit code is 1 unless every answer was right.
 */
public final class ServerAndClient {
    private final InetSocketAddress server;
    private boolean complete = true;

    private ServerAndClient(InetSocketAddress server) {
        this.server = server;
    }

    public static void main(String[] args) throws Exception {
        Arguments arguments = Arguments.parse(args, Set.of("server", "address", "requests", "connections", "bytes"));
        InetSocketAddress address = new InetSocketAddress(arguments.text("address", "127.0.0.1"), 0);
        boolean complete;
        switch (arguments.text("server", "netty")) {
            case "netty" -> {
                try (NettyHttpServer server = NettyHttpServer.start(address, 2)) {
                    complete = new ServerAndClient(server.localAddress()).run(arguments);
                }
            }
            case "jetty" -> {
                try (JettyHttpServer server = JettyHttpServer.start(address, 16, 1)) {
                    complete = new ServerAndClient(server.localAddress()).run(arguments);
                }
            }
            case "blocking" -> complete = runBlocking(arguments, address, "platform");
            case "virtual" -> complete = runBlocking(arguments, address, "virtual");
            default -> throw new IllegalArgumentException("--server is none of netty, jetty, blocking, virtual");
        }
        System.exit(complete ? 0 : 1);
    }

    private static boolean runBlocking(Arguments arguments, InetSocketAddress address, String thread) throws Exception {
        try (BlockingHttpServer server = BlockingHttpServer.start(address, thread)) {
            return new ServerAndClient(server.localAddress()).run(arguments);
        }
    }

    private boolean run(Arguments arguments) throws InterruptedException, URISyntaxException {
        int requests = arguments.number("requests", 1000);
        int connections = arguments.number("connections", 32);
        long bytes = Long.parseLong(arguments.text("bytes", "1000000"));
        ask("keep-alive", "/bytes/1000", -1, true, connections, requests);
        ask("connection each", "/", -1, false, connections, requests);
        ask("download", "/bytes/" + bytes, -1, true, 1, 1);
        ask("upload", "/upload", bytes, true, 1, 1);
        URI url = new URI("http", null, server.getHostString(), server.getPort(), "/bytes/100000", null, null);
        report("HttpClient", JdkClient.ask(url, Math.min(requests, 100), Content.sha256(100_000)));
        return complete;
    }

    private void ask(String step, String path, long uploadBytes, boolean keepAlive, int connections, int requests)
            throws InterruptedException {
        report(step, NettyHttpClient.ask(server, path, uploadBytes, keepAlive, connections, requests, 1));
    }

    private void report(String step, Tally tally) {
        System.out.println(step + ": " + tally.summary());
        complete &= tally.isComplete();
    }
}
