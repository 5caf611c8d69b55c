package dev.millrace.io.dpdk;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.millrace.io.posix.Libc;
import dev.millrace.stack.port.LinkException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.IntSupplier;

/**
 * DPDK's log. While something is being set up it is kept in memory, so that a failure can tell the reason in one line; otherwise only errors come out, on
 * standard error.
 */
final class EalLog {
    private static final int LAST_LINES = 3;
    private static final String ALERT = "EAL: FATAL:"; // said on stderr, and in other words in the log
    private static final Map<String, String> BPF_PRINT_SETTERS =
            Map.of("libbpf.so.1", "libbpf_set_print", "libxdp.so.1", "libxdp_set_print");

    private final MemorySegment outVariable = Libc.standardStream("stdout");
    private final MemorySegment errVariable = Libc.standardStream("stderr");
    private final MemorySegment out = outVariable.get(ADDRESS, 0);
    private final MemorySegment err = errVariable.get(ADDRESS, 0);
    private final MemorySegment nowhere;
    private final MemorySegment stream;
    private final Path content;

    EalLog() throws LinkException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = Libc.callState(arena);
            int fd = Libc.memfdCreate(state, arena.allocateFrom("dpdk-log"), Libc.MFD_CLOEXEC);
            if (fd < 0) {
                throw new LinkException("dpdk: cannot keep a log: memfd_create: " + Libc.strerror(-fd)
                        + ": raise the limit of open files (ulimit -n)");
            }
            content = Path.of("/proc/self/fd/" + fd);
            stream = Libc.fdopen(fd, arena.allocateFrom("a"));
            nowhere = Libc.fopen(arena.allocateFrom("/dev/null"), arena.allocateFrom("a"));
            if (nowhere.address() == 0) {
                throw new LinkException("dpdk: cannot open /dev/null: is /dev mounted?");
            }
        }
        Libc.unbuffer(stream);
    }

    /** From now on the log is kept. */
    void keep() throws LinkException {
        try (FileChannel file = FileChannel.open(content, StandardOpenOption.WRITE)) {
            file.truncate(0);
        } catch (IOException e) {
            throw new LinkException("dpdk: cannot keep a log: " + e.getMessage() + ": is /proc mounted?", e);
        }
        Dpdk.setLogLevel(Dpdk.RTE_LOG_NOTICE - 1);
        Dpdk.openLogStream(stream);
    }

    /** From now on errors go to standard error. */
    void letErrorsOut() {
        Dpdk.setLogLevel(Dpdk.RTE_LOG_ERR);
        Dpdk.openLogStream(err);
    }

    /**
     * Runs {@code rte_eal_init}, which writes its complaints to C's stderr besides the log, and a usage text to stdout. Only C code notices: Java
     * writes to the descriptors.
     */
    int keepingAll(IntSupplier init) {
        outVariable.set(ADDRESS, 0, nowhere);
        errVariable.set(ADDRESS, 0, stream);
        try {
            return init.getAsInt();
        } finally {
            outVariable.set(ADDRESS, 0, out);
            errVariable.set(ADDRESS, 0, err);
        }
    }

    /**
     * libbpf and libxdp, which net_af_xdp brings along, write warnings of no consequence straight to standard error; what fails there fails in the driver's
     * own words too. {@code libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn)}, and the same of libxdp.
     */
    static void silenceBpfLibraries() {
        for (Map.Entry<String, String> setter : BPF_PRINT_SETTERS.entrySet()) {
            try {
                MemorySegment function = SymbolLookup.libraryLookup(setter.getKey(), Arena.global())
                        .findOrThrow(setter.getValue());
                MemorySegment before = (MemorySegment) Linker.nativeLinker()
                        .downcallHandle(function, FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS))
                        .invokeExact(MemorySegment.NULL);
                assert before != null;
            } catch (IllegalArgumentException | NoSuchElementException notInstalled) {
                return; // then the driver is not there either, and says so
            } catch (Throwable e) {
                throw new AssertionError("downcall failed", e);
            }
        }
    }

    /** The last lines kept, as one. */
    String lastLines() {
        List<String> lines;
        try {
            lines = Files.readString(content, StandardCharsets.ISO_8859_1)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith(ALERT))
                    .distinct()
                    .toList();
        } catch (IOException e) {
            return "(its log cannot be read: " + e.getMessage() + ")";
        }
        return String.join("; ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
    }
}
