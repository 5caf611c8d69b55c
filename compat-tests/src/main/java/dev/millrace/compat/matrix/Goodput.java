package dev.millrace.compat.matrix;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.LabCommand;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code ./millrace ab goodput}: how fast does a bulk of bytes get through a lossy line, sent by Millrace and sent by Linux, both
 * with CUBIC, both received by Linux? Or, with {@code --receive}, sent by Linux to the one and to the other? The same server, client, relay and namespaces; only
 * who owns the server's interface differs.
 */
@Command(
        name = "ab goodput",
        description =
                "Sends a bulk of bytes over a lossy line, from Millrace and from Linux, both with CUBIC, both to Linux; or from Linux to both.",
        footer = {"", "Needs root, to make network namespaces."})
public final class Goodput implements Callable<Integer> {
    private static final String SERVER = "198.18.0.1";
    private static final String CLIENT = "198.18.0.2";
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration LIMIT = Duration.ofMinutes(20);

    @Mixin
    private final LabCommand lab = new LabCommand();

    @Option(names = "--bytes", paramLabel = "N", description = "in each round (default ${DEFAULT-VALUE}: 64 MiB)")
    private long bytes = 64L << 20;

    @Option(names = "--rounds", paramLabel = "N", description = "of each side, interleaved (default ${DEFAULT-VALUE})")
    private int rounds = 3;

    @Option(names = "--impair", paramLabel = "SPEC", description = "of the line, each way (default ${DEFAULT-VALUE})")
    private String impairment = "loss=1%,delay=10ms";

    @Option(names = "--receive", description = "Millrace and Linux receive what Linux sends")
    private boolean receive;

    @Option(names = "--no-sack", description = "the other end, always Linux, has no selective acknowledgments")
    private boolean withoutSack;

    public static void main(String[] args) {
        System.exit(LabCommand.execute(new Goodput(), args));
    }

    @Override
    public Integer call() throws IOException {
        lab.needsRoot();
        compare(lab.application());
        return 0;
    }

    private void compare(Application application) {
        System.out.println("line      " + impairment + " each way; " + bytes + " bytes, "
                + (receive ? "received" : "sent") + " by each side; sender and receiver use CUBIC"
                + (withoutSack ? "; no SACK" : ""));
        List<Double> millrace = new ArrayList<>();
        List<Double> linux = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            millrace.add(report(application, round, "millrace", true));
            linux.add(report(application, round, "linux", false));
        }
        double ratio = median(millrace) / median(linux);
        System.out.printf(
                Locale.ROOT,
                "median    millrace %.2f Mbit/s, linux %.2f Mbit/s, ratio %.2f%n",
                median(millrace),
                median(linux),
                ratio);
    }

    private double report(Application application, int round, String side, boolean onMillrace) {
        double mbits = bytes * 8 / seconds(application, round, onMillrace) / 1e6;
        System.out.printf(Locale.ROOT, "round %-3d %-9s %.2f Mbit/s%n", round, side, mbits);
        return mbits;
    }

    private static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
    }

    private double seconds(Application application, int seed, boolean onMillrace) {
        try (Lab network = new Lab()) {
            Namespace host = network.namespace("h");
            Namespace relay = network.namespace("x");
            Namespace peer = network.namespace("p");
            network.bridgedTap(relay, "ra", host, "mr0");
            network.bridgedTap(relay, "rb", peer, "peer0");
            peer.address("peer0", CLIENT + "/24");
            peer.congestionControl("peer0", CLIENT + "/24", "cubic");
            if (withoutSack) {
                peer.succeed("sysctl", "-qw", "net.ipv4.tcp_sack=0");
            }
            RunningProcess line = relay.start("relay", relayCommand(seed));
            line.awaitLine(START, text -> text.equals("relaying"));
            RunningProcess server = host.start("server", server(application, host, onMillrace));
            server.awaitLine(START, text -> text.startsWith("LISTENING"));
            return transfer(application, peer);
        }
    }

    private List<String> relayCommand(int seed) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-cp",
                lab.jar().toString(),
                "dev.millrace.io.impair.Relay",
                "ra",
                "rb",
                impairment + ",seed=" + seed);
    }

    private static List<String> server(Application application, Namespace host, boolean onMillrace) {
        if (onMillrace) {
            host.leaveToUserspace("mr0");
            return application.onMillrace(
                    "link=dpdk:net_af_packet0,iface=mr0;address=" + SERVER + "/24",
                    CellRun.SERVER,
                    "--address",
                    SERVER);
        }
        host.address("mr0", SERVER + "/24");
        host.congestionControl("mr0", SERVER + "/24", "cubic");
        return application.onKernel(CellRun.SERVER, "--address", SERVER);
    }

    /** Answers how many seconds it took. */
    private double transfer(Application application, Namespace peer) {
        String output = peer.succeed(
                LIMIT,
                application.onKernel(
                        CellRun.CLIENT,
                        "--server",
                        SERVER,
                        "--down",
                        Long.toString(receive ? 0 : bytes),
                        "--up",
                        Long.toString(receive ? bytes : 0),
                        "--short",
                        "0"));
        return Double.parseDouble(
                output.replaceAll(receive ? "(?s).* up=([0-9.]+)s.*" : "(?s).*down=([0-9.]+)s.*", "$1"));
    }
}
