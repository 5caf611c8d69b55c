package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Namespace;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The kernel's clients in one namespace: curl, wrk and a JVM without the agent; each bounded, each verified. */
final class KernelClients {
    static final long GIBIBYTE = 1L << 30;

    /** Curl spends its time on bookkeeping that grows with the number of transfers. */
    private static final int CURLS = 500;

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Map<Long, String> DIGESTS = new ConcurrentHashMap<>();

    private final Namespace namespace;
    private final Path folder;

    KernelClients(Namespace namespace, Path folder) {
        this.namespace = namespace;
        this.folder = folder;
    }

    /** So many requests by wrk on 32 connections that are kept. */
    void keepAlive(String host, int requests) throws IOException {
        boundedLoad(host, requests, List.of());
    }

    /** So many requests with a connection each, 32 at a time: by wrk, and some by curl, where the answers' sizes differ and each is looked at. */
    void connectionEach(String host, int requests) throws IOException {
        boundedLoad(host, requests, List.of("-H", "Connection: close"));
        differentSizes(host, CURLS);
    }

    private void boundedLoad(String host, int requests, List<String> headers) throws IOException {
        Path script = folder.resolve("bounded.lua");
        try (InputStream source = KernelClients.class.getResourceAsStream("bounded.lua")) {
            Files.write(script, source.readAllBytes());
        }
        List<String> words = new ArrayList<>(List.of("wrk", "-t1", "-c32", "-d120s", "--timeout", "20s"));
        words.addAll(headers);
        words.addAll(List.of("-s", script.toString(), url(host, "/bytes/1000"), "--", Integer.toString(requests)));
        String output = namespace.succeed(LIMIT, words);
        String done = output.lines()
                .filter(line -> line.startsWith("DONE"))
                .findFirst()
                .orElse(output);
        assertTrue(done.endsWith("errors=0"), output);
        int answered = Integer.parseInt(done.replaceAll(".*requests=(\\d+) .*", "$1"));
        assertTrue(answered >= requests, output);
    }

    private void differentSizes(String host, int requests) {
        String output = namespace.succeed(
                LIMIT,
                List.of(
                        "curl",
                        "-sS",
                        "--parallel",
                        "--parallel-max",
                        "32",
                        "--no-progress-meter",
                        "-H",
                        "Connection: close",
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{http_code} %{size_download} %{num_connects} %{errormsg}\\n",
                        url(host, "/bytes/[1-" + requests + "]")));
        long good = 0;
        long bytes = 0;
        for (String line : output.lines().toList()) {
            String[] words = line.split(" ", 4);
            if (words[0].equals("200") && words[2].equals("1")) {
                good++;
                bytes += Long.parseLong(words[1]);
            } else {
                throw new AssertionError(line);
            }
        }
        assertEquals(requests, good);
        assertEquals((long) requests * (requests + 1) / 2, bytes);
    }

    /** A download by curl. */
    void download(String host, long bytes) {
        String digest = namespace.digest(LIMIT, List.of("curl", "-sS", "--fail", url(host, Site.BYTES + bytes)));
        assertEquals(sha256(bytes), digest, "downloaded from " + host);
    }

    /** An upload by curl; the server answers with the digest of what it received. */
    void upload(String host, long bytes) throws IOException {
        String answer = namespace.succeed(
                LIMIT,
                List.of(
                        "curl",
                        "-sS",
                        "--fail",
                        "-X",
                        "POST",
                        "-T",
                        uploadFile(bytes).toString(),
                        url(host, Site.UPLOAD)));
        assertEquals(sha256(bytes), answer.strip(), "uploaded to " + host);
    }

    /** So many connections that are all open before the first request, with ten requests for each on average. */
    void concurrent(String host, int connections) {
        load(host, connections, 10 * connections, true, "/bytes/500");
    }

    /** A load whose every answer is compared; the summary line. */
    String load(String host, int connections, int requests, boolean keepAlive, String path) {
        Command.Result result = namespace.run(LIMIT, loadCommand(host, connections, requests, keepAlive, path));
        assertEquals(0, result.exitCode(), result.output());
        return result.output();
    }

    /** What {@link #load} runs, for a test that lets it run beside others. */
    static List<String> loadCommand(String host, int connections, int requests, boolean keepAlive, String path) {
        return Applications.application()
                .onKernel(
                        Applications.KERNEL_LOAD,
                        "--server",
                        host.replace("[", "").replace("]", ""),
                        "--port",
                        "8080",
                        "--connections",
                        Integer.toString(connections),
                        "--requests",
                        Integer.toString(requests),
                        "--keepalive",
                        Boolean.toString(keepAlive),
                        "--path",
                        path);
    }

    static String url(String host, String path) {
        return "http://" + host + ":8080" + path;
    }

    static String sha256(long bytes) {
        return DIGESTS.computeIfAbsent(bytes, Content::sha256);
    }

    private Path uploadFile(long bytes) throws IOException {
        Path file = folder.resolve("upload-" + bytes);
        if (!Files.exists(file)) {
            try (OutputStream output = new BufferedOutputStream(Files.newOutputStream(file), Content.PIECE_BYTES)) {
                byte[] piece = new byte[Content.PIECE_BYTES];
                for (long offset = 0; offset < bytes; offset += piece.length) {
                    output.write(piece, 0, Content.fill(piece, offset, bytes));
                }
            }
        }
        return file;
    }
}
