package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.provider.agent.ChildJvm.Result;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A link that cannot be opened: one line, no application, and nothing of the attempt left behind. */
class LinkFailuresIT {
    private static final String ADDRESS = ";address=198.18.0.1/24";
    private static final Path DPDK_FILES = Path.of("/var/run/dpdk");

    @TempDir
    private Path directory;

    private Path application;
    private Namespace namespace;
    private List<String> before;

    @BeforeEach
    void makeNamespace() throws Exception {
        assumeTrue(Namespace.possible(), "needs root: network namespaces");
        application = AgentIT.probeIn(directory);
        namespace = new Namespace();
        before = leftovers();
    }

    @AfterEach
    void removeNamespace() throws Exception {
        if (namespace != null) {
            namespace.remove();
        }
    }

    private List<String> leftovers() throws IOException, InterruptedException {
        List<String> things = new ArrayList<>(namespace.interfaces());
        if (Files.isDirectory(DPDK_FILES)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(DPDK_FILES)) {
                files.forEach(file -> things.add(file.toString()));
            }
        }
        things.sort(null);
        return things;
    }

    private void assertRefused(Result result, String expected) throws IOException, InterruptedException {
        assertEquals(List.of(), result.out());
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        String line = result.err().getFirst();
        assertTrue(line.startsWith("millrace: link=") && line.contains(expected), line);
        assertFalse(line.contains("unknown kind of link"), line);
        assertEquals(1, result.exitCode());
        assertEquals(before, leftovers());
    }

    private ChildJvm jvm(String link) {
        return new ChildJvm()
                .through(namespace.prefix())
                .agent("link=" + link + ADDRESS)
                .classPath(application, false);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tap: | not an interface name",
                "tap:a-name-that-is-too-long | not an interface name",
                "tap:lo | choose another name",
                "dpdk: | ",
                "dpdk:net_af_packet0,iface=nowhere | nowhere",
                "dpdk:net_nonsense0 | net_nonsense0",
                "dpdk:ffff:ff:1f.7 | ffff:ff:1f.7",
            })
    void aDeviceThatCannotBe(String link, String expected) throws Exception {
        assertRefused(jvm(link).run(Probe.class.getName()), expected == null ? "" : expected);
    }

    @Test
    void aLinkThatAnotherProcessHas() throws Exception {
        Process holder = jvm("tap:mr0").start(Probe.class.getName(), "hold");
        try {
            assertEquals("holding", holder.inputReader().readLine());
            before = leftovers();
            assertRefused(jvm("tap:mr0").run(Probe.class.getName()), "taken");
        } finally {
            holder.getOutputStream().close(); // ends it
            holder.waitFor();
        }
        assertEquals(List.of("lo"), namespace.interfaces());
    }

    @ParameterizedTest
    @CsvSource({"tap:mr0", "'dpdk:net_af_packet0,iface=lo'"})
    void withoutPrivilege(String link) throws Exception {
        // a user without rights must be able to read what it runs
        Path open = Files.createTempDirectory("mrcfg");
        try {
            Files.setPosixFilePermissions(open, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
            Path jar = Files.copy(ChildJvm.JAR, open.resolve("millrace.jar"));
            assertRefused(
                    new ChildJvm()
                            .through(namespace.prefix())
                            .through("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
                            .flag("-javaagent:" + jar + "=link=" + link + ADDRESS)
                            .classPath(open, false)
                            .run(Probe.class.getName()),
                    link.substring(0, link.indexOf(':')));
        } finally {
            Files.deleteIfExists(open.resolve("millrace.jar"));
            Files.delete(open);
        }
    }

    @Test
    void withoutDpdk() throws Exception {
        // a view of the library folder without it, in a mount namespace of the child's own
        String script = """
                set -e
                folder=/usr/lib/x86_64-linux-gnu
                mount -t tmpfs none "$0"
                mkdir "$0/upper" "$0/work"
                mount -t overlay -o "lowerdir=$folder,upperdir=$0/upper,workdir=$0/work" none "$folder"
                rm "$folder"/librte_eal.so*
                exec "$@"
                """;
        Path hiding = Files.createDirectory(directory.resolve("hiding"));
        assertRefused(
                new ChildJvm()
                        .through(namespace.prefix())
                        .through("unshare", "--mount", "sh", "-c", script, hiding.toString())
                        .agent("link=dpdk:net_null0" + ADDRESS)
                        .classPath(application, false)
                        .run(Probe.class.getName()),
                "not installed (librte_eal not found): apt install dpdk");
    }

    @Test
    void onTheKernelWhenAskedForAndSaid() throws Exception {
        Result result = new ChildJvm()
                .through(namespace.prefix())
                .agent("link=tap:a-name-that-is-too-long;onfailure=kernel" + ADDRESS)
                .classPath(application, false)
                .run(Probe.class.getName(), "start");
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        assertTrue(
                result.err()
                        .getFirst()
                        .startsWith("millrace: every socket is on the kernel (onfailure=kernel): link=tap:"),
                result.err().getFirst());
        assertEquals(0, result.exitCode());
        assertEquals(before, leftovers());
    }

    @Test
    void aTapIsGoneWhenTheApplicationHasEnded() throws Exception {
        Result result = jvm("tap:mr0").run(Probe.class.getName(), "start");
        assertEquals(0, result.exitCode(), () -> String.join("\n", result.err()));
        assertEquals(before, leftovers());
    }
}
