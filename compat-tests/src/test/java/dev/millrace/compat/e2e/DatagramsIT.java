package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Datagram applications on Millrace, with kernel sockets across the link and on loopback as their peers: every byte is compared. */
@RequiresLab
@Timeout(300)
class DatagramsIT {
    private static final String ECHO = "dev.millrace.compat.datagram.DatagramEcho";
    private static final String NETTY_ECHO = "dev.millrace.compat.datagram.NettyDatagramEcho";
    private static final String LOAD = "dev.millrace.compat.datagram.DatagramLoad";
    private static final String NAME_SERVER = "dev.millrace.compat.datagram.TinyNameServer";
    private static final String LOOKUP = "dev.millrace.compat.datagram.NameLookup";

    private static final int BULK = 100_000;
    private static final Duration START = Duration.ofSeconds(30);
    private static final Duration LIMIT = Duration.ofMinutes(2);

    @ParameterizedTest
    @EnumSource(names = {"TAP", "DPDK_AF_PACKET"})
    void anEchoServerOnAWildcardAnswersTheKernel(Wire.Kind kind) throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = kind.connect(lab);
            Path report = lab.folder().resolve("report");
            RunningProcess server =
                    Applications.serve(wire.host(), wire.settings() + ";report=" + report, ECHO, "--address", "::");
            load(wire.peer(), kernel(), Wire.HOST4, BULK, 100, 32);
            load(wire.peer(), kernel(), Wire.HOST6, BULK, 100, 32);
            load(wire.peer(), kernel(), Wire.HOST4, 500, largest(kind), 1);
            load(wire.peer(), kernel(), Wire.HOST6, 500, 60_000, 1);
            load(wire.host(), kernel(), "127.0.0.1", 1000, 1000, 8);
            EndReport end = EndReport.of(server, report).routed("datagrams at", "both");
            assertEquals(0, end.counter("CORE_INVARIANT_BROKEN"), end.text());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TAP", "DPDK_AF_PACKET"})
    void aConnectedClientAsksTheKernel(Wire.Kind kind) throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = kind.connect(lab);
            kernelServer(wire.peer(), ECHO, "--address", "::");
            kernelServer(wire.host(), ECHO, "--address", "127.0.0.1");
            Path report = lab.folder().resolve("report");
            String settings = wire.settings() + ";report=" + report;
            load(wire.host(), settings, Wire.PEER4, BULK, 100, 32);
            routed(report, "datagrams to", "stack");
            load(wire.host(), settings, Wire.PEER6, BULK, 100, 32);
            routed(report, "datagrams to", "stack");
            load(wire.host(), settings, Wire.PEER4, 500, largest(kind), 1);
            load(wire.host(), settings, Wire.PEER6, 500, 60_000, 1);
            load(wire.host(), settings, "127.0.0.1", 1000, 1000, 8);
            routed(report, "datagrams to", "kernel");
        }
    }

    @Test
    void aBlockingServerOnTheLinksAddressWithTwoShards() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            Path report = lab.folder().resolve("report");
            RunningProcess server = Applications.serve(
                    wire.host(),
                    wire.settings() + ";shards=2;report=" + report,
                    ECHO,
                    "--address",
                    Wire.HOST4,
                    "--mode",
                    "blocking");
            load(wire.peer(), kernel(), Wire.HOST4, 20_000, 1000, 16);
            EndReport.of(server, report).routed("datagrams at", "stack");
        }
    }

    @Test
    void nettyAnswersTheKernel() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            Path report = lab.folder().resolve("report");
            RunningProcess server = Applications.serve(
                    wire.host(), wire.settings() + ";report=" + report, NETTY_ECHO, "--address", "::");
            load(wire.peer(), kernel(), Wire.HOST4, BULK, 500, 32);
            load(wire.peer(), kernel(), Wire.HOST6, BULK, 500, 32);
            load(wire.peer(), kernel(), Wire.HOST4, 300, 20_000, 1);
            EndReport.of(server, report).routed("datagrams at", "both");
        }
    }

    @Test
    void theJdksNameServiceAsksOverTheLinkAndOverTheKernel() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            kernelServer(wire.peer(), NAME_SERVER, "--address", Wire.PEER4, "--answer", "198.18.7.7");
            kernelServer(wire.host(), NAME_SERVER, "--address", "127.0.0.1", "--answer", "198.18.8.8");
            Path report = lab.folder().resolve("report");
            String settings = wire.settings() + ";report=" + report;
            assertEquals(
                    "198.18.7.7\n".repeat(100), answers(run(wire.host(), settings, LOOKUP, "--server", Wire.PEER4)));
            routed(report, "datagrams", "stack");
            assertEquals(
                    "198.18.8.8\n".repeat(100), answers(run(wire.host(), settings, LOOKUP, "--server", "127.0.0.1")));
            routed(report, "datagrams", "kernel");
        }
    }

    @Test
    void aPortThatNobodyHasIsUnreachable() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            for (String peer : List.of(Wire.PEER4, Wire.PEER6, "127.0.0.1")) {
                Command.Result result =
                        wire.host().run(LIMIT, command(wire.settings(), LOAD, "--server", peer, "--datagrams", "10"));
                assertTrue(result.output().contains("java.net.PortUnreachableException"), result.output());
            }
        }
    }

    /**
     * DPDK's net_af_packet asks the kernel to put IPv4 fragments together (PACKET_FANOUT_FLAG_DEFRAG) into frames that it then has no room for: none
     * arrive. IPv6's do.
     */
    private static int largest(Wire.Kind kind) {
        return kind == Wire.Kind.DPDK_AF_PACKET ? 1472 : 65_507;
    }

    // ---- what runs ----

    private static String kernel() {
        return "";
    }

    private static void kernelServer(Namespace namespace, String mainClass, String... arguments) {
        namespace
                .start("kernel server", Applications.application().onKernel(mainClass, arguments))
                .awaitLine(START, line -> line.startsWith("LISTENING"));
    }

    /** @param settings of Millrace, or empty for the kernel */
    private static String run(Namespace namespace, String settings, String mainClass, String... arguments) {
        Command.Result result = namespace.run(LIMIT, command(settings, mainClass, arguments));
        assertEquals(0, result.exitCode(), result.output());
        return result.output();
    }

    private static List<String> command(String settings, String mainClass, String... arguments) {
        return settings.isEmpty() || Applications.ORACLE
                ? Applications.application().onKernel(mainClass, arguments)
                : Applications.application().onMillrace(settings, mainClass, arguments);
    }

    private static void load(
            Namespace namespace, String settings, String server, int datagrams, int bytes, int window) {
        List<String> arguments = new ArrayList<>(List.of("--server", server));
        arguments.addAll(List.of("--datagrams", Integer.toString(datagrams)));
        arguments.addAll(List.of("--bytes", Integer.toString(bytes)));
        arguments.addAll(List.of("--window", Integer.toString(window)));
        String output = run(namespace, settings, LOAD, arguments.toArray(String[]::new));
        assertTrue(output.contains("DONE answered=" + datagrams + " "), output);
    }

    private static void routed(Path report, String kind, String route) throws Exception {
        new EndReport(Applications.ORACLE ? "" : Files.readString(report)).routed(kind, route);
    }

    private static String answers(String output) {
        return output.lines().filter(line -> line.startsWith("198.18.")).reduce("", (all, line) -> all + line + "\n");
    }
}
