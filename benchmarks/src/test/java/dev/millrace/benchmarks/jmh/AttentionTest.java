package dev.millrace.benchmarks.jmh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.tcp.TcpException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The pending bit between a writing application and its core, both at full speed: a request that is not submitted because one is pending
 * must be seen by the look that is still to come. Nothing else makes the core look here, so a lost one leaves bytes unsent for good.
 */
class AttentionTest {
    private static final int MESSAGES = 50_000;
    private static final int BYTES = 8;

    @Test
    @Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void noWriteIsOverlooked() throws TcpException, InterruptedException {
        EngineConnection connection = new EngineConnection(true);
        AtomicLong arrived = new AtomicLong();
        Thread core = Thread.ofPlatform().daemon().start(() -> turn(connection, arrived));
        ByteBuffer message = ByteBuffer.allocateDirect(BYTES);
        long written = 0;
        for (int i = 0; i < MESSAGES; i++) {
            // two at once: the second often comes while the core attends to the first
            written += connection.socket.write(message, 0, BYTES);
            written += connection.socket.write(message, 0, BYTES);
            awaitArrival(arrived, written);
        }
        assertEquals(2L * MESSAGES * BYTES, written);
        core.interrupt();
        assertTrue(core.join(Duration.ofSeconds(10)));
        connection.close();
    }

    private static void turn(EngineConnection connection, AtomicLong arrived) {
        long acknowledged = 0;
        while (!Thread.currentThread().isInterrupted()) {
            connection.turnAtOnce();
            long bytes = connection.peer.dataBytes();
            if (bytes != acknowledged && bytes % (2 * BYTES) == 0) {
                // only now: an acknowledgment makes the core look too
                acknowledged = bytes;
                connection.peer.sendAck();
            }
            arrived.setRelease(bytes);
        }
    }

    private static void awaitArrival(AtomicLong arrived, long expected) {
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (arrived.getAcquire() < expected) {
            assertTrue(System.nanoTime() - deadlineNs < 0, () -> arrived + " of " + expected + " bytes were sent");
            Thread.onSpinWait();
        }
    }
}
