package dev.millrace.provider.command;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;

/** Whether DPDK is installed, and which. */
final class DpdkExamination {
    private static final String EAL = "librte_eal.so.23"; // DPDK 22.11

    private DpdkExamination() {}

    static Finding library() {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup eal = SymbolLookup.libraryLookup(EAL, arena);
            // const char *rte_version(void)
            MemorySegment version = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(eal.findOrThrow("rte_version"), FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invokeExact();
            return Finding.good("dpdk", version.reinterpret(64).getString(0));
        } catch (IllegalArgumentException e) {
            return Finding.missing("dpdk", EAL + " is not installed", "apt-get install dpdk", "dpdk");
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("rte_version throws nothing", e);
        }
    }
}
