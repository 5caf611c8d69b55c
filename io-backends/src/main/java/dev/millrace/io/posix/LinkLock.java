package dev.millrace.io.posix;

import dev.millrace.stack.port.LinkException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Keeps a second process off a link whose device would let it in, where both would answer the same peers.
 *
 * <p>A bound abstract Unix socket (unix(7)): it lives in the network namespace like the devices themselves, needs no file, and goes with its
 * process however that ends.
 */
public final class LinkLock implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment state = Libc.callState(arena);
    private int socket;

    private LinkLock() {}

    /**
     * @param link how the user wrote it, for the message
     * @param device what may be used once per network namespace
     */
    public static LinkLock acquire(String link, String device) throws LinkException {
        LinkLock lock = new LinkLock();
        try {
            lock.bind(link, device);
            return lock;
        } catch (LinkException e) {
            lock.close();
            throw e;
        }
    }

    private void bind(String link, String device) throws LinkException {
        socket = Libc.socket(state, Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
        if (socket < 0) {
            throw new LinkException(link + ": cannot open a socket: " + Libc.strerror(-socket)
                    + ": raise the limit of open files (ulimit -n)");
        }
        byte[] name = ("\0millrace/link/" + digest(device)).getBytes(StandardCharsets.US_ASCII);
        int result = Libc.bind(state, socket, UnixSocket.address(arena, name), UnixSocket.abstractLength(name));
        if (result == -Errno.EADDRINUSE) {
            throw new LinkException(
                    link + ": taken: another Millrace process uses this link; stop it or choose another device");
        }
        if (result < 0) {
            throw new LinkException(
                    link + ": cannot claim the link: " + Libc.strerror(-result) + ": check the system's limits");
        }
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Lets others in; idempotent. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            if (socket >= 0) {
                Libc.close(state, socket);
            }
            arena.close();
        }
    }
}
