package dev.millrace.compat.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * 2 MiB pages that DPDK processes share, and a file system for them in a lab's folder. What was reserved beyond the machine's own is
 * given back when the lab ends.
 */
public final class HugePages {
    private static final Path COUNT = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    private static final Path FREE = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    private static final Duration MOUNT = Duration.ofSeconds(20);

    private HugePages() {}

    /** Reserves so many pages more than are now in use, and returns the folder of a file system that takes files in them. */
    public static Path reserve(Lab lab, int pages) {
        int before = read(COUNT);
        int missing = pages - read(FREE);
        if (missing > 0) {
            lab.onClose(() -> write(before));
            write(before + missing);
            if (read(FREE) < pages) {
                throw new LabException(
                        "the kernel has no " + pages + " huge pages of 2 MiB: free memory, or reserve them at boot");
            }
        }
        Path folder = lab.folder().resolve("huge");
        try {
            Files.createDirectory(folder);
        } catch (IOException e) {
            throw new LabException("cannot create " + folder, e);
        }
        Command.succeed(
                MOUNT, List.of("mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", folder.toString()));
        lab.onClose(() -> Command.succeed(MOUNT, List.of("umount", folder.toString())));
        return folder;
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
