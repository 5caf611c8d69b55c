package dev.millrace.benchmarks.jmh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Steady state allocates nothing: not per packet, per read, per write or per select. */
@Timeout(120)
class AllocationTest {
    private static final int WARM_UP = 200_000;
    private static final int ROUND_TRIPS = 100_000;

    /** Less than one byte per round trip: what is left is what the meter and rare events like a timer's take. */
    private static final long ALLOWED_BYTES = ROUND_TRIPS / 2;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void anEchoOnLoopAllocatesNothing() throws IOException {
        try (LoopEcho echo = LoopEcho.onMillrace()) {
            assertTrue(
                    echo.channelType().getName().startsWith("dev.millrace."),
                    () -> "not on the stack: " + echo.channelType());
            run(echo, WARM_UP);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            run(echo, ROUND_TRIPS);
            long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
            assertTrue(bytes < ALLOWED_BYTES, () -> bytes + " bytes in " + ROUND_TRIPS + " round trips");
        }
    }

    @Test
    void theMeterSeesAllocation() {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        byte[] block = new byte[1 << 20];
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertEquals(1 << 20, block.length);
        assertTrue(bytes >= 1 << 20);
    }

    private static void run(LoopEcho echo, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            echo.roundTrip();
        }
    }
}
