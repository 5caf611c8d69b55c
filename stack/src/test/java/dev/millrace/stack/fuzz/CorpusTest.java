package dev.millrace.stack.fuzz;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kept corpus, which holds whatever a fuzzer has ever found, and simple mutations of it, pass every target. */
class CorpusTest {
    private static final int MUTATIONS = 300;

    @ParameterizedTest
    @EnumSource
    void everyKeptInputPasses(Target target) throws IOException {
        List<Path> files = target.corpusFiles();
        assertFalse(files.isEmpty(), "no corpus in " + target.corpus());
        for (Path file : files) {
            run(target, Files.readAllBytes(file), file.toString());
        }
    }

    @ParameterizedTest
    @EnumSource
    void mutationsOfTheCorpusPass(Target target) throws IOException {
        long seed = Long.getLong("millrace.seed", 20_261_121L);
        SplittableRandom random = new SplittableRandom(seed);
        List<Path> files = target.corpusFiles();
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] input = Files.readAllBytes(files.get(random.nextInt(files.size())));
            for (int change = random.nextInt(8); change > 0 && input.length > 0; change--) {
                input[random.nextInt(input.length)] = (byte) random.nextInt(256);
            }
            run(target, input, "mutation " + i + ", replay with -Dmillrace.seed=" + seed);
        }
    }

    private static void run(Target target, byte[] input, String what) {
        try {
            target.run(input);
        } catch (RuntimeException | AssertionError e) {
            throw new AssertionError(target + " fails on " + what, e);
        }
    }
}
