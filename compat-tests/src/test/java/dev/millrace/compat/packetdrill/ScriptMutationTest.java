package dev.millrace.compat.packetdrill;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Scripts with bytes changed, lines repeated, dropped and swapped: the runner refuses them or plays them, and never breaks. */
class ScriptMutationTest {
    private static final int MUTATIONS = 600;
    private static final String ODD = "<>.,:()[]{}+*~`\"'%-=|&0189SFRP.Ue \n";

    private static List<Path> corpus() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/corpus/scripts"))) {
            return files.sorted().toList();
        }
    }

    @Test
    void everyKeptScriptPlaysOrIsRefused() throws IOException {
        int passed = 0;
        for (Path file : corpus()) {
            passed += ScriptTarget.play(Files.readString(file, StandardCharsets.UTF_8), Personality.LINUX) ? 1 : 0;
        }
        assertTrue(passed > 0, "the corpus has no script that passes, so mutations of it reach little");
    }

    @Test
    void aMutatedScriptNeverBreaksTheRunner() throws IOException {
        long seed = Long.getLong("millrace.seed", 20_261_121L);
        SplittableRandom random = new SplittableRandom(seed);
        List<Path> files = corpus();
        for (int i = 0; i < MUTATIONS; i++) {
            String text = mutate(Files.readString(files.get(random.nextInt(files.size()))), random);
            try {
                ScriptTarget.play(text, random.nextBoolean() ? Personality.LINUX : Personality.FREEBSD);
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("mutation " + i + ", replay with -Dmillrace.seed=" + seed + ":\n" + text, e);
            }
        }
    }

    private static String mutate(String script, SplittableRandom random) {
        StringBuilder text = new StringBuilder(script);
        for (int change = 1 + random.nextInt(4); change > 0 && text.length() > 1; change--) {
            int at = random.nextInt(text.length() - 1);
            switch (random.nextInt(5)) {
                case 0 -> text.setCharAt(at, ODD.charAt(random.nextInt(ODD.length())));
                case 1 -> text.insert(at, ODD.charAt(random.nextInt(ODD.length())));
                case 2 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(20)));
                case 3 -> text.insert(random.nextInt(text.length()), text.substring(at, lineEnd(text, at)));
                default -> text.setLength(at + 1);
            }
        }
        return text.toString();
    }

    private static int lineEnd(StringBuilder text, int at) {
        int end = text.indexOf("\n", at);
        return end < 0 ? text.length() : end + 1;
    }
}
