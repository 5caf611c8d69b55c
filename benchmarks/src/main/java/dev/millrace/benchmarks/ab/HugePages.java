package dev.millrace.benchmarks.ab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * 2 MiB huge pages and a private hugetlbfs for as long as the rig runs; {@link #close} gives both back. Pages that the machine had
 * reserved before stay reserved.
 */
final class HugePages implements AutoCloseable {
    private static final Path POOL = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB");
    private static final int PAGES = 384;

    private final Path mount;
    private final int before;
    private boolean closed;

    private HugePages(Path mount, int before) {
        this.mount = mount;
        this.before = before;
    }

    /**
     * Makes {@value #PAGES} pages free.
     *
     * @param mount an empty directory
     * @throws IOException with one line: what is missing and what to do
     */
    static HugePages reserve(Path mount) throws IOException {
        if (!Files.isWritable(POOL.resolve("nr_hugepages"))) {
            throw new IOException("huge pages: only root may reserve them; run as root, or choose another --link");
        }
        int before = read("nr_hugepages");
        int missing = Math.max(0, PAGES - read("free_hugepages"));
        HugePages pages = new HugePages(mount, before);
        try {
            write(before + missing);
            if (read("free_hugepages") < PAGES) {
                throw new IOException("huge pages: " + read("free_hugepages") + " of 2 MiB could be reserved, " + PAGES
                        + " are needed; free some memory");
            }
            run(List.of("mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "millrace-ab", mount.toString()));
            return pages;
        } catch (IOException e) {
            write(before);
            throw e;
        }
    }

    Path mount() {
        return mount;
    }

    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            try {
                run(List.of("umount", mount.toString()));
            } finally {
                write(before);
            }
        }
    }

    private static int read(String file) throws IOException {
        return Integer.parseInt(Files.readString(POOL.resolve(file)).strip());
    }

    private static void write(int pages) throws IOException {
        Files.writeString(POOL.resolve("nr_hugepages"), Integer.toString(pages));
    }

    private static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(String.join(" ", command) + ": interrupted", e);
        }
    }
}
