package dev.millrace.io.dpdk;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.io.contract.Lab;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What the tests of DPDK links share. */
final class DpdkLab {
    static final int PACKETS = 512;

    private DpdkLab() {}

    /** Skips for a user on a machine without DPDK; root's machine must have it. */
    static void assumeDpdk() throws IOException {
        try {
            DpdkLibrary.load();
        } catch (LinkException missing) {
            Lab.assumeRoot();
            throw new AssertionError(missing);
        }
    }

    static Port open(String device) throws LinkException {
        return new DpdkLinkFactory().open(device, new LinkOptions(1, 0, 0, PACKETS, List.of()));
    }

    /** Both ends of a shared-memory link find each other asynchronously. */
    static void untilUp(Port port) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!port.linkUp()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(port.name() + " does not come up");
            }
            Thread.onSpinWait();
        }
    }

    static void assertNoRuntimeFiles() {
        Path run = Path.of("/var/run/dpdk").resolve(EalArguments.filePrefix());
        assertFalse(Files.exists(run), run + " is left");
    }
}
