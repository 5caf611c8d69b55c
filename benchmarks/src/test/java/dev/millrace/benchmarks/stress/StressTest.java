package dev.millrace.benchmarks.stress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The short form of the jcstress tests, in every build. */
class StressTest {
    private static final Pattern SUMMARY =
            Pattern.compile("(\\d+) passed, (\\d+) failed, (\\d+) soft errs, (\\d+) hard errs");

    @Test
    void noClaimIsRefuted() throws IOException, InterruptedException {
        Path directory = Files.createDirectories(Path.of("target", "jcstress").toAbsolutePath());
        Path log = directory.resolve("log.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.millrace.benchmarks.stress.Stress",
                        "quick")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), "jcstress did not end; see " + log);
        } finally {
            process.destroyForcibly();
        }
        assertEquals(0, process.exitValue(), () -> "see " + log);
        assertEquals(List.of(0, 0, 0), failures(log), "failed, soft and hard errors; see " + log);
    }

    /** Of the last progress line; that there is one shows that tests were found. */
    private static List<Integer> failures(Path log) throws IOException {
        Matcher matcher = SUMMARY.matcher(Files.readString(log));
        List<Integer> last = List.of();
        while (matcher.find()) {
            assertTrue(Integer.parseInt(matcher.group(1)) > 0 || last.isEmpty(), "no test passed");
            last = List.of(
                    Integer.parseInt(matcher.group(2)),
                    Integer.parseInt(matcher.group(3)),
                    Integer.parseInt(matcher.group(4)));
        }
        return last;
    }
}
