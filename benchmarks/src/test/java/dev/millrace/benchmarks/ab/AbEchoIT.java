package dev.millrace.benchmarks.ab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The rig itself, in its shortest form. A CI machine's timings prove little, so the figures are printed and not judged: {@code ab echo --enforce} does that. */
class AbEchoIT {
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
    private static final Pattern RATIO = Pattern.compile("(\\d+\\.\\d+) x  \\d x (met|MISSED)");

    private record Ended(int status, String output) {}

    @ParameterizedTest
    @ValueSource(strings = {"memif", "vhost"})
    void comparesMillraceWithTheKernelAndLeavesNothingBehind(String link, @TempDir Path directory) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root: reserves huge pages");
        String before = Files.readString(HUGE_PAGES);
        Ended ended = run(directory, "--quick", "--link", link);
        System.out.println(ended.output);
        assertEquals(0, ended.status, ended.output);
        Matcher ratios = RATIO.matcher(ended.output);
        int phases = 0;
        while (ratios.find()) {
            phases++;
            assertTrue(Double.parseDouble(ratios.group(1)) > 0, "nothing came through:\n" + ended.output);
        }
        assertEquals(4, phases, ended.output);
        assertEquals(before, Files.readString(HUGE_PAGES), "huge pages were not given back");
        assertEquals(List.of(), leftIn(directory));
    }

    @Test
    void failsWithTheReasonWhenASideCannotStart(@TempDir Path directory) throws Exception {
        Ended ended = run(directory, "--quick", "--link", "tap:much-too-long-a-name tap:much-too-long-a-name");
        assertEquals(1, ended.status, ended.output);
        assertTrue(ended.output.contains("the server did not start"), ended.output);
        assertTrue(ended.output.contains("much-too-long-a-name"), ended.output);
        assertEquals(List.of(), leftIn(directory));
    }

    @Test
    void refusesAnUnknownLink(@TempDir Path directory) throws Exception {
        Ended ended = run(directory, "--link", "pigeon");
        assertEquals(1, ended.status, ended.output);
        assertTrue(ended.output.contains("expected memif, vhost"), ended.output);
    }

    private static Ended run(Path directory, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path"),
                "dev.millrace.benchmarks.ab.AbEcho",
                "--jar",
                Path.of("..", "provider", "target", "millrace.jar").toString()));
        command.addAll(List.of(arguments));
        Path log = directory.resolve("output");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            assertTrue(process.waitFor(3, TimeUnit.MINUTES), "the rig did not end");
        } finally {
            process.destroy(); // not forcibly: it has huge pages to give back
        }
        String output = Files.readString(log);
        Files.delete(log);
        return new Ended(process.exitValue(), output);
    }

    private static List<Path> leftIn(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(path -> !path.getFileName().toString().startsWith("hsperfdata"))
                    .toList();
        }
    }
}
