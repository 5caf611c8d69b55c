package dev.millrace.compat.packetdrill;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a script ended.
 *
 * @param detail the line and the first difference, or what is unsupported; empty when it passed
 */
record Verdict(Path script, Kind kind, String detail) {
    private static final Pattern DETAIL_WITH_LINE = Pattern.compile("^\\d+: ");
    private static final Pattern OWN_PERSONALITY = Pattern.compile("(?m)^--personality=(\\w+)");

    enum Kind {
        PASSED,
        FAILED,
        UNSUPPORTED
    }

    /** Plays a script. The options hold for every script, its own lines after them; {@code --personality=} in a script comes before the caller's. */
    static Verdict of(Path script, Personality personality, Map<String, String> options) {
        try {
            String text = Files.readString(script, StandardCharsets.UTF_8);
            Matcher own = OWN_PERSONALITY.matcher(text);
            Personality whose = own.find() ? Personality.of(own.group(1)) : personality;
            String symbols = options.getOrDefault("define", whose.symbol());
            Script parsed = ScriptParser.parse(Conditionals.applied(text, Set.of(symbols.split(",", -1))));
            Settings settings = new Settings(whose);
            settings.directory = script.toAbsolutePath().normalize().resolveSibling("");
            options.forEach(settings::option);
            try (ScriptRun run = new ScriptRun(settings)) {
                run.play(parsed);
            }
            return new Verdict(script, Kind.PASSED, "");
        } catch (ScriptException e) {
            return new Verdict(script, Kind.FAILED, String.valueOf(e.getMessage()));
        } catch (UnsupportedConstructException e) {
            return new Verdict(script, Kind.UNSUPPORTED, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            return new Verdict(script, Kind.FAILED, "cannot be read: " + e);
        }
    }

    /** The line that the command prints. */
    String line() {
        String label = kind == Kind.FAILED ? "FAIL" : "unsupported";
        boolean hasLine = DETAIL_WITH_LINE.matcher(detail).find();
        return script
                + switch (kind) {
                    case PASSED -> ": pass";
                    case FAILED, UNSUPPORTED ->
                        hasLine ? ":" + detail.replaceFirst(": ", ": " + label + ": ") : ": " + label + ": " + detail;
                };
    }
}
