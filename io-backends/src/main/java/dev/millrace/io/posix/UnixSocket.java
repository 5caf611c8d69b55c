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
     * Removes the socket file of a server that died: one that nobody answers on. A server that lives, a file that is no socket, or no file at all is left as it
     * is.
     */
    public static void removeIfStale(Path path) throws IOException {
        if (!Files.exists(path) || Files.isRegularFile(path) || Files.isDirectory(path)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = Libc.callState(arena);
            int socket = Libc.socket(state, Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
            if (socket < 0) {
                return;
            }
            byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
            int result = name.length > MAX_PATH_BYTES
                    ? 0
                    : Libc.connect(state, socket, address(arena, name), FAMILY_BYTES + name.length + 1);
            Libc.close(state, socket);
            if (result == -Errno.ECONNREFUSED) {
                Files.deleteIfExists(path);
            }
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
