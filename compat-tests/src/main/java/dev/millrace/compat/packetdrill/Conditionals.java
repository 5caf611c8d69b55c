package dev.millrace.compat.packetdrill;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lines {@code #ifdef}, {@code #ifndef}, {@code #else}, {@code #endif}, {@code #define} and {@code #undef}, each on a line of its own: takes out of
 * a script's text what its symbols exclude, and keeps the numbers of the lines. Any other line that begins with {@code #} is a comment.
 */
final class Conditionals {
    private static final Pattern DIRECTIVE =
            Pattern.compile("\\s*#(ifdef|ifndef|else|endif|define|undef)\\b\\s*(\\w*).*");

    private final Set<String> symbols;
    /** Whether the lines of each block that is open are taken, the innermost first. */
    private final Deque<Boolean> open = new ArrayDeque<>();

    private Conditionals(Set<String> symbols) {
        this.symbols = new HashSet<>(symbols);
    }

    /**
     * @param symbols those defined from the beginning
     * @throws ScriptException a block is not closed, or there is none to close
     */
    static String applied(String text, Set<String> symbols) {
        return new Conditionals(symbols).apply(text);
    }

    private String apply(String text) {
        StringBuilder taken = new StringBuilder(text.length());
        int number = 0;
        for (String line : text.split("\n", -1)) {
            number++;
            Matcher directive = DIRECTIVE.matcher(line);
            if (directive.matches()) {
                obey(directive.group(1), directive.group(2), number);
            } else if (isTaken()) {
                taken.append(line);
            }
            taken.append('\n');
        }
        if (!open.isEmpty()) {
            throw new ScriptException(number + ": #endif is missing");
        }
        return taken.toString();
    }

    private boolean isTaken() {
        return !open.contains(false);
    }

    private void obey(String directive, String symbol, int line) {
        switch (directive) {
            case "ifdef" -> open.push(symbols.contains(symbol));
            case "ifndef" -> open.push(!symbols.contains(symbol));
            case "else" -> open.push(!innermost(line));
            case "endif" -> innermost(line);
            case "define" -> change(symbol, true);
            default -> change(symbol, false);
        }
    }

    private boolean innermost(int line) {
        if (open.isEmpty()) {
            throw new ScriptException(line + ": there is no #ifdef before this");
        }
        return open.pop();
    }

    private void change(String symbol, boolean defined) {
        if (isTaken() && defined) {
            symbols.add(symbol);
        } else if (isTaken()) {
            symbols.remove(symbol);
        }
    }
}
