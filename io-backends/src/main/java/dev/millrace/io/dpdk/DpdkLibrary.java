package dev.millrace.io.dpdk;

import dev.millrace.stack.port.LinkException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds and loads DPDK's shared objects, and the offset table that belongs to them. Once per JVM; afterwards the class {@link Dpdk} may be used.
 *
 * <p>The drivers themselves are loaded by DPDK from its plugin directory.
 */
final class DpdkLibrary {
    private static final List<String> MODULES = List.of("mempool", "mbuf", "ethdev", "mempool_ring", "bus_vdev");
    private static final List<Path> DIRECTORIES = List.of(
            Path.of("/usr/lib/x86_64-linux-gnu"),
            Path.of("/usr/lib/aarch64-linux-gnu"),
            Path.of("/usr/lib64"),
            Path.of("/usr/local/lib64"),
            Path.of("/usr/local/lib"),
            Path.of("/usr/local/lib/x86_64-linux-gnu"));

    private static @Nullable DpdkLibrary loaded;

    final SymbolLookup symbols;
    final DpdkAbi abi;

    private DpdkLibrary(SymbolLookup symbols, DpdkAbi abi) {
        this.symbols = symbols;
        this.abi = abi;
    }

    /** Loads DPDK unless it is loaded already. */
    static synchronized DpdkLibrary load() throws LinkException {
        DpdkLibrary library = loaded;
        if (library == null) {
            library = find();
            loaded = library;
        }
        return library;
    }

    /** What {@link #load} has found. */
    static synchronized DpdkLibrary get() {
        DpdkLibrary library = loaded;
        if (library == null) {
            throw new IllegalStateException("DPDK is not loaded");
        }
        return library;
    }

    private static DpdkLibrary find() throws LinkException {
        for (DpdkAbi candidate : DpdkAbi.known()) {
            SymbolLookup environment = library(fileName("eal", candidate));
            if (environment != null) {
                // first of all: releases between two long-term ones have the same file names, but other structures
                String version = version(environment);
                DpdkAbi abi = DpdkAbi.of(version);
                if (abi == null) {
                    throw unsupported(version);
                }
                return new DpdkLibrary(symbols(environment, version, candidate), abi);
            }
        }
        String other = otherVersion();
        if (other != null) {
            throw unsupported(other);
        }
        throw new LinkException(
                "dpdk: not installed (librte_eal not found): apt install librte-meta-net librte-meta-mempool");
    }

    private static LinkException unsupported(String found) {
        return new LinkException("dpdk: " + found + " is installed, but supported is " + DpdkAbi.supported()
                + ": install that version, or use link=tap:<interface>");
    }

    private static SymbolLookup symbols(SymbolLookup environment, String version, DpdkAbi abi) throws LinkException {
        SymbolLookup all = environment;
        for (String module : MODULES) {
            SymbolLookup one = library(fileName(module, abi));
            if (one == null) {
                throw new LinkException("dpdk: " + version + " is installed without " + fileName(module, abi)
                        + ": apt install librte-meta-net librte-meta-mempool");
            }
            all = all.or(one);
        }
        return all;
    }

    private static String fileName(String module, DpdkAbi abi) {
        return "librte_" + module + ".so." + abi.soVersion();
    }

    private static @Nullable SymbolLookup library(String fileName) {
        try {
            return SymbolLookup.libraryLookup(fileName, Arena.global());
        } catch (IllegalArgumentException notThere) {
            return null;
        }
    }

    /** {@code const char *rte_version(void)} */
    static String version(SymbolLookup symbols) {
        try {
            MemorySegment text = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(symbols.findOrThrow("rte_version"), FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invokeExact();
            return text.reinterpret(64).getString(0);
        } catch (Throwable e) {
            throw new AssertionError("downcall failed", e);
        }
    }

    private static @Nullable String otherVersion() {
        for (Path directory : DIRECTORIES) {
            String[] names = directory.toFile().list((parent, name) -> name.startsWith("librte_eal.so."));
            if (names != null && names.length > 0) {
                return Collections.min(List.of(names)); // librte_eal.so.24 before librte_eal.so.24.0
            }
        }
        return null;
    }
}
