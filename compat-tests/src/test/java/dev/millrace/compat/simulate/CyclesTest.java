package dev.millrace.compat.simulate;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Connections that come and go, under bad weather, leave nothing behind; {@code ./millrace simulate --cycles 1000000} is the long form. */
class CyclesTest {
    private static final long CYCLES = Long.getLong("millrace.cycles", 10_000);

    @Test
    @Timeout(value = 20, unit = TimeUnit.MINUTES) // a bound for machines that others use, too
    void nothingIsLeftOfConnectionsThatComeAndGo() {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        boolean steady = new Cycles(1, CYCLES, new PrintStream(text, true, StandardCharsets.UTF_8)).run();
        assertTrue(steady, () -> text.toString(StandardCharsets.UTF_8));
    }
}
