package dev.millrace.compat.matrix;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * {@code ./millrace ab goodput [--bytes N] [--rounds N] [--impair SPEC]}: how fast does a bulk of bytes get through a lossy line, sent by Millrace and sent by Linux, both
 * with CUBIC, both received by Linux? The same server, client, relay and namespaces; only who owns the sender's interface differs.
 */
public final class Goodput {
    private static final String SENDER = "198.18.0.1";
    private static final String RECEIVER = "198.18.0.2";
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration LIMIT = Duration.ofMinutes(20);

    private final Application application;
    private final Path jar;
    private final long bytes;
    private final String impairment;

    private Goodput(Application application, Path jar, long bytes, String impairment) {
        this.application = application;
        this.jar = jar;
        this.bytes = bytes;
        this.impairment = impairment;
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("jar", "bytes", "rounds", "impair"));
        if (!Lab.isPermitted()) {
            System.err.println("ab goodput: needs root, to make network namespaces");
            System.exit(2);
        }
        Path jar =
                Path.of(arguments.text("jar", "provider/target/millrace.jar")).toAbsolutePath();
        Goodput goodput = new Goodput(
                new Application(Matrix.classPath(), jar),
                jar,
                Long.parseLong(arguments.text("bytes", Long.toString(64L << 20))),
                arguments.text("impair", "loss=1%,delay=10ms"));
        goodput.compare(arguments.number("rounds", 3));
    }

    private void compare(int rounds) {
        System.out.println("line      " + impairment + " each way; " + bytes + " bytes; sender and receiver use CUBIC");
        List<Double> millrace = new ArrayList<>();
        List<Double> linux = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            millrace.add(report(round, "millrace", true));
            linux.add(report(round, "linux", false));
        }
        double ratio = median(millrace) / median(linux);
        System.out.printf(
                Locale.ROOT,
                "median    millrace %.2f Mbit/s, linux %.2f Mbit/s, ratio %.2f%n",
                median(millrace),
                median(linux),
                ratio);
    }

    private double report(int round, String side, boolean onMillrace) {
        double mbits = bytes * 8 / seconds(round, onMillrace) / 1e6;
        System.out.printf(Locale.ROOT, "round %-3d %-9s %.2f Mbit/s%n", round, side, mbits);
        return mbits;
    }

    private static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
    }

    private double seconds(int seed, boolean onMillrace) {
        try (Lab lab = new Lab()) {
            Namespace sender = lab.namespace("s");
            Namespace relay = lab.namespace("x");
            Namespace receiver = lab.namespace("r");
            lab.bridgedTap(relay, "ra", sender, "mr0");
            lab.bridgedTap(relay, "rb", receiver, "peer0");
            receiver.address("peer0", RECEIVER + "/24");
            RunningProcess line = relay.start("relay", relayCommand(seed));
            line.awaitLine(START, text -> text.equals("relaying"));
            RunningProcess server = sender.start("server", server(sender, onMillrace));
            server.awaitLine(START, text -> text.startsWith("LISTENING"));
            return download(receiver);
        }
    }

    private List<String> relayCommand(int seed) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx64m",
                "-XX:+UseSerialGC",
                "-cp",
                jar.toString(),
                "dev.millrace.io.impair.Relay",
                "ra",
                "rb",
                impairment + ",seed=" + seed);
    }

    private List<String> server(Namespace sender, boolean onMillrace) {
        if (onMillrace) {
            sender.leaveToUserspace("mr0");
            return application.onMillrace(
                    "link=dpdk:net_af_packet0,iface=mr0;address=" + SENDER + "/24",
                    CellRun.SERVER,
                    "--address",
                    SENDER);
        }
        sender.address("mr0", SENDER + "/24");
        sender.congestionControl("mr0", SENDER + "/24", "cubic");
        return application.onKernel(CellRun.SERVER, "--address", SENDER);
    }

    private double download(Namespace receiver) {
        String output = receiver.succeed(
                LIMIT,
                application.onKernel(
                        CellRun.CLIENT,
                        "--server",
                        SENDER,
                        "--down",
                        Long.toString(bytes),
                        "--up",
                        "0",
                        "--short",
                        "0"));
        return Double.parseDouble(output.replaceAll("(?s).*down=([0-9.]+)s.*", "$1"));
    }
}
