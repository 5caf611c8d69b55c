package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.compat.lab.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Server and client in one JVM over the internal loopback: no privilege, and no settings either. As root it runs as nobody. */
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
class OneJvmIT {
    @TempDir
    Path folder;

    @ParameterizedTest(name = "{0}, settings ''{1}''")
    @Timeout(200)
    @CsvSource({
        "netty, link=loop, 127.0.0.1",
        "jetty, link=loop, 127.0.0.1",
        "blocking, link=loop, ::1",
        "virtual, link=loop;shards=2, 127.0.0.1",
        "netty, '', ::1",
        "jetty, '', 127.0.0.1"
    })
    void serversAndClientsMeetOnTheStack(String server, String settings, String address) throws Exception {
        Path report = folder.resolve("report");
        String argument = settings + (settings.isEmpty() ? "" : ";report=" + report);
        Command.Result result = Command.run(
                Duration.ofMinutes(3),
                unprivileged(Applications.application()
                        .onMillrace(
                                argument,
                                Applications.ONE_JVM,
                                "--server",
                                server,
                                "--address",
                                address,
                                "--requests",
                                "10000",
                                "--bytes",
                                Long.toString(KernelClients.GIBIBYTE))));
        assertEquals(0, result.exitCode(), result.output());
        assertFalse(result.output().contains("Exception"), result.output());
        if (!settings.isEmpty()) {
            new EndReport(Files.readString(report)).routed("listen", "stack").routed("connect", "stack");
        }
    }

    /** Takes every capability from a process of root. */
    private List<String> unprivileged(List<String> command) {
        if (!dev.millrace.compat.lab.Lab.isPermitted()) {
            return command;
        }
        List<String> words =
                new ArrayList<>(List.of("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"));
        words.addAll(command);
        return words;
    }
}
