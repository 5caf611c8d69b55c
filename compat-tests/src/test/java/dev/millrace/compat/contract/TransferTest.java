package dev.millrace.compat.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files sent from and received into channels by {@link FileChannel}. */
class TransferTest extends ContractTest {
    private static final int BYTES = 3_000_001;

    @TempDir
    Path directory;

    @Test
    void filesAreSentAndReceived() throws Exception {
        byte[] content = new byte[BYTES];
        new Random(7).nextBytes(content);
        Path source = Files.write(directory.resolve("source"), content);
        Path target = directory.resolve("target");
        Pair pair = pair();
        Task<Void> sender = Task.start(() -> {
            try (FileChannel file = FileChannel.open(source)) {
                for (long sent = 0; sent < BYTES; ) {
                    sent += file.transferTo(sent, BYTES - sent, pair.client());
                }
                pair.client().shutdownOutput();
            }
            return null;
        });
        try (FileChannel file = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long received = 0;
            long more;
            do {
                more = file.transferFrom(pair.server(), received, 1 << 20);
                received += more;
            } while (more > 0);
            assertEquals(BYTES, received);
        }
        sender.result();
        assertArrayEquals(content, Files.readAllBytes(target));
    }

    @Test
    void aNonBlockingTransferStopsWhenTheBuffersAreFull() throws Exception {
        Path source = Files.write(directory.resolve("source"), new byte[MORE_THAN_BUFFERS]);
        Pair pair = pair();
        pair.client().configureBlocking(false);
        try (FileChannel file = FileChannel.open(source)) {
            long sent = 0;
            for (long more = -1; more != 0; sent += more) {
                more = file.transferTo(sent, MORE_THAN_BUFFERS - sent, pair.client());
            }
            drain(pair.server(), sent);
        }
    }
}
