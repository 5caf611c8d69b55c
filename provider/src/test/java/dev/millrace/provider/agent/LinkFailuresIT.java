package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.provider.agent.ChildJvm.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A link that cannot be opened: one line, no application, and nothing of the attempt left behind. */
class LinkFailuresIT {
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
        lab.assertRefused(lab.jvm(link).run(Probe.class.getName()), expected == null ? "" : expected);
    }

    @Test
    void aLinkThatAnotherProcessHas() throws Exception {
        Process holder = lab.holder("tap:mr0");
        try {
            lab.accept();
            lab.assertRefused(lab.jvm("tap:mr0").run(Probe.class.getName()), "taken");
        } finally {
            LinkLab.end(holder);
        }
        assertEquals(List.of("lo"), lab.namespace.interfaces());
    }

    @ParameterizedTest
    @CsvSource({"tap:mr0", "'dpdk:net_af_packet0,iface=lo'"})
    void withoutPrivilege(String link) throws Exception {
        // a user without rights must be able to read what it runs
        Path open = Files.createTempDirectory("mrcfg");
        try {
            Files.setPosixFilePermissions(open, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
            Path jar = Files.copy(ChildJvm.JAR, open.resolve("millrace.jar"));
            lab.assertRefused(
                    new ChildJvm()
                            .through(lab.namespace.prefix())
                            .through("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
                            .flag("-javaagent:" + jar + "=link=" + link + LinkLab.ADDRESS)
                            .classPath(open, false)
                            .run(Probe.class.getName()),
                    link.substring(0, link.indexOf(':')));
        } finally {
            Files.deleteIfExists(open.resolve("millrace.jar"));
            Files.delete(open);
        }
    }

    @Test
    void onTheKernelWhenAskedForAndSaid() throws Exception {
        lab.assertOnTheKernel(
                lab.jvm("tap:a-name-that-is-too-long;onfailure=kernel").run(Probe.class.getName(), "start"),
                "link=tap:a-name-that-is-too-long");
    }

    @Test
    void aTapIsGoneWhenTheApplicationHasEnded() throws Exception {
        Result result = lab.jvm("tap:mr0").run(Probe.class.getName(), "start");
        assertEquals(0, result.exitCode(), () -> String.join("\n", result.err()));
        lab.assertNothingLeft();
    }
}
