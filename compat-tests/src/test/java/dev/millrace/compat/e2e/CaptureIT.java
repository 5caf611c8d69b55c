package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** tshark, which shares no code with us, reads what Millrace sent and received. */
@RequiresLab
@Timeout(200)
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
class CaptureIT {
    private static final String BAD = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == bad"
            + " || tcp.checksum.status == bad || icmp.checksum.status == bad || icmpv6.checksum.status == bad";

    /**
     * Linux now and then sends the other zero of one's complement arithmetic, 0xffff for 0x0000, which tshark points out; every
     * receiver takes it (RFC 1624 §3). Ours does not.
     */
    private static final String OTHER_ZERO =
            "tcp.checksum == 0xffff && (ip.src == " + Wire.PEER4 + " || ipv6.src == " + Wire.PEER6 + ")";

    @Test
    void everyFrameIsWellFormedAndRightlySummed() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            Path capture = lab.folder().resolve("session.pcapng");
            RunningProcess server =
                    Applications.serve(wire.host(), wire.settings() + ";capture=" + capture, Applications.NETTY);
            KernelClients clients = new KernelClients(wire.peer(), lab.folder());
            RunningProcess peer = Applications.converse(wire.peer());
            for (String host : new String[] {Wire.HOST4, Wire.HOST6}) {
                peer.type("ping " + host);
                peer.awaitLine(Duration.ofSeconds(10), line -> line.equals(host + " reachable"));
            }
            for (String host : Wire.hosts()) {
                clients.connectionEach(host, 100);
                clients.download(host, 3_000_000);
                clients.upload(host, 3_000_000);
                clients.load(host, 20, 200, true, "/");
            }
            server.stop();
            Tshark tshark = new Tshark(capture);
            assertEquals(
                    "", tshark.frames("(" + BAD + ") && !(" + OTHER_ZERO + ")"), "malformed, wrong or badly summed");
            for (String each : new String[] {"arp", "icmp", "icmpv6.type == 136", "tcp && ip", "tcp && ipv6"}) {
                assertTrue(tshark.count(each) > 0, "no " + each + " in the capture");
            }
            // Of each connection both the SYN and the end were seen, so the capture is whole.
            assertTrue(tshark.count("tcp.flags.syn == 1 && tcp.flags.ack == 1") >= 200);
        }
    }
}
