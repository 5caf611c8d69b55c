package dev.millrace.compat.matrix;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.time.Duration;
import java.util.List;

/** One cell: namespaces, a link, a peer of the kernel and one on Millrace, and what their exchange came to. */
public final class CellRun {
    static final String SERVER = "dev.millrace.compat.exchange.ExchangeServer";
    static final String CLIENT = "dev.millrace.compat.exchange.ExchangeClient";
    private static final String MILLRACE4 = "198.18.0.1";
    private static final String MILLRACE6 = "fd00:18::1";
    private static final String KERNEL4 = "198.18.0.2";
    private static final String KERNEL6 = "fd00:18::2";
    private static final String OWN = "mr0";
    private static final String DEVICE = "peer0";
    private static final Duration START = Duration.ofSeconds(60);

    private final Application application;
    private final Amount amount;

    /**
     * @param bulkBytes each way
     * @param connections short ones
     * @param limit for all of it
     */
    public record Amount(long bulkBytes, int connections, Duration limit) {
        /** What {@code --full-size} exchanges. */
        static final Amount FULL = new Amount(64L << 20, 5000, Duration.ofMinutes(30));

        /** So little that the pairwise subset takes minutes; less where a frame in twenty is lost, because each such loss may cost a timeout of 200 ms and more. */
        public static Amount small(Cell cell) {
            return cell.impairment().equals("loss=5%")
                    ? new Amount(1 << 20, 64, Duration.ofMinutes(2))
                    : new Amount(4 << 20, 200, Duration.ofMinutes(2));
        }
    }

    /**
     * @param passed whether every byte arrived and every connection ended well
     * @param text one line when it passed; all that was printed when not
     */
    public record Outcome(boolean passed, String text) {}

    public CellRun(Application application, Amount amount) {
        this.application = application;
        this.amount = amount;
    }

    public Outcome run(Cell cell) {
        try (Lab lab = new Lab()) {
            Namespace host = lab.namespace("h");
            Namespace peer = lab.namespace("p");
            String link = link(cell, lab, host, peer);
            configure(cell, peer);
            String settings = "link=" + link + ";address=" + (cell.isV6() ? MILLRACE6 + "/64" : MILLRACE4 + "/24")
                    + (cell.impairment().isEmpty() ? "" : ";impair=" + cell.impairment() + ",seed=7");
            return cell.millraceServes()
                    ? exchange(
                            host.start("server", application.onMillrace(settings, SERVER, serverArguments(cell))),
                            peer,
                            application.onKernel(CLIENT, clientArguments(cell)))
                    : exchange(
                            peer.start("server", application.onKernel(SERVER, serverArguments(cell))),
                            host,
                            application.onMillrace(settings, CLIENT, clientArguments(cell)));
        }
    }

    /** Makes the link and says how Millrace is told of its end. */
    private static String link(Cell cell, Lab lab, Namespace host, Namespace peer) {
        if (cell.isVeth()) {
            lab.veth(host, OWN, peer, DEVICE);
            host.leaveToUserspace(OWN); // first: IPv6, which it turns off, is not there on a link of 576 bytes
            host.ip("link", "set", OWN, "mtu", cell.mtu());
            return "dpdk:net_af_packet0,iface=" + OWN;
        }
        lab.bridgedTap(host, OWN, peer, DEVICE);
        for (String device : List.of(OWN, "to" + OWN, "br" + OWN)) {
            host.ip("link", "set", device, "mtu", cell.mtu());
        }
        return "tap:" + OWN;
    }

    private static void configure(Cell cell, Namespace peer) {
        peer.ip("link", "set", DEVICE, "mtu", cell.mtu());
        peer.succeed(
                "sysctl",
                "-qw",
                "net.ipv4.tcp_timestamps=" + (cell.timestamps() ? 1 : 0),
                "net.ipv4.tcp_sack=" + (cell.sack() ? 1 : 0));
        String address = cell.isV6() ? KERNEL6 + "/64" : KERNEL4 + "/24";
        peer.address(DEVICE, address);
        peer.congestionControl(DEVICE, address, cell.congestionControl());
    }

    private static String server(Cell cell) {
        return cell.millraceServes() ? cell.isV6() ? MILLRACE6 : MILLRACE4 : cell.isV6() ? KERNEL6 : KERNEL4;
    }

    private static String[] serverArguments(Cell cell) {
        return new String[] {"--address", server(cell)};
    }

    private String[] clientArguments(Cell cell) {
        return new String[] {
            "--server",
            server(cell),
            "--down",
            Long.toString(amount.bulkBytes()),
            "--up",
            Long.toString(amount.bulkBytes()),
            "--short",
            Integer.toString(amount.connections())
        };
    }

    private Outcome exchange(RunningProcess server, Namespace namespace, List<String> client) {
        server.awaitLine(START, line -> line.startsWith("LISTENING"));
        Command.Result result = namespace.run(amount.limit(), client);
        boolean passed = result.exitCode() == 0 && !server.output().contains("FAILED");
        String said = passed
                ? result.output()
                        .lines()
                        .filter(line -> line.startsWith("down="))
                        .findFirst()
                        .orElse("")
                : result.output() + "\nserver:\n" + server.output();
        return new Outcome(passed, said);
    }
}
