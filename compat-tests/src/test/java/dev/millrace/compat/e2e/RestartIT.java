package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.RunningProcess;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code kill -9} and a new start: the address is served at once, and peers of the dead process are reset when they speak. */
@RequiresLab
@Timeout(120)
class RestartIT {
    private static final Duration SOON = Duration.ofSeconds(10);

    @ParameterizedTest
    @EnumSource
    void aKilledServerIsReplacedAtOnce(Wire.Kind kind) throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = kind.connect(lab);
            RunningProcess first = Applications.serve(wire.host(), wire.settings(), Applications.NETTY);
            RunningProcess peer = Applications.converse(wire.peer());
            peer.type("open old " + Wire.HOST4 + " 8080");
            peer.type("get old /bytes/10");
            peer.awaitLine(SOON, line -> line.equals("old answered 200 10"));
            peer.type("open idle " + Wire.HOST6 + " 8080");
            peer.awaitLine(SOON, line -> line.startsWith("idle open"));
            first.kill();

            RunningProcess second = Applications.serve(wire.host(), wire.settings(), Applications.NETTY);
            peer.type("open new " + Wire.HOST4 + " 8080");
            peer.type("get new /bytes/20");
            peer.awaitLine(SOON, line -> line.equals("new answered 200 20"));
            for (String old : new String[] {"old", "idle"}) {
                peer.type("get " + old + " /");
                String outcome = peer.awaitLine(
                        SOON, line -> line.startsWith(old + " failed") || line.startsWith(old + " answered 200 7"));
                // A kernel outlives its process, and ends the connections of a dead one itself.
                assertTrue(outcome.endsWith(Applications.ORACLE ? "end of stream" : "Connection reset"), outcome);
            }
            second.stop();
        }
    }
}
