package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.agent.ChildJvm.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A setting that cannot be used ends the JVM before the application starts, with one line; or sends everything to the kernel. */
class BadSettingsIT {
    private static final String PROVIDER = "dev.millrace.provider.MillraceSelectorProvider";

    @TempDir
    private Path directory;

    private Path application;

    @BeforeEach
    void copyTheProbeAlone() throws IOException {
        application = AgentIT.probeIn(directory);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lnk=tap:m0 | lnk=tap:m0: unknown setting; did you mean link?",
                "shards=many | shards=many: not a number; allowed: 1 to 64",
                "address=198.18.0.1/99 | address=198.18.0.1/99: ",
                "link=tip:m0;address=198.18.0.1/24 | link=tip:m0: unknown kind of link; allowed: ",
                "link=tap:m0 | address=: missing, and link=tap:m0 needs own addresses; allowed: ",
                "cpus=4095 | cpus=4095: processor 4095 does not exist or is not allowed",
                "report=/nonexistent/r | report=/nonexistent/r: cannot be written (no such file)",
                "capture=/nonexistent/c | capture=/nonexistent/c: ",
                "impair=lots | impair=lots: ",
                "routes=/nonexistent/r | routes=/nonexistent/r: cannot be read",
            })
    void theApplicationDoesNotStart(String argument, String expected) throws Exception {
        Result result =
                new ChildJvm().agent(argument).classPath(application, false).run(Probe.class.getName());
        assertEquals(List.of(), result.out());
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        assertTrue(
                result.err().getFirst().startsWith("millrace: " + expected),
                result.err().getFirst());
        assertEquals(1, result.exitCode());
    }

    @Test
    void onTheKernelWhenAskedForAndSaid() throws Exception {
        Result result = new ChildJvm()
                .agent("shards=many;onfailure=kernel")
                .classPath(application, false)
                .run(Probe.class.getName());
        assertEquals("sockets word", result.out().get(1));
        assertEquals(
                List.of("millrace: every socket is on the kernel (onfailure=kernel): shards=many: not a number;"
                        + " allowed: 1 to 64"),
                result.err());
        assertEquals(0, result.exitCode());
    }

    @Test
    void inThePlainWayEachOpenFailsWithTheLine() throws Exception {
        Result result = new ChildJvm()
                .flag("-Djava.nio.channels.spi.SelectorProvider=" + PROVIDER)
                .flag("-Dmillrace.adress=198.18.0.1/24")
                .classPath(application, true)
                .run(Probe.class.getName());
        assertEquals(List.of("provider " + PROVIDER), result.out());
        assertTrue(
                result.err()
                        .getFirst()
                        .contains("java.io.IOException: millrace: adress=198.18.0.1/24: unknown setting; did you"
                                + " mean address?"),
                result.err().getFirst());
        assertEquals(1, result.exitCode());
    }

    @Test
    void anotherProviderIsNotReplacedSilently() throws Exception {
        Result result = new ChildJvm()
                .flag("-Djava.nio.channels.spi.SelectorProvider=com.example.Other")
                .agent("")
                .classPath(application, false)
                .run(Probe.class.getName());
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        assertTrue(
                result.err()
                        .getFirst()
                        .startsWith("millrace: java.nio.channels.spi.SelectorProvider=com.example.Other: "),
                result.err().getFirst());
        assertEquals(1, result.exitCode());
    }
}
