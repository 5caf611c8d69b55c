package dev.millrace.compat.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * 2 MiB pages, which DPDK processes share. What was reserved beyond the machine's own is given back when the lab ends.
 */
public final class HugePages {
    private static final Path COUNT = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    private static final Path FREE = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");

    private HugePages() {}

    /** Sees to it that so many pages are free. */
    public static void reserve(Lab lab, int pages) {
        int before = read(COUNT);
        write(before + Math.max(0, pages - read(FREE)));
        int added = read(COUNT) - before;
        if (added > 0) {
            // not what was there before: others may have reserved or given back meanwhile
            lab.onClose(() -> write(Math.max(0, read(COUNT) - added)));
        }
        if (read(FREE) < pages) {
            throw new LabException(
                    "the kernel has no " + pages + " huge pages of 2 MiB: free memory, or reserve them at boot");
        }
    }

    private static int read(Path file) {
        try {
            return Integer.parseInt(Files.readString(file).trim());
        } catch (IOException e) {
            throw new LabException("cannot read " + file, e);
        }
    }

    private static void write(int pages) {
        try {
            Files.writeString(COUNT, Integer.toString(pages));
        } catch (IOException e) {
            throw new LabException("cannot write " + COUNT, e);
        }
    }
}
