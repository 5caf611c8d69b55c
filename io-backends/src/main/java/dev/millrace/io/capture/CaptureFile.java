package dev.millrace.io.capture;

import dev.millrace.stack.port.LinkException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Writes the records of all queues to one file, in a thread of its own, so that no core ever waits for a disk.
 *
 * <p>When the disk fails, capturing ends: said once on standard error, and everything after that is counted as lost. Traffic goes on.
 */
final class CaptureFile implements AutoCloseable {
    private static final long IDLE_NS = 20_000_000L;

    private final Path path;
    private final FileChannel file;
    private final RecordRing[] rings;
    private final AtomicLong lost = new AtomicLong();
    private final Thread writer;
    private volatile boolean closing;
    private volatile boolean failed;

    CaptureFile(Path path, String interfaceName, RecordRing[] rings) throws LinkException {
        this.path = path;
        this.rings = rings;
        try {
            this.file = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
            file.write(Pcapng.header(interfaceName));
        } catch (IOException e) {
            throw new LinkException(
                    "capture=" + path + ": cannot be written: " + e
                            + ": name a file in a directory that exists and is writable",
                    e);
        }
        this.writer = Thread.ofPlatform().daemon().name("millrace-capture").start(this::writeUntilClosed);
    }

    private void writeUntilClosed() {
        while (!closing) {
            if (drain() == 0) {
                LockSupport.parkNanos(this, IDLE_NS);
            }
        }
        drain();
    }

    private long drain() {
        long bytes = 0;
        try {
            for (RecordRing ring : rings) {
                if (failed) {
                    ring.discard();
                } else {
                    bytes += ring.drainTo(file);
                }
            }
        } catch (IOException e) {
            failed = true;
            System.err.println("millrace: capture=" + path + ": writing failed, capturing ends here: " + e);
        }
        return bytes;
    }

    /** True once the file cannot be written any more. Any thread. */
    boolean hasFailed() {
        return failed;
    }

    /** A frame passed that the file will not show. Any thread. */
    void onLost() {
        lost.incrementAndGet();
    }

    /** Frames that passed and that the file does not show. Any thread. */
    long lost() {
        return lost.get();
    }

    /** Writes the rest and closes the file. No queue may be in use. */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(writer);
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        try {
            file.close();
        } catch (IOException e) {
            System.err.println("millrace: capture=" + path + ": closing failed, the file may be incomplete: " + e);
        }
    }
}
