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

    private final int before;
    private boolean closed;

    private HugePages(int before) {
        this.before = before;
    }

    /**
     * Makes {@value #PAGES} pages free.
     *
     * @throws IOException with one line: what is missing and what to do
     */
    static HugePages reserve() throws IOException {
        if (!Files.isWritable(POOL.resolve("nr_hugepages"))) {
            throw new IOException("huge pages: only root may reserve them; run as root, or choose another --link");
        }
        int before = read("nr_hugepages");
        HugePages pages = new HugePages(before);
        write(before + Math.max(0, PAGES - read("free_hugepages")));
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
            write(before);
        }
    }

    private static int read(String file) throws IOException {
        return Integer.parseInt(Files.readString(POOL.resolve(file)).strip());
    }

    private static void write(int pages) throws IOException {
        Files.writeString(POOL.resolve("nr_hugepages"), Integer.toString(pages));
    }
}
