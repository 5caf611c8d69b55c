package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.Rule;
import dev.millrace.compat.lab.HugePages;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * A flood of SYNs from forged sources against a server on the stack, by shared memory, on a wire that the kernel's clients use, too: 1,000 connects all
 * succeed, connections that were there before go on, and the server's memory stays where it is. {@code -Dmillrace.flood.rate=200000} SYNs a second,
 * {@code -Dmillrace.flood.seconds=5} at least; what was reached, and what a SYN costs the server, is printed.
 */
@RequiresLab
@Timeout(240)
@Rule("tcp.md: SYN flood")
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no memif")
class SynFloodIT {
    private static final int RATE = Integer.getInteger("millrace.flood.rate", 200_000);
    private static final int SECONDS = Integer.getInteger("millrace.flood.seconds", 5);

    private static final int PAGES = 256;
    private static final int CONNECTS = 1_000;
    private static final int ESTABLISHED_REQUESTS = 2_000;
    private static final String TAP = "peer0";
    private static final String GATEWAY = "198.18.0.3";
    /** The JVM's heap grows, too, to its limit if it likes; a few hundred bytes for each SYN of the flood would be more than this. */
    private static final long MEMORY_GROWTH_KB = 128 << 10;

    private static final Duration LIMIT = Duration.ofSeconds(150);
    private static final Duration SOON = Duration.ofSeconds(30);

    @Test
    void everybodyElseIsServedWhileSynsPourIn() throws Exception {
        try (Lab lab = new Lab()) {
            HugePages.reserve(lab, PAGES);
            Path socket = lab.folder().resolve("memif");
            Path report = lab.folder().resolve("report");
            Namespace host = lab.namespace("h");
            Namespace peer = lab.namespace("p");
            String settings = "link=dpdk:net_memif0,role=server,socket=" + socket + ",socket-abstract=no;address="
                    + Wire.HOST4 + "/24;gateway=" + GATEWAY + ";report=" + report;
            RunningProcess server = Applications.serve(host, settings, Applications.NETTY);
            RunningProcess wire = wire(peer, socket);
            warmUp(peer, lab);

            RunningProcess established = load(peer, "established", 4, ESTABLISHED_REQUESTS, true, "/bytes/20000");
            long memoryBefore = residentKb(server);
            long cpuBefore = cpuMs(server);
            long startNs = System.nanoTime();
            wire.type("flood");
            RunningProcess connects = load(peer, "connects", 8, CONNECTS, false, "/bytes/100");

            assertEquals(0, connects.awaitEnd(LIMIT), connects.output());
            assertTrue(connects.output().contains("requests=" + CONNECTS + " errors=0"), connects.output());
            assertEquals(0, established.awaitEnd(LIMIT), established.output());
            long leftNs = Duration.ofSeconds(SECONDS).toNanos() - (System.nanoTime() - startNs);
            Thread.sleep(Duration.ofNanos(Math.max(0, leftNs)));
            wire.type("enough");
            String sent = wire.awaitLine(SOON, line -> line.startsWith("SENT"));
            long cpuMs = cpuMs(server) - cpuBefore;
            long grownKb = residentKb(server) - memoryBefore;
            wire.type("end");
            assertEquals(0, wire.awaitEnd(SOON), wire.output());

            EndReport end = EndReport.of(server, report);
            long cookies = end.counter("TCP_SYN_COOKIES_SENT");
            print(sent, connects, established, cookies, cpuMs, grownKb);
            assertTrue(grownKb < MEMORY_GROWTH_KB, "the server grew by " + grownKb + " KiB");
            assertTrue(cookies > 0, "the flood never filled the half-open table:\n" + end.text());
        }
    }

    /** The kernel is the server's gateway as well, so that answers to forged sources leave. */
    private static RunningProcess wire(Namespace peer, Path socket) {
        List<String> words = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                FloodingWire.class.getName(),
                "--memif",
                socket.toString(),
                "--tap",
                TAP,
                "--rate",
                Integer.toString(RATE));
        RunningProcess wire = peer.start("wire", words);
        wire.awaitLine(SOON, line -> line.equals("READY"));
        peer.address(TAP, Wire.PEER4 + "/24");
        peer.address(TAP, GATEWAY + "/24");
        return wire;
    }

    /** Compilers done, classes loaded, pools grown: what the flood adds shows. */
    private static void warmUp(Namespace peer, Lab lab) {
        new KernelClients(peer, lab.folder()).load(Wire.HOST4, 8, 500, false, "/bytes/100");
    }

    private static RunningProcess load(
            Namespace peer, String name, int connections, int requests, boolean keepAlive, String path) {
        return peer.start(name, KernelClients.loadCommand(Wire.HOST4, connections, requests, keepAlive, path));
    }

    private static String wordAfter(String line, String word) {
        List<String> words = List.of(line.strip().split("\\s+"));
        return words.get(words.indexOf(word) + 1);
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
            String sent, RunningProcess connects, RunningProcess established, long cookies, long cpuMs, long grownKb) {
        System.out.printf(
                Locale.ROOT,
                "SYN flood: asked for %,d a second; %s; %,d answered with cookies; server %,d ms of CPU in all, %.2f us a SYN"
                        + " with everything else; memory %+,d KiB%n  connects: %s%n  established: %s%n",
                RATE,
                sent,
                cookies,
                cpuMs,
                1000.0 * cpuMs / Math.max(1, cookies),
                grownKb,
                connects.output().strip(),
                established.output().strip());
    }
}
