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

/** A network namespace, an application to start in it on a link, and what must not be left of the link afterwards. */
final class LinkLab {
    static final String ADDRESS = ";address=198.18.0.1/24";

    /** Where DPDK keeps its runtime files, and where huge pages are mounted if they are. */
    private static final List<Path> DPDK_FILES = List.of(Path.of("/var/run/dpdk"), Path.of("/dev/hugepages"));

    final Namespace namespace;
    final Path application;
    final Path sockets;
    private List<String> before;

    /** @param directory an empty one */
    LinkLab(Path directory) throws Exception {
        assumeTrue(Namespace.possible(), "needs root: network namespaces");
        application = AgentIT.probeIn(directory);
        sockets = Files.createDirectory(directory.resolve("sockets"));
        namespace = new Namespace();
        before = leftovers();
    }

    ChildJvm jvm(String link) {
        return jvm(namespace.prefix(), link);
    }

    /** @param prefix commands to run it through */
    ChildJvm jvm(String[] prefix, String link) {
        return new ChildJvm().through(prefix).agent("link=" + link + ADDRESS).classPath(application, false);
    }

    /** What is there now is no leftover. */
    void accept() throws IOException, InterruptedException {
        before = leftovers();
    }

    void assertNothingLeft() throws IOException, InterruptedException {
        assertEquals(before, leftovers());
    }

    /** One line, exit 1 before the application has started, nothing left. */
    void assertRefused(Result result, String... expected) throws IOException, InterruptedException {
        assertEquals(List.of(), result.out());
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        String line = result.err().getFirst();
        assertTrue(line.startsWith("millrace: link="), line);
        for (String part : expected) {
            assertTrue(line.contains(part), line);
        }
        assertFalse(line.contains("unknown kind of link"), line);
        assertEquals(1, result.exitCode());
        assertNothingLeft();
    }

    /** One line that says why, and an application that ran, nothing left. */
    void assertOnTheKernel(Result result, String... expected) throws IOException, InterruptedException {
        assertEquals(1, result.err().size(), () -> String.join("\n", result.err()));
        String line = result.err().getFirst();
        assertTrue(line.startsWith("millrace: every socket is on the kernel (onfailure=kernel): link="), line);
        for (String part : expected) {
            assertTrue(line.contains(part), line);
        }
        assertEquals(0, result.exitCode());
        assertNothingLeft();
    }

    /** An application that holds its link until its input is closed. */
    Process holder(String link) throws IOException {
        Process holder = jvm(link).start(Probe.class.getName(), "hold");
        assertEquals("holding", holder.inputReader().readLine());
        return holder;
    }

    static void end(Process holder) throws IOException, InterruptedException {
        holder.getOutputStream().close();
        holder.waitFor();
    }

    private List<String> leftovers() throws IOException, InterruptedException {
        List<String> things = new ArrayList<>(namespace.interfaces());
        List<Path> folders = new ArrayList<>(DPDK_FILES);
        folders.add(sockets);
        for (Path folder : folders) {
            if (Files.isDirectory(folder)) {
                try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
                    files.forEach(file -> things.add(file.toString()));
                }
            }
        }
        things.sort(null);
        return things;
    }

    void remove() throws IOException, InterruptedException {
        namespace.remove();
    }
}
