package dev.millrace.compat.e2e;

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
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
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
            int sleeper = open(peer, "sleeper");
            peer.type("get speaker /bytes/1");
            peer.awaitLine(SOON, line -> line.equals("speaker answered 200 1"));

            // What the server answers to "lossy" is lost until the rule goes, and is on its way before the only thread
            // falls asleep.
            wire.peer()
                    .succeed(
                            "nft",
                            "add table inet lab; add chain inet lab in { type filter hook input priority 0; };"
                                    + " add rule inet lab in tcp sport 8080 tcp dport " + lossy + " drop");
            peer.type("get lossy /bytes/1000");
            Tshark tshark = new Tshark(capture);
            await(tshark, "tcp.dstport == " + lossy + " && tcp.len > 0");
            peer.type("get sleeper /sleep/3000");
            await(tshark, "tcp.srcport == " + sleeper + " && tcp.len > 0");
            peer.type("get speaker /bytes/2");
            peer.awaitLine(SOON, line -> line.startsWith("sleeper answered 200"));
            peer.awaitLine(SOON, line -> line.equals("speaker answered 200 2"));
            wire.peer().succeed("nft", "delete table inet lab");
            peer.awaitLine(SOON, line -> line.equals("lossy answered 200 1000"));
            server.stop();

            double asleep = time(tshark, "tcp.srcport == " + sleeper + " && tcp.len > 0");
            double awake = time(tshark, "tcp.dstport == " + sleeper + " && tcp.len > 0");
            assertTrue(awake - asleep >= 3, "slept from " + asleep + " to " + awake);
            String during = " && frame.time_relative > " + asleep + " && frame.time_relative < " + awake;
            assertTrue(
                    tshark.count("tcp.dstport == " + lossy + " && tcp.analysis.retransmission" + during) >= 2,
                    "retransmissions go on while the handler sleeps");
            double asked = time(tshark, "tcp.srcport == " + speaker + " && tcp.len > 0" + during);
            double acknowledged = time(tshark, "tcp.dstport == " + speaker + " && tcp.len == 0" + during);
            assertTrue(acknowledged - asked < 0.3, "a request of " + asked + " was acknowledged at " + acknowledged);
        }
    }

    /** When the first frame that {@code filter} selects was captured, in seconds. */
    private static double time(Tshark tshark, String filter) {
        List<String> times = tshark.values(filter, "frame.time_relative");
        assertTrue(!times.isEmpty(), "no frame: " + filter);
        return Double.parseDouble(times.getFirst());
    }

    private static int open(RunningProcess peer, String name) {
        peer.type("open " + name + " " + Wire.HOST4 + " 8080");
        String line = peer.awaitLine(SOON, printed -> printed.startsWith(name + " open "));
        return Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
    }

    /** Waits until the capture, which is still being written, shows such a frame. */
    private static void await(Tshark tshark, String filter) {
        long deadlineNs = System.nanoTime() + SOON.toNanos();
        while (tshark.count(filter) == 0) {
            assertTrue(System.nanoTime() < deadlineNs, "no frame: " + filter);
        }
    }
}
