package dev.millrace.compat.e2e;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Netty's and Jetty's HTTP servers on every link that leads to Linux, over both families: many requests on kept connections and on one
 * connection each, a gibibyte down and up, and a thousand connections at once.
 */
@RequiresLab
class HttpServersIT {
    private static final int REQUESTS = 10_000;

    @ParameterizedTest(name = "{0} on {1}")
    @Timeout(300)
    @CsvSource({
        "netty, TAP",
        "netty, DPDK_AF_PACKET",
        "netty, DPDK_AF_XDP",
        "jetty, TAP",
        "jetty, DPDK_AF_PACKET",
        "jetty, DPDK_AF_XDP"
    })
    void serveLinuxClients(String application, Wire.Kind kind) throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = kind.connect(lab);
            Path report = lab.folder().resolve("report");
            RunningProcess server = Applications.serve(
                    wire.host(),
                    wire.settings() + ";report=" + report,
                    application.equals("netty") ? Applications.NETTY : Applications.JETTY);
            KernelClients clients = new KernelClients(wire.peer(), lab.folder());
            for (String host : Wire.hosts()) {
                clients.keepAlive(host, REQUESTS);
                clients.connectionEach(host, REQUESTS);
                clients.concurrent(host, 1000);
                clients.download(host, KernelClients.GIBIBYTE);
                clients.upload(host, KernelClients.GIBIBYTE);
            }
            EndReport.of(server, report).routed("listen", "both");
        }
    }
}
