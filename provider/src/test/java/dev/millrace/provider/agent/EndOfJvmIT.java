package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.provider.agent.ChildJvm.Result;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What peers of the stack see when its JVM ends is what they see of a process on the kernel. */
@Timeout(120)
class EndOfJvmIT {
    @TempDir
    private Path directory;

    private Path application;
    private Namespace namespace;

    @BeforeEach
    void makeNamespaceWithATapAndTheKernelBehindIt() throws Exception {
        assumeTrue(Namespace.possible(), "needs root: network namespaces");
        application = AgentIT.probeIn(directory);
        namespace = new Namespace();
        namespace.inside("ip", "tuntap", "add", "dev", "mr0", "mode", "tap");
        namespace.inside("ip", "addr", "add", "198.18.0.2/24", "dev", "mr0");
        namespace.inside("ip", "link", "set", "mr0", "up");
    }

    @AfterEach
    void removeNamespace() throws Exception {
        if (namespace != null) {
            namespace.remove();
        }
    }

    @Test
    void whatWasWrittenArrivesAndThenTheStreamEnds() throws Exception {
        Process taker = kernelProcess("take", "7001");
        try (BufferedReader output = taker.inputReader()) {
            assertEquals("listening", output.readLine());
            Result giver = give("7001", 3_000_000, "");
            assertEquals(0, giver.exitCode(), () -> String.join("\n", giver.err()));
            assertEquals("end after 3000000", output.readLine());
        } finally {
            taker.destroyForcibly().waitFor();
        }
    }

    @Test
    void aPeerThatDoesNotReadDelaysTheEndForNoLongerThanDrainSays() throws Exception {
        Process ignorer = kernelProcess("ignore", "7002");
        try (BufferedReader output = ignorer.inputReader()) {
            assertEquals("listening", output.readLine());
            Path report = directory.resolve("report");
            long start = System.nanoTime();
            Result giver = give("7002", 150_000, ";drain=3000;report=" + report);
            long tookNs = System.nanoTime() - start;
            assertEquals(0, giver.exitCode(), () -> String.join("\n", giver.err()));
            String row = Files.readString(report);
            assertTrue(row.contains("ESTABLISHED 198.18.0.1:") && row.contains(" -> 198.18.0.2:7002 "), row);
            assertTrue(tookNs >= Duration.ofSeconds(3).toNanos(), "it did not wait: " + tookNs + " ns; " + row);
        } finally {
            ignorer.destroyForcibly().waitFor();
        }
    }

    private Process kernelProcess(String... arguments) throws Exception {
        String[] all = {Probe.class.getName(), arguments[0], arguments[1]};
        return new ChildJvm()
                .through(namespace.prefix())
                .classPath(application, false)
                .start(all);
    }

    private Result give(String port, int bytes, String settings) throws Exception {
        return new ChildJvm()
                .through(namespace.prefix())
                .agent("link=tap:mr0;address=198.18.0.1/24" + settings)
                .classPath(application, false)
                .run(Probe.class.getName(), "give", "198.18.0.2", port, Integer.toString(bytes));
    }
}
