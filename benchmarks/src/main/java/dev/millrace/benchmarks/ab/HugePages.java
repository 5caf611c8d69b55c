package dev.millrace.benchmarks.ab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * 2 MiB huge pages for as long as the rig runs; {@link #close} gives back what {@link #reserve} has added to the machine's own.
 * No mount: DPDK's links use them anonymously.
 */
final class HugePages implements AutoCloseable {
    private static final Path POOL = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB");
    private static final int PAGES = 256;

    private final int added;
    private boolean closed;

    private HugePages(int added) {
        this.added = added;
    }

    /** Whether this process has the privilege; without it DPDK's virtual devices use ordinary memory. */
    static boolean mayReserve() {
        return Files.isWritable(POOL.resolve("nr_hugepages"));
    }

    /**
     * Makes {@value #PAGES} pages free.
     *
     * @throws IOException with one line: what is missing and what to do
     */
    static HugePages reserve() throws IOException {
        int before = read("nr_hugepages");
        write(before + Math.max(0, PAGES - read("free_hugepages")));
        HugePages pages = new HugePages(read("nr_hugepages") - before);
        int free = read("free_hugepages");
        if (free < PAGES) {
            pages.close();
            throw new IOException(
                    "huge pages: " + free + " of 2 MiB could be reserved, " + PAGES + " are needed; free some memory");
        }
        return pages;
    }

    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            // not what was there before: somebody else may have reserved or given back meanwhile
            if (added > 0) {
                write(Math.max(0, read("nr_hugepages") - added));
            }
        }
    }

    private static int read(String file) throws IOException {
        return Integer.parseInt(Files.readString(POOL.resolve(file)).strip());
    }

    private static void write(int pages) throws IOException {
        Files.writeString(POOL.resolve("nr_hugepages"), Integer.toString(pages));
    }
}
