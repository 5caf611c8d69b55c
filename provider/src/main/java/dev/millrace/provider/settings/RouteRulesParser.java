package dev.millrace.provider.settings;

import dev.millrace.provider.routing.Route;
import dev.millrace.provider.routing.RouteRules;
import dev.millrace.provider.routing.RouteRules.Rule;
import dev.millrace.provider.routing.RouteRules.Verb;
import dev.millrace.stack.core.StackConfig.Interface;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads the lines of a {@code routes} file; {@link RouteRules} says what they mean. */
final class RouteRulesParser {
    private static final int LAST_PORT = 65535;

    private RouteRulesParser() {}

    /** Throws {@link IllegalArgumentException} with line number and problem. */
    static RouteRules parse(String source, List<String> lines) {
        List<Rule> rules = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            try {
                rules.add(rule(line));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("line " + (i + 1) + " \"" + line + "\": " + e.getMessage(), e);
            }
        }
        return new RouteRules(source, rules);
    }

    private static Rule rule(String line) {
        String[] words = line.split("\\s+", -1);
        if (words.length < 3 || words.length > 4) {
            throw new IllegalArgumentException("three or four words are needed");
        }
        Verb verb = switch (words[0]) {
            case "bind" -> Verb.BIND;
            case "connect" -> Verb.CONNECT;
            default -> throw new IllegalArgumentException("the first word is bind or connect");
        };
        Interface prefix = words[1].equals("*") ? null : Values.prefix(words[1]);
        Route route = words.length == 3 ? null : route(verb, words[3]);
        String ports = words[2];
        int dash = ports.indexOf('-');
        int first = ports.equals("*") ? 0 : port(dash < 0 ? ports : ports.substring(0, dash), 0);
        String end = dash < 0 ? ports : ports.substring(dash + 1);
        int last = end.equals("*") ? LAST_PORT : port(end, first);
        return new Rule(verb, prefix, first, last, route, String.join(" ", words));
    }

    private static int port(String text, int least) {
        try {
            return (int) Values.number(text, least, LAST_PORT);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("\"" + text + "\" is not a port from " + least + " to " + LAST_PORT, e);
        }
    }

    private static @Nullable Route route(Verb verb, String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "stack" -> Route.STACK;
            case "kernel" -> Route.KERNEL;
            case "both" -> {
                if (verb == Verb.CONNECT) {
                    throw new IllegalArgumentException("a connect goes to stack or kernel, not both");
                }
                yield Route.BOTH;
            }
            default -> throw new IllegalArgumentException("the fourth word is stack, kernel or both");
        };
    }
}
