package dev.millrace.io.dpdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One JVM keeps its end of a shared-memory link and polls without pause, while the other end goes and comes: closed in good order many times, then killed. It lives on, and
 * frames flow with the next one. Before net_memif's callbacks were kept away from bursts, this ended with a SIGSEGV in the driver.
 */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PeerDeathTest {
    private static final int ORDERLY_ENDS = 25;
    private static final int KILLS = 2;
    private static final int RESTARTS = 3;

    private final List<Process> started = new ArrayList<>();

    @TempDir
    private Path directory;

    @BeforeEach
    void needsDpdk() throws IOException {
        DpdkLab.assumeDpdk();
    }

    @AfterEach
    void endAll() {
        started.forEach(Process::destroyForcibly);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            net_memif0,role=server,socket-abstract=no,socket= | net_memif0,role=client,socket-abstract=no,socket=
            net_vhost0,iface=                                 | net_virtio_user0,path=
            """)
    void aPeerMayEndInTheMiddleOfTraffic(String kept, String passing) throws Exception {
        String socket = directory.resolve("link").toString();
        Process server = start("stay", kept + socket);
        try (BufferedReader lines = server.inputReader()) {
            assertEquals("open", lines.readLine());
            Process flapping = start("flap", passing + socket, Integer.toString(ORDERLY_ENDS));
            assertEquals(0, flapping.waitFor(), "the passing end");
            for (int i = 0; i < KILLS; i++) {
                Process killed = start("flap", passing + socket, "1000");
                try (BufferedReader killedLines = killed.inputReader()) {
                    assertEquals("traffic", killedLines.readLine(), "the passing end, before kill " + i);
                    killed.destroyForcibly().waitFor();
                }
            }
            assertEquals(0, start("flap", passing + socket, "1").waitFor(), "an end after the killed ones");
            end(server);
        }
    }

    /** It lives on without a server, for seconds if need be, and frames flow with the next one by themselves. */
    @Test
    void aMemifClientFindsTheNextServer() throws Exception {
        String socket = directory.resolve("link").toString();
        String serving = "net_memif0,role=server,socket-abstract=no,socket=" + socket;
        Process server = start("stay", serving);
        BufferedReader serversLines = server.inputReader();
        assertEquals("open", serversLines.readLine());
        Process client = start("stay", "net_memif0,role=client,socket-abstract=no,socket=" + socket);
        try (BufferedReader lines = client.inputReader()) {
            assertEquals("open", lines.readLine());
            assertEquals("traffic", lines.readLine());
            assertEquals("traffic", serversLines.readLine());
            for (int i = 0; i < RESTARTS; i++) {
                server.destroyForcibly().waitFor();
                assertFalse(client.waitFor(i * 1500L, TimeUnit.MILLISECONDS), "the client ended, too");
                server = start("stay", serving);
                serversLines = server.inputReader();
                assertEquals("open", serversLines.readLine());
                assertEquals("traffic", serversLines.readLine(), "from the client to server " + i);
            }
            end(client);
        }
        end(server);
    }

    private static void end(Process kept) throws IOException, InterruptedException {
        kept.getOutputStream().write('\n');
        kept.getOutputStream().flush();
        assertTrue(kept.waitFor(20, TimeUnit.SECONDS), "the kept end does not close");
        assertEquals(0, kept.exitValue());
    }

    private Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                LinkEnd.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(process);
        return process;
    }
}
