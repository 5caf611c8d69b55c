package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.Rule;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A flood of SYNs from forged sources against a server on the stack, on a wire that the kernel's clients use, too: 1,000 connects all succeed,
 * connections that were there before go on, and the server's memory stays where it is. {@code -Dmillrace.flood.rate=200000} SYNs a second
 * are asked for with {@code -Dmillrace.flood.seconds=20}; what is reached, and what a SYN costs the server, is printed.
 */
@RequiresLab
@Timeout(240)
@Rule("tcp.md: SYN flood")
class SynFloodIT {
    private static final int RATE = Integer.getInteger("millrace.flood.rate", 40_000);
    private static final int SECONDS = Integer.getInteger("millrace.flood.seconds", 5);

    /** The flood ends by itself after this, whatever happens. */
    private static final int MOST_SECONDS = 120;

    private static final int CONNECTS = 1_000;
    private static final int ESTABLISHED_REQUESTS = 2_000;
    private static final String GATEWAY = "198.18.0.3";
    /** The JVM's heap grows, too, to its limit if it likes; a few hundred bytes for each SYN of the flood would be more than this. */
    private static final long MEMORY_GROWTH_KB = 128 << 10;

    private static final Duration LIMIT = Duration.ofSeconds(150);
    private static final Duration SOON = Duration.ofSeconds(30);

    @Test
    void everybodyElseIsServedWhileSynsPourIn() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            Namespace flood = floodSide(lab, wire);
            Path report = lab.folder().resolve("report");
            String settings = wire.settings() + ";gateway=" + GATEWAY + ";report=" + report;
            RunningProcess server = Applications.serve(wire.host(), settings, Applications.NETTY);
            warmUp(wire, lab);

            RunningProcess established = load(wire, "established", 4, ESTABLISHED_REQUESTS, true, "/bytes/20000");
            long memoryBefore = residentKb(server);
            long cpuBefore = cpuMs(server);
            RunningProcess flooder = flood(flood, serverMac(flood));
            RunningProcess connects = load(wire, "connects", 8, CONNECTS, false, "/bytes/100");

            assertEquals(0, connects.awaitEnd(LIMIT), connects.output());
            assertTrue(connects.output().contains("requests=" + CONNECTS + " errors=0"), connects.output());
            assertEquals(0, established.awaitEnd(LIMIT), established.output());
            assertTrue(flooder.isAlive(), "the flood ended before the others were served: " + flooder.output());
            flooder.type("enough");
            assertEquals(0, flooder.awaitEnd(SOON), flooder.output());
            long cpuMs = cpuMs(server) - cpuBefore;
            long grownKb = residentKb(server) - memoryBefore;

            EndReport end = EndReport.of(server, report);
            long cookies = end.counter("TCP_SYN_COOKIES_SENT");
            print(flooder, connects, established, cookies, cpuMs, grownKb);
            assertTrue(grownKb < MEMORY_GROWTH_KB, "the server grew by " + grownKb + " KiB");
            assertTrue(
                    Applications.ORACLE || cookies > 0, "the flood never filled the half-open table:\n" + end.text());
        }
    }

    /** A third namespace on the same wire; also the server's gateway, so that answers to forged sources leave, and end there. */
    private static Namespace floodSide(Lab lab, Wire wire) {
        Namespace flood = lab.namespace("f");
        lab.veth(wire.host(), "toflood", flood, "flood0");
        wire.host().ip("link", "set", "toflood", "master", "brmr0");
        wire.host().leaveToUserspace("toflood");
        flood.address("flood0", GATEWAY + "/24");
        return flood;
    }

    /** Compilers done, classes loaded, pools grown: what the flood adds shows. */
    private static void warmUp(Wire wire, Lab lab) {
        new KernelClients(wire.peer(), lab.folder()).load(Wire.HOST4, 8, 500, false, "/bytes/100");
    }

    private static RunningProcess load(
            Wire wire, String name, int connections, int requests, boolean keepAlive, String path) {
        return wire.peer()
                .start(
                        name,
                        Applications.application()
                                .onKernel(
                                        Applications.KERNEL_LOAD,
                                        "--server",
                                        Wire.HOST4,
                                        "--port",
                                        "8080",
                                        "--connections",
                                        Integer.toString(connections),
                                        "--requests",
                                        Integer.toString(requests),
                                        "--keepalive",
                                        Boolean.toString(keepAlive),
                                        "--path",
                                        path));
    }

    private static String serverMac(Namespace flood) {
        flood.succeed("curl", "-sS", "-o", "/dev/null", "--max-time", "20", KernelClients.url(Wire.HOST4, "/"));
        String line = flood.succeed("ip", "neigh", "show", Wire.HOST4);
        return wordAfter(line, "lladdr");
    }

    private static String wordAfter(String line, String word) {
        List<String> words = List.of(line.strip().split("\\s+"));
        return words.get(words.indexOf(word) + 1);
    }

    private static RunningProcess flood(Namespace flood, String serverMac) {
        String own = wordAfter(flood.succeed("ip", "link", "show", "flood0"), "link/ether");
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                SynFlooder.class.getName(),
                "--interface",
                "flood0",
                "--mac",
                own,
                "--to",
                serverMac,
                "--rate",
                Integer.toString(RATE),
                "--least",
                Integer.toString(SECONDS),
                "--most",
                Integer.toString(MOST_SECONDS)));
        RunningProcess flooder = flood.start("flooder", words);
        flooder.awaitLine(SOON, line -> line.equals("FLOODING"));
        return flooder;
    }

    private static long residentKb(RunningProcess process) throws IOException {
        String status = Files.readString(Path.of("/proc/" + process.pid() + "/status"));
        return Long.parseLong(wordAfter(status, "VmRSS:"));
    }

    private static long cpuMs(RunningProcess process) {
        return ProcessHandle.of(process.pid())
                .flatMap(handle -> handle.info().totalCpuDuration())
                .orElseThrow()
                .toMillis();
    }

    private static void print(
            RunningProcess flooder,
            RunningProcess connects,
            RunningProcess established,
            long cookies,
            long cpuMs,
            long grownKb) {
        System.out.printf(
                Locale.ROOT,
                "SYN flood: asked for %,d a second; %s; %,d answered with cookies; server %,d ms of CPU in all, %.2f us a SYN"
                        + " with everything else; memory %+,d KiB%n  connects: %s%n  established: %s%n",
                RATE,
                flooder.output().replaceAll("(?s).*(SENT [^\n]*).*", "$1"),
                cookies,
                cpuMs,
                1000.0 * cpuMs / Math.max(1, cookies),
                grownKb,
                connects.output().strip(),
                established.output().strip());
    }
}
