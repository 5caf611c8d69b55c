package dev.millrace.stack.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A short run of the coverage-guided fuzzer from the kept corpus; {@code ./millrace fuzz} runs it for as long as one likes. */
class ShortFuzzTest {
    private static final int SECONDS = Integer.getInteger("millrace.fuzz.seconds", 8);

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void theFuzzerFindsNothing(Target target) throws IOException, InterruptedException {
        Path found = Files.createDirectory(folder.resolve("corpus"));
        Path log = folder.resolve("log");
        Process fuzzer = new ProcessBuilder(command(target, found))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            boolean ended = fuzzer.waitFor(SECONDS + 120L, TimeUnit.SECONDS);
            assertTrue(ended, () -> "the fuzzer did not end:\n" + tail(log));
            assertEquals(
                    0,
                    fuzzer.exitValue(),
                    () -> "the fuzzer found an input that breaks " + target + "; its Base64 is below: keep it in "
                            + target.corpus() + "\n" + tail(log));
        } finally {
            fuzzer.destroyForcibly();
        }
    }

    private List<String> command(Target target, Path found) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-ea",
                "-Xmx400m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "com.code_intelligence.jazzer.Jazzer",
                "--target_class=" + target.type.getName(),
                "--instrumentation_includes=dev.millrace.stack.**",
                "--reproducer_path=" + folder,
                found.toString(),
                target.corpus().toString(),
                "-max_total_time=" + SECONDS,
                "-timeout=20",
                "-rss_limit_mb=0",
                "-artifact_prefix=" + folder + "/");
    }

    private static String tail(Path log) {
        try {
            String text = Files.readString(log, StandardCharsets.ISO_8859_1);
            return text.substring(Math.max(0, text.length() - 6_000));
        } catch (IOException e) {
            return "no log: " + e;
        }
    }
}
