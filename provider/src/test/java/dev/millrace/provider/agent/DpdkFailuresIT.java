package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DPDK that is missing, strange, without memory or in use: one line, no application or one on the kernel, and nothing left behind. */
class DpdkFailuresIT {
    /** Runs its arguments but the first, which changes a view of the library folder that a mount namespace of their own has. */
    private static final String CHANGED_LIBRARIES = """
            set -e
            folder=/usr/lib/x86_64-linux-gnu
            mount -t tmpfs none "$0"
            mkdir "$0/upper" "$0/work"
            mount -t overlay -o "lowerdir=$folder,upperdir=$0/upper,workdir=$0/work" none "$folder"
            cd "$folder"
            eval "$1"
            shift
            cd /
            exec "$@"
            """;

    /** The same on a machine that has reserved no huge pages, as far as it can see. */
    private static final String WITHOUT_HUGE_PAGES = "mount -t tmpfs none /sys/kernel/mm/hugepages && exec \"$@\"";

    @TempDir
    private Path directory;

    private LinkLab lab;

    @BeforeEach
    void makeLab() throws Exception {
        lab = new LinkLab(directory);
    }

    @AfterEach
    void removeLab() throws Exception {
        if (lab != null) {
            lab.remove();
        }
    }

    /** Refused, and with {@code onfailure=kernel} on the kernel. */
    private void assertFails(String[] through, String linkAndMore, String... expected) throws Exception {
        lab.assertRefused(
                lab.jvm(lab.namespace.prefix(), linkAndMore).through(through).run(Probe.class.getName()), expected);
        lab.assertOnTheKernel(
                lab.jvm(lab.namespace.prefix(), linkAndMore + ";onfailure=kernel")
                        .through(through)
                        .run(Probe.class.getName(), "start"),
                expected);
    }

    private String[] withLibraries(String change) throws Exception {
        Path view = Files.createDirectory(directory.resolve("view"));
        return new String[] {"unshare", "--mount", "sh", "-c", CHANGED_LIBRARIES, view.toString(), change};
    }

    private static String[] withoutHugePages() {
        return new String[] {"unshare", "--mount", "sh", "-c", WITHOUT_HUGE_PAGES, "sh"};
    }

    @Test
    void notInstalled() throws Exception {
        assertFails(
                withLibraries("rm librte_eal.so*"),
                "dpdk:net_null0",
                "not installed (librte_eal not found): apt install librte-meta-net librte-meta-mempool");
    }

    @Test
    void withoutAnotherOfItsLibraries() throws Exception {
        assertFails(
                withLibraries("rm librte_ethdev.so*"),
                "dpdk:net_null0",
                "is installed without librte_ethdev.so.23: apt install librte-meta-net librte-meta-mempool");
    }

    @Test
    void anotherMajorRelease() throws Exception {
        assertFails(
                withLibraries("mv librte_eal.so.23 librte_eal.so.24; mv librte_eal.so.23.[0-9] librte_eal.so.24.0"),
                "dpdk:net_null0",
                "librte_eal.so.24 is installed, but supported is DPDK 22.11: install that version, or use link=tap:");
    }

    /** 23.03 has the file names of 22.11. */
    @Test
    void aReleaseWithoutATableUnderTheNameOfOneWithIt() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/gcc")), "needs gcc: builds a library");
        Path libraries = Files.createDirectory(directory.resolve("libraries"));
        Path source = Files.writeString(
                directory.resolve("eal.c"), "const char *rte_version(void) { return \"DPDK 23.03.0\"; }\n");
        String library = libraries.resolve("librte_eal.so.23").toString();
        Namespace.command("gcc", "-shared", "-fPIC", "-o", library, source.toString());
        assertFails(
                new String[] {"env", "LD_LIBRARY_PATH=" + libraries},
                "dpdk:net_null0",
                "DPDK 23.03.0 is installed, but supported is DPDK 22.11: install that version");
    }

    @ParameterizedTest
    @ValueSource(strings = {"dpdk:0000:00:04.0", "dpdk:net_null0;dpdk.args=--in-memory"})
    void noHugePages(String link) throws Exception {
        assertFails(withoutHugePages(), link, "MiB of free huge pages: run 'sysctl -w vm.nr_hugepages=");
    }

    @Test
    void argumentsThatDpdkDoesNotKnow() throws Exception {
        assertFails(
                new String[0],
                "dpdk:net_null0;dpdk.args=--nonsense",
                "unrecognized option '--nonsense'",
                "check dpdk.args=--nonsense");
    }

    /** They share ordinary memory just as well. */
    @ParameterizedTest
    @ValueSource(strings = {"net_memif0,role=server,socket-abstract=no,socket=", "net_vhost0,iface="})
    void virtualDevicesNeedNoHugePages(String device) throws Exception {
        var result = lab.jvm("dpdk:" + device + lab.sockets.resolve("x"))
                .through(withoutHugePages())
                .run(Probe.class.getName(), "start");
        assertEquals(0, result.exitCode(), () -> String.join("\n", result.err()));
        lab.assertNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {"net_memif0,role=client,socket-abstract=no,socket=", "net_virtio_user0,queues=1,path="})
    void theOtherEndIsMissing(String device) throws Exception {
        Path socket = lab.sockets.resolve("x");
        assertFails(
                new String[0], "dpdk:" + device + socket, "nobody serves " + socket + ": start the other end first");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "net_memif0,role=server,socket-abstract=no,socket= | net_memif1,role=server,socket-abstract=no,socket=",
                "net_vhost0,iface= | net_vhost1,iface=",
            })
    void aSocketThatAnotherProcessServes(String first, String second) throws Exception {
        Path socket = lab.sockets.resolve("x");
        Process holder = lab.holder("dpdk:" + first + socket);
        Namespace elsewhere = new Namespace();
        try {
            lab.accept();
            assertFails(new String[0], "dpdk:" + second + socket, "taken", "stop it or choose another");
            // locks are per network namespace, files are not
            lab.assertRefused(
                    lab.jvm(elsewhere.prefix(), "dpdk:" + second + socket).run(Probe.class.getName()),
                    socket.toString(),
                    "stop it or choose another path");
            assertTrue(Files.exists(socket), "the first one's socket is gone");
        } finally {
            LinkLab.end(holder);
            elsewhere.remove();
        }
    }

    @Test
    void anInterfaceThatAnotherProcessUses() throws Exception {
        lab.namespace.inside("ip", "link", "add", "va", "type", "veth", "peer", "name", "vb");
        Process holder = lab.holder("dpdk:net_af_packet0,iface=va");
        try {
            lab.accept();
            assertFails(new String[0], "dpdk:net_af_packet1,iface=va", "taken", "stop it or choose another device");
        } finally {
            LinkLab.end(holder);
        }
        lab.assertNothingLeft();
    }

    /** The socket's file is all that a killed JVM leaves; the next start replaces it. */
    @ParameterizedTest
    @ValueSource(strings = {"net_memif0,role=server,socket-abstract=no,socket=", "net_vhost0,iface="})
    void whatAKilledJvmLeavesIsReplaced(String device) throws Exception {
        Path socket = lab.sockets.resolve("x");
        String link = "dpdk:" + device + socket;
        Process holder = lab.holder(link);
        holder.destroyForcibly().waitFor();
        assertTrue(Files.exists(socket), "there is nothing to replace");
        var result = lab.jvm(link).run(Probe.class.getName(), "start");
        assertEquals(0, result.exitCode(), () -> String.join("\n", result.err()));
        lab.assertNothingLeft();
        assertEquals(List.of("lo"), lab.namespace.interfaces());
    }
}
