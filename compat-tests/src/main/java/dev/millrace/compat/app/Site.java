package dev.millrace.compat.app;

import java.nio.charset.StandardCharsets;

/**
 * The pages that all three servers have, so that one set of checks serves them all:
 *
 * <pre>
 *   GET  /             a small page
 *   GET  /bytes/n      the first n bytes of {@link Content}, streamed
 *   POST /upload       the SHA-256 of the request's body
 *   GET  /sleep/ms     a handler that blocks its thread for so long, then answers
 * </pre>
 */
public final class Site {
    public static final String BYTES = "/bytes/";
    public static final String UPLOAD = "/upload";
    public static final String SLEEP = "/sleep/";

    private static final byte[] PAGE = "<!doctype html><title>Hello</title><p>Hello from an unmodified server.</p>\n"
            .getBytes(StandardCharsets.US_ASCII);

    private Site() {}

    /** The small page; the caller owns the copy. */
    public static byte[] page() {
        return PAGE.clone();
    }

    /** The number that follows {@code prefix} in {@code path}; throws {@link NumberFormatException} if there is none. */
    public static long numberAfter(String prefix, String path) {
        long number = Long.parseLong(path.substring(prefix.length()));
        if (number < 0) {
            throw new NumberFormatException("negative: " + path);
        }
        return number;
    }

    /** Blocks the calling thread, as a handler that calls a slow database does. */
    public static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The line by which a server tells that it now accepts connections, to whoever started it. */
    public static void announce(String server, Object address) {
        System.out.println("LISTENING " + server + " " + address);
        System.out.flush();
    }
}
