package dev.millrace.compat.client;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Tally;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Set;

/**
 * The JDK's {@link HttpClient}, which runs on the JVM's selector provider, asking one URL again and again and comparing the answer's
 * digest: {@code JdkClient --url http://… --requests n --sha256 …}. The exit code is 1 unless every answer was right.
 */
public final class JdkClient {
    private JdkClient() {}

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments = Arguments.parse(args, Set.of("url", "requests", "sha256"));
        int requests = arguments.number("requests", 1);
        Tally tally = ask(URI.create(arguments.text("url", "")), requests, arguments.text("sha256", ""));
        System.out.println(tally.summary());
        System.exit(tally.isComplete() ? 0 : 1);
    }

    /** Asks {@code url} so many times, one after the other. */
    public static Tally ask(URI url, int requests, String sha256) throws InterruptedException {
        Tally tally = new Tally(requests);
        HttpRequest request =
                HttpRequest.newBuilder(url).version(HttpClient.Version.HTTP_1_1).build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            for (int i = 0; i < requests; i++) {
                askOnce(client, request, sha256, tally);
            }
        }
        return tally;
    }

    private static void askOnce(HttpClient client, HttpRequest request, String sha256, Tally tally)
            throws InterruptedException {
        long startNs = System.nanoTime();
        try {
            HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            String digest = digestOf(response.body());
            if (response.statusCode() == 200 && digest.equals(sha256)) {
                tally.onAnswer(System.nanoTime() - startNs);
            } else {
                tally.onError("status " + response.statusCode() + ", digest " + digest);
            }
        } catch (IOException e) {
            tally.onError(e);
        }
    }

    private static String digestOf(InputStream body) throws IOException {
        MessageDigest digest = Content.newDigest();
        byte[] piece = new byte[Content.PIECE_BYTES];
        try (body) {
            for (int read = body.read(piece); read >= 0; read = body.read(piece)) {
                digest.update(piece, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
