package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.agent.ChildJvm.Result;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The flag alone makes an application that knows nothing of Millrace run on it, silently but for one line. */
class AgentIT {
    private static final String PROVIDER = "dev.millrace.provider.MillraceSelectorProvider";
    private static final List<String> WORKS =
            List.of("provider " + PROVIDER, "sockets word", "pipe ready", "internals false");

    @TempDir
    private Path directory;

    private Path application;

    @BeforeEach
    void copyTheProbeAlone() throws IOException {
        application = probeIn(directory.resolve("application"));
    }

    static Path probeIn(Path folder) throws IOException {
        Path file = folder.resolve(Probe.class.getName().replace('.', '/') + ".class");
        Files.createDirectories(file.getParent());
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(probeClass());
        }
        return folder;
    }

    private static byte[] probeClass() throws IOException {
        try (var in = Probe.class.getResourceAsStream("Probe.class")) {
            return in.readAllBytes();
        }
    }

    private static ChildJvm jvm() {
        return new ChildJvm();
    }

    private static void assertStarted(Result result, String expectedInLine) {
        assertEquals(WORKS, result.out(), () -> String.join("\n", result.err()));
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        assertTrue(
                result.err().getFirst().startsWith("millrace: "), result.err().getFirst());
        assertTrue(
                result.err().getFirst().contains(expectedInLine), result.err().getFirst());
        assertEquals(0, result.exitCode());
    }

    @Test
    void theFlagAloneIsEnough() throws Exception {
        assertStarted(jvm().agent("").classPath(application, false).run(Probe.class.getName()), "on link loop");
    }

    @Test
    void theFlagWorksForAnApplicationInAJar() throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Probe.class.getName());
        Path jar = directory.resolve("app.jar");
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
            out.putNextEntry(new JarEntry(Probe.class.getName().replace('.', '/') + ".class"));
            out.write(probeClass());
        }
        assertStarted(jvm().agent("driver=caretaker").run("-jar", jar.toString()), "driver caretaker");
    }

    @Test
    void aQuietStartSaysNothing() throws Exception {
        Result result = jvm().agent("quiet=true").classPath(application, false).run(Probe.class.getName());
        assertEquals(WORKS, result.out());
        assertEquals(List.of(), result.err());
    }

    @Test
    void thePlainWayNeedsOnlyItsArgumentFile() throws Exception {
        Path arguments = Path.of("..", "millrace.args");
        Result result = jvm().flag("@" + arguments)
                .flag("-Dmillrace.shards=2")
                .classPath(application, true)
                .run(Probe.class.getName());
        assertEquals("internals true", result.out().getLast(), () -> String.join("\n", result.err()));
        assertEquals(WORKS.subList(0, 3), result.out().subList(0, 3), () -> String.join("\n", result.err()));
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        assertTrue(result.err().getFirst().contains("2 shards"), result.err().getFirst());
    }

    @Test
    void aMissingExportIsNamedByTheStartLineAndByTheSocketConcerned() throws Exception {
        Result result = jvm().flag("--enable-native-access=ALL-UNNAMED")
                .flag("-Djava.nio.channels.spi.SelectorProvider=" + PROVIDER)
                .classPath(application, true)
                .run(Probe.class.getName());
        String flag = "--add-exports java.base/sun.nio.ch=ALL-UNNAMED";
        assertEquals(1, result.exitCode());
        assertTrue(result.err().getFirst().contains(flag), result.err().getFirst());
        assertTrue(
                result.err().stream()
                        .skip(1)
                        .anyMatch(line -> line.contains("java.io.IOException: millrace: ") && line.contains(flag)),
                () -> String.join("\n", result.err()));
    }

    @Test
    void theReportSaysWhereEachSocketWent() throws Exception {
        Path report = directory.resolve("report.txt");
        Result result =
                jvm().agent("report=" + report).classPath(application, false).run(Probe.class.getName());
        assertStarted(result, "on link loop");
        String text = Files.readString(report);
        assertTrue(text.contains("-> both: loopback is shared with other processes"), text);
        assertTrue(text.contains("-> stack: a socket of this JVM listens there on the stack"), text);
        assertTrue(text.contains("RX_FRAMES"), text);
    }
}
