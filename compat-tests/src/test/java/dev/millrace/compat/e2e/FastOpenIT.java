package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.app.Site;
import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** TCP Fast Open with the kernel as peer, which has been told to use it in its namespace; tshark sees cookies and data with SYNs. */
@RequiresLab
@Timeout(200)
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
class FastOpenIT {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int CLIENT_AND_SERVER = 3;
    /** Every listener, whether it asks for Fast Open or not. */
    private static final int WITHOUT_SOCKET_OPTION = 0x400;

    private static final String SYN = "tcp.flags.syn == 1 && tcp.flags.ack == 0";
    private static final String SYN_ACK = "tcp.flags.syn == 1 && tcp.flags.ack == 1";
    private static final int REQUESTS = 5;

    private static void kernelUses(Namespace namespace, int mode) {
        namespace.succeed("sysctl", "-qw", "net.ipv4.tcp_fastopen=" + mode);
    }

    /** Curl asks for a cookie first and sends its requests with the SYN then; Netty, unchanged, answers. */
    @Test
    void aServerTakesDataWithTheKernelsSyns() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            kernelUses(wire.peer(), CLIENT_AND_SERVER);
            Path capture = lab.folder().resolve("server.pcapng");
            Path report = lab.folder().resolve("report");
            RunningProcess server = Applications.serve(
                    wire.host(),
                    wire.settings() + ";fastopen=server;capture=" + capture + ";report=" + report,
                    Applications.NETTY);
            for (String host : Wire.hosts()) {
                for (int i = 1; i <= REQUESTS; i++) {
                    String digest = wire.peer()
                            .digest(
                                    LIMIT,
                                    List.of(
                                            "curl",
                                            "-sS",
                                            "--fail",
                                            "--tcp-fastopen",
                                            KernelClients.url(host, Site.BYTES + i * 10_000)));
                    assertEquals(KernelClients.sha256(i * 10_000L), digest);
                }
            }
            long opened = EndReport.of(server, report).counter("TCP_FAST_OPEN_PASSIVE");
            assertEquals(2 * (REQUESTS - 1), opened, "opened by data");
            Tshark tshark = new Tshark(capture);
            assertEquals(2, tshark.count(SYN_ACK + " && tcp.options.tfo.cookie"), "cookies given");
            for (String family : List.of("ip", "ipv6")) {
                assertEquals(
                        REQUESTS - 1,
                        tshark.count(family + " && " + SYN + " && tcp.options.tfo.cookie && tcp.len > 0"),
                        "SYNs with data over " + family);
            }
            assertEquals(
                    2 * (REQUESTS - 1),
                    tshark.values(SYN_ACK + " && tcp.ack > 1", "tcp.ack").size(),
                    "the data is acknowledged with the SYN");
        }
    }

    /** An unchanged Netty client with {@code fastopen=connect}; the kernel's TCP takes the data. */
    @Test
    void aClientSendsDataWithItsSyns() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            kernelUses(wire.peer(), CLIENT_AND_SERVER | WITHOUT_SOCKET_OPTION);
            RunningProcess server = wire.peer()
                    .start("kernel server", Applications.application().onKernel(Applications.NETTY));
            server.awaitLine(Duration.ofSeconds(30), line -> line.startsWith("LISTENING"));
            for (String peer : List.of(Wire.PEER4, Wire.PEER6)) {
                Path capture = lab.folder().resolve("client.pcapng");
                Path report = lab.folder().resolve("report");
                Command.Result result = wire.host()
                        .run(
                                LIMIT,
                                Applications.application()
                                        .onMillrace(
                                                wire.settings() + ";fastopen=connect;capture=" + capture + ";report="
                                                        + report,
                                                Applications.NETTY_CLIENT,
                                                "--server",
                                                peer,
                                                "--requests",
                                                Integer.toString(REQUESTS),
                                                "--keepalive",
                                                "false",
                                                "--path",
                                                "/bytes/20000"));
                assertEquals(0, result.exitCode(), result.output());
                Tshark tshark = new Tshark(capture);
                assertEquals(1, tshark.count(SYN + " && tcp.options.tfo.request"), "cookies asked for");
                int withData = tshark.count(SYN + " && tcp.options.tfo.cookie && tcp.len > 0");
                // the first write may come later than a SYN waits on a busy machine
                assertTrue(withData >= 1 && withData <= REQUESTS - 1, withData + " SYNs with data to " + peer);
                assertEquals(
                        withData,
                        new EndReport(Files.readString(report)).counter("TCP_FAST_OPEN_ACTIVE"),
                        "acknowledged with the SYN");
            }
        }
    }
}
