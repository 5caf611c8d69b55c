package dev.millrace.compat.jetty;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import java.net.InetSocketAddress;
import java.util.Set;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.LifeCycle;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A Jetty HTTP server as anybody would write it, with the pages of {@link Site}:
 * {@code JettyHttpServer --address 0.0.0.0 --port 8080 --threads 16 --selectors 1}.
 */
public final class JettyHttpServer implements AutoCloseable {
    private final Server server;
    private final ServerConnector connector;

    private JettyHttpServer(Server server, ServerConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    public static void main(String[] args) throws Exception {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port", "threads", "selectors"));
        InetSocketAddress address =
                new InetSocketAddress(arguments.text("address", "0.0.0.0"), arguments.number("port", 8080));
        JettyHttpServer server = start(address, arguments.number("threads", 16), arguments.number("selectors", 1));
        Site.announce("jetty", server.localAddress());
        server.server.join();
    }

    /** Starts a server on {@code address} with at most {@code threads} threads, of which {@code selectors} select. */
    public static JettyHttpServer start(InetSocketAddress address, int threads, int selectors) throws Exception {
        Server server = new Server(new QueuedThreadPool(threads));
        ServerConnector connector = new ServerConnector(server, 1, selectors);
        connector.setHost(address.getHostString());
        connector.setPort(address.getPort());
        connector.setAcceptQueueSize(1024);
        server.addConnector(connector);
        server.setHandler(new SiteHandler());
        server.start();
        return new JettyHttpServer(server, connector);
    }

    public InetSocketAddress localAddress() {
        return new InetSocketAddress(connector.getHost(), connector.getLocalPort());
    }

    @Override
    public void close() {
        LifeCycle.stop(server);
    }
}
