package dev.millrace.compat.packetdrill;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What the fuzzer gives the script runner ({@code ./millrace fuzz scripts}): text of any content is played, refused, or named as unsupported;
 * nothing else may come out of the parsers, nor out of a run of what they accept.
 */
public final class ScriptTarget {
    private static final int MAX_CHARACTERS = 8_192;

    private ScriptTarget() {}

    public static void fuzzerTestOneInput(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        if (text.length() <= MAX_CHARACTERS) {
            play(text, Personality.LINUX);
        }
    }

    /** Whether the script passed. */
    static boolean play(String text, Personality personality) {
        try {
            Script script = ScriptParser.parse(text);
            Settings settings = new Settings(personality);
            Map.of("tolerance_usecs", "10000").forEach(settings::option);
            try (ScriptRun run = new ScriptRun(settings)) {
                run.play(script);
            }
            return true;
        } catch (ScriptException | UnsupportedConstructException refused) {
            return false;
        }
    }
}
