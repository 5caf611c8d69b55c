package dev.millrace.io.contract;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.millrace.io.posix.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Assumptions;

/**
 * Network namespaces for tests. A thread gets one of its own (unshare(2) works per thread) and opens what it needs there; descriptors keep the
 * namespace alive and work from every thread; when the last is closed, the kernel removes it with all that is in it.
 */
public final class Lab {
    private static final int CLONE_NEWNET = 0x40000000;

    private static final long SIOCGIFINDEX = 0x8933;

    private Lab() {}

    /** Skips the test for a user who may not make namespaces; root must be able to. */
    public static void assumeRoot() throws IOException {
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        Assumptions.assumeTrue(root, "needs root: makes a network namespace");
    }

    /** Runs {@code action} in a fresh thread in a fresh network namespace without IPv6 chatter; the result outlives the thread. */
    public static <T> T inNewNamespace(Callable<T> action) throws Exception {
        FutureTask<T> task = new FutureTask<>(() -> {
            unshareNetwork();
            Files.writeString(Path.of("/proc/sys/net/ipv6/conf/default/disable_ipv6"), "1");
            return action.call();
        });
        Thread.ofPlatform().start(task);
        return task.get();
    }

    private static void unshareNetwork() throws IOException {
        Linker linker = Linker.nativeLinker();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = Libc.callState(arena);
            int result = (int) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("unshare"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT),
                            Linker.Option.captureCallState("errno"))
                    .invokeExact(state, CLONE_NEWNET);
            if (result != 0) {
                throw new IOException("unshare(CLONE_NEWNET) failed");
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Index of an interface in the calling thread's namespace, 0 when there is none; also of those without any address. */
    public static int interfaceIndex(String name) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = Libc.callState(arena);
            int socket = Libc.socket(state, Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
            MemorySegment request = arena.allocate(40, 8);
            request.setString(0, name);
            int result = Libc.ioctl(state, socket, SIOCGIFINDEX, request);
            Libc.close(state, socket);
            return result < 0 ? 0 : request.get(JAVA_INT, 16);
        }
    }

    /** Runs a command in the calling thread's namespace; fails unless it ends with 0. */
    public static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + output);
        }
    }
}
