package dev.millrace.io.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Unix domain sockets by system call (unix(7)), because the JDK's channels would ask the very provider that is being set up. Any
 * thread.
 */
public final class UnixSocket {
    private static final int MAX_PATH_BYTES = 107;
    private static final int FAMILY_BYTES = 2;

    private UnixSocket() {}

    /**
     * Removes the socket file of a server that died. A server that lives, a file that is no socket, or no file at all is left as it is.
     *
     * @return whether a server lives
     */
    public static boolean removeIfStale(Path path) throws IOException {
        int result = probe(path);
        if (result == -Errno.ECONNREFUSED) {
            Files.deleteIfExists(path);
        }
        return result == 0 || result == -Errno.EPROTOTYPE;
    }

    /** Whether a server lives that owns this socket file. */
    public static boolean isServed(Path path) {
        int result = probe(path);
        return result == 0 || result == -Errno.EPROTOTYPE;
    }

    /**
     * Connects a datagram socket: a server of streams or sequenced packets is told apart from a dead one by EPROTOTYPE (unix(7)), without
     * noticing anything, and without a wait for a place in its queue.
     */
    private static int probe(Path path) {
        if (!Files.exists(path) || Files.isRegularFile(path) || Files.isDirectory(path)) {
            return -Errno.ENOENT;
        }
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length > MAX_PATH_BYTES) {
            return -Errno.EINVAL;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = Libc.callState(arena);
            int socket = Libc.socket(state, Libc.AF_UNIX, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
            if (socket < 0) {
                return socket;
            }
            int result = Libc.connect(state, socket, address(arena, name), FAMILY_BYTES + name.length + 1);
            Libc.close(state, socket);
            return result;
        }
    }

    /** {@code struct sockaddr_un}; a name that begins with a zero byte is an abstract one. */
    static MemorySegment address(Arena arena, byte[] name) {
        MemorySegment address = arena.allocate(FAMILY_BYTES + MAX_PATH_BYTES + 1L, 8);
        address.set(JAVA_SHORT, 0, (short) Libc.AF_UNIX);
        MemorySegment.copy(name, 0, address, JAVA_BYTE, FAMILY_BYTES, name.length);
        return address;
    }

    /** Length of that address for an abstract name, which is not terminated. */
    static int abstractLength(byte[] name) {
        return FAMILY_BYTES + name.length;
    }
}
