package dev.millrace.io.dpdk;

import dev.millrace.io.posix.Libc;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.port.LinkException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a loaded shared object calls in other ones: the slots that its dynamic relocations name (System V ABI, "Dynamic Linking"; the psABI of x86-64 and of
 * AArch64 for the relocation types). A slot can be made to point elsewhere, for that object alone.
 *
 * <p>All is read from memory, where the dynamic linker has left it; after relocation the slots are usually read-only (RELRO), so their page is
 * opened for the moment of writing. Any thread; nothing must be in the act of calling through a slot that is being redirected for the first time.
 */
final class ImportTable {
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final long PAGE_BYTES = 65536; // the largest that Linux uses; mprotect takes any multiple of its own

    // ELF64: file header, program header, dynamic entry, relocation with addend, symbol
    private static final int E_PHOFF = 32;
    private static final int E_PHENTSIZE = 54;
    private static final int E_PHNUM = 56;
    private static final int P_VADDR = 16;
    private static final int PT_DYNAMIC = 2;
    private static final int DT_PLTRELSZ = 2;
    private static final int DT_STRTAB = 5;
    private static final int DT_SYMTAB = 6;
    private static final int DT_RELA = 7;
    private static final int DT_RELASZ = 8;
    private static final int DT_JMPREL = 23;
    private static final int DYNAMIC_BYTES = 16;
    private static final int RELA_BYTES = 24;
    private static final int SYMBOL_BYTES = 24;

    /** R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT, R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT: a slot that holds a symbol's address. */
    private static final List<Integer> SLOT_TYPES = List.of(6, 7, 1025, 1026);

    private final String object;
    private final List<String> mappings;
    private final long base;
    private final long dynamic;

    private ImportTable(String object, List<String> mappings, long base) {
        this.object = object;
        this.mappings = mappings;
        this.base = base;
        this.dynamic = dynamicSection();
    }

    /**
     * Of the shared object whose file name begins with {@code name}.
     *
     * @throws LinkException when it is not loaded
     */
    static ImportTable of(String name) throws LinkException {
        try {
            List<String> mappings = Files.readAllLines(MAPS);
            for (String mapping : mappings) {
                String[] words = mapping.split(" +", 6);
                // the mapping of the file's beginning holds its headers
                if (words.length == 6 && words[5].contains("/" + name) && Long.parseLong(words[2], 16) == 0) {
                    return new ImportTable(name, mappings, rangeStart(words[0]));
                }
            }
        } catch (IOException e) {
            throw new LinkException("dpdk: cannot read " + MAPS + ": " + e.getMessage() + ": is /proc mounted?", e);
        }
        throw new LinkException("dpdk: " + name + " is not loaded: apt install librte-meta-net");
    }

    private static long rangeStart(String range) {
        return Long.parseUnsignedLong(range.substring(0, range.indexOf('-')), 16);
    }

    private static long rangeEnd(String range) {
        return Long.parseUnsignedLong(range.substring(range.indexOf('-') + 1), 16);
    }

    private long dynamicSection() {
        long header = base + Memory.getLongNative(base + E_PHOFF);
        int bytes = Memory.getUnsignedShortNative(base + E_PHENTSIZE);
        int count = Memory.getUnsignedShortNative(base + E_PHNUM);
        for (int i = 0; i < count; i++, header += bytes) {
            if (Memory.getIntNative(header) == PT_DYNAMIC) {
                return base + Memory.getLongNative(header + P_VADDR);
            }
        }
        throw new IllegalStateException(object + " has no dynamic section, although it was loaded dynamically");
    }

    /** A value of the dynamic section, 0 when it is not there. */
    private long value(int tag) {
        for (long at = dynamic; Memory.getLongNative(at) != 0; at += DYNAMIC_BYTES) {
            if (Memory.getLongNative(at) == tag) {
                return Memory.getLongNative(at + 8);
            }
        }
        return 0;
    }

    /** An address there: glibc has added the base already, others have not. */
    private long address(int tag) {
        long value = value(tag);
        return Long.compareUnsigned(value, base) < 0 ? base + value : value;
    }

    /**
     * Makes this object call {@code target} instead of {@code symbol}.
     *
     * @return what it called until now
     * @throws LinkException when the object does not import that symbol, or its table cannot be written
     */
    MemorySegment redirect(String symbol, MemorySegment target) throws LinkException {
        OptionalLong slot = slot(symbol, address(DT_JMPREL), value(DT_PLTRELSZ));
        if (slot.isEmpty()) {
            slot = slot(symbol, address(DT_RELA), value(DT_RELASZ));
        }
        if (slot.isEmpty()) {
            throw new LinkException(
                    "dpdk: " + object + " does not call " + symbol + ": install the DPDK of your distribution");
        }
        long before = Memory.getLongNative(slot.getAsLong());
        write(slot.getAsLong(), target.address());
        return MemorySegment.ofAddress(before);
    }

    private OptionalLong slot(String symbol, long table, long bytes) {
        for (long at = table; at < table + bytes; at += RELA_BYTES) {
            long info = Memory.getLongNative(at + 8);
            if (SLOT_TYPES.contains((int) info) && name(info >>> 32).equals(symbol)) {
                return OptionalLong.of(base + Memory.getLongNative(at));
            }
        }
        return OptionalLong.empty();
    }

    private String name(long symbolIndex) {
        int offset = Memory.getIntNative(address(DT_SYMTAB) + symbolIndex * SYMBOL_BYTES);
        return MemorySegment.ofAddress(address(DT_STRTAB) + offset)
                .reinterpret(256)
                .getString(0);
    }

    private void write(long slot, long value) throws LinkException {
        String range = rangeOf(slot);
        String[] words = range.split(" +", 3);
        boolean writable = words[1].startsWith("rw");
        long start = Math.max(rangeStart(words[0]), slot & -PAGE_BYTES);
        long end = Math.min(rangeEnd(words[0]), (slot & -PAGE_BYTES) + PAGE_BYTES);
        if (!writable) {
            protect(start, end - start, PROT_READ | PROT_WRITE);
        }
        Memory.putLongNative(slot, value);
        if (!writable) {
            protect(start, end - start, PROT_READ);
        }
    }

    private String rangeOf(long address) {
        for (String mapping : mappings) {
            String range = mapping.substring(0, mapping.indexOf(' '));
            if (Long.compareUnsigned(rangeStart(range), address) <= 0
                    && Long.compareUnsigned(address, rangeEnd(range)) < 0) {
                return mapping;
            }
        }
        throw new IllegalStateException(object + " has a slot outside of every mapping");
    }

    private void protect(long start, long bytes, int protection) throws LinkException {
        try (Arena arena = Arena.ofConfined()) {
            int result = Libc.mprotect(Libc.callState(arena), start, bytes, protection);
            if (result < 0) {
                throw new LinkException("dpdk: the calls of " + object + " cannot be redirected: mprotect: "
                        + Libc.strerror(-result) + ": allow it in this process' security profile, or use another link");
            }
        }
    }
}
