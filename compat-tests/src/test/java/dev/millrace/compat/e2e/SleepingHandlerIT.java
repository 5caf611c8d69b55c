package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** An application thread that sleeps holds up the application, not TCP: acknowledgements and retransmissions go on without it. */
@RequiresLab
@Timeout(120)
@DisabledIfSystemProperty(
        named = "millrace.oracle",
        matches = "true",
        disabledReason = "the kernel has no such setting")
class SleepingHandlerIT {
    private static final Duration SOON = Duration.ofSeconds(10);

    @Test
    void tcpGoesOnWhileTheOnlyEventLoopSleeps() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            Path capture = lab.folder().resolve("sleep.pcapng");
            RunningProcess server = Applications.serve(
                    wire.host(), wire.settings() + ";capture=" + capture, Applications.NETTY, "--threads", "1");
            RunningProcess peer = Applications.converse(wire.peer());
            int lossy = open(peer, "lossy");
            int speaker = open(peer, "speaker");
            open(peer, "sleeper");
            peer.type("get speaker /bytes/1");
            peer.awaitLine(SOON, line -> line.equals("speaker answered 200 1"));

            // The answer to "lossy" is lost again and again until the rule goes; by then the only thread is asleep.
            wire.peer()
                    .succeed(
                            "nft",
                            "add table inet lab; add chain inet lab in { type filter hook input priority 0; };"
                                    + " add rule inet lab in tcp sport 8080 tcp dport " + lossy + " drop");
            peer.type("get lossy /bytes/1000");
            peer.awaitLine(SOON, line -> line.equals("lossy sent"));
            peer.type("get sleeper /sleep/3000");
            peer.awaitLine(SOON, line -> line.equals("sleeper sent"));
            peer.type("get speaker /bytes/2");
            peer.awaitLine(SOON, line -> line.equals("speaker sent"));
            Tshark tshark = new Tshark(capture);
            awaitRetransmissions(tshark, lossy);
            wire.peer().succeed("nft", "delete table inet lab");
            peer.awaitLine(SOON, line -> line.equals("lossy answered 200 1000"));
            assertTrue(!peer.output().contains("sleeper answered"), "the retransmission came while the handler slept");
            peer.awaitLine(SOON, line -> line.equals("speaker answered 200 2"));
            peer.awaitLine(SOON, line -> line.startsWith("sleeper answered 200"));
            server.stop();

            // The second request of "speaker" came during the sleep, and was acknowledged long before its answer.
            List<String> times = tshark.values(
                    "tcp.dstport == " + speaker + " && tcp.analysis.ack_rtt && tcp.len == 0", "tcp.analysis.ack_rtt");
            assertTrue(!times.isEmpty(), "no pure acknowledgement to the speaker");
            assertTrue(times.stream().mapToDouble(Double::parseDouble).max().orElseThrow() < 0.5, times.toString());
        }
    }

    private static int open(RunningProcess peer, String name) {
        peer.type("open " + name + " " + Wire.HOST4 + " 8080");
        String line = peer.awaitLine(SOON, printed -> printed.startsWith(name + " open "));
        return Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
    }

    /** Waits until the capture, which is still being written, shows two of them. */
    private static void awaitRetransmissions(Tshark tshark, int port) {
        long deadlineNs = System.nanoTime() + SOON.toNanos();
        String filter = "tcp.dstport == " + port + " && tcp.analysis.retransmission";
        while (tshark.count(filter) < 2) {
            assertEquals(1, Long.signum(deadlineNs - System.nanoTime()), "no retransmissions");
        }
    }
}
