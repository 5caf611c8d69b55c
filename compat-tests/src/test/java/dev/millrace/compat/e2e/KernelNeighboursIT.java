package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.app.Content;
import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Millrace beside the kernel's own servers: as a client of one across the link, and of others on the loopback of its own namespace. */
@RequiresLab
@Timeout(200)
class KernelNeighboursIT {
    private static final int FILE_BYTES = 3_000_000;
    private static final Duration START = Duration.ofSeconds(20);
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** The JDK's HttpClient asks nginx. */
    @Test
    void httpClientTalksToNginxInAnotherNamespace() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            nginx(lab, wire.peer(), Wire.PEER4 + ":80", "[" + Wire.PEER6 + "]:80");
            for (String peer : List.of(Wire.PEER4, "[" + Wire.PEER6 + "]")) {
                Path report = lab.folder().resolve("report");
                Command.Result result = wire.host()
                        .run(
                                LIMIT,
                                Applications.application()
                                        .onMillrace(
                                                wire.settings() + ";report=" + report,
                                                Applications.JDK_CLIENT,
                                                "--url",
                                                "http://" + peer + "/file",
                                                "--requests",
                                                "200",
                                                "--sha256",
                                                KernelClients.sha256(FILE_BYTES)));
                assertEquals(0, result.exitCode(), result.output());
                new EndReport(Files.readString(report)).routed("connect", "stack");
            }
        }
    }

    /** One JVM: its server's connections are on the stack, those to nginx and Redis on the kernel's loopback, all in one selector. */
    @Test
    void aServerOnTheStackAsksServersOnTheKernelsLoopback() throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            nginx(lab, wire.host(), "127.0.0.1:80");
            RunningProcess redis = wire.host()
                    .start(
                            "redis",
                            List.of(
                                    "redis-server",
                                    "--port",
                                    "6379",
                                    "--bind",
                                    "127.0.0.1",
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--dir",
                                    lab.folder().toString()));
            redis.awaitLine(START, line -> line.contains("Ready to accept connections"));
            Path report = lab.folder().resolve("report");
            RunningProcess server = Applications.serve(
                    wire.host(),
                    wire.settings() + ";report=" + report,
                    Applications.NETTY,
                    "--upstream",
                    "127.0.0.1:80",
                    "--redis",
                    "127.0.0.1:6379");
            for (int i = 0; i < 50; i++) {
                String word = "word" + i;
                String answer = curl(wire.peer(), "/redis/" + word);
                assertEquals("$" + word.length() + "\r\n" + word + "\r\n+OK\r\n", answer);
            }
            String page = curl(wire.peer(), "/upstream/small");
            assertTrue(page.startsWith("HTTP/1.1 200 OK") && page.endsWith("a small file"), page);
            new KernelClients(wire.peer(), lab.folder()).load(Wire.HOST4, 20, 2000, true, "/bytes/100");
            EndReport.of(server, report)
                    .routed("connect 127.0.0.1:80", "kernel")
                    .routed("connect 127.0.0.1:6379", "kernel")
                    .routed("listen", "both");
        }
    }

    private static String curl(Namespace namespace, String path) {
        return namespace.succeed(
                LIMIT, List.of("curl", "-sS", "--max-time", "20", KernelClients.url(Wire.HOST4, path)));
    }

    private static void nginx(Lab lab, Namespace namespace, String... listen) throws IOException {
        Path root = Files.createDirectories(lab.folder().resolve("nginx"));
        byte[] content = new byte[FILE_BYTES];
        Content.fill(content, 0, FILE_BYTES);
        Files.write(root.resolve("file"), content);
        Files.writeString(root.resolve("small"), "a small file");
        StringBuilder listening = new StringBuilder();
        for (String address : listen) {
            listening.append("listen ").append(address).append("; ");
        }
        Path configuration = Files.writeString(root.resolve("nginx.conf"), """
                user root;
                daemon off;
                worker_processes 1;
                pid %1$s/pid;
                error_log stderr;
                events { worker_connections 2048; }
                http {
                    access_log off;
                    client_body_temp_path %1$s/body;
                    proxy_temp_path %1$s/proxy;
                    fastcgi_temp_path %1$s/fastcgi;
                    uwsgi_temp_path %1$s/uwsgi;
                    scgi_temp_path %1$s/scgi;
                    server { %2$s root %1$s; }
                }
                """.formatted(root, listening));
        namespace.start("nginx", List.of("nginx", "-e", "stderr", "-c", configuration.toString()));
        String host = listen[0].startsWith("127") ? "127.0.0.1" : Wire.PEER4;
        namespace.succeed(
                START,
                List.of(
                        "curl",
                        "-sS",
                        "-o",
                        "/dev/null",
                        "--retry",
                        "50",
                        "--retry-connrefused",
                        "--retry-delay",
                        "1",
                        "http://" + host + "/small"));
    }
}
