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

    /** What names and values the caller gives for words of a script has this before the name among the options. */
    static final String DEFINE = "define ";

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
            Script parsed =
                    ScriptParser.parse(Conditionals.applied(defined(text, options), Set.of(symbols.split(",", -1))));
            Settings settings = new Settings(whose);
            settings.directory = script.toAbsolutePath().normalize().resolveSibling("");
            options.forEach((name, value) -> {
                if (!name.startsWith(DEFINE)) {
                    settings.option(name, value);
                }
            });
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

    /** The script with its words that the caller has defined replaced, as packetdrill does for {@code -D}. */
    private static String defined(String script, Map<String, String> options) {
        String text = script;
        for (Map.Entry<String, String> option : options.entrySet()) {
            if (option.getKey().startsWith(DEFINE)) {
                String word = "\\b" + Pattern.quote(option.getKey().substring(DEFINE.length())) + "\\b";
                text = text.replaceAll(word, Matcher.quoteReplacement(option.getValue()));
            }
        }
        return text;
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
