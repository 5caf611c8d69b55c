package dev.millrace.compat.packetdrill;

/**
 * A position in a script's text, and the small steps that the recursive-descent parsers are made of. White space and comments
 * ({@code // …}, {@code /* … *}{@code /}, {@code # …}) separate tokens and mean nothing else. One thread.
 */
final class Scanner {
    private static final char END = '\0';

    private final String text;
    private final boolean slashComments;
    private int at;

    Scanner(String text) {
        this(text, true);
    }

    /** @param slashComments whether {@code //} begins a comment, and is no operator */
    Scanner(String text, boolean slashComments) {
        this.text = text;
        this.slashComments = slashComments;
    }

    /** The line of the next token, from 1. */
    int line() {
        skip();
        int line = 1;
        for (int i = 0; i < at; i++) {
            if (text.charAt(i) == '\n') {
                line++;
            }
        }
        return line;
    }

    private void skip() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (c == '#' || slashComments && text.startsWith("//", at)) {
                at = endOf("\n");
            } else if (slashComments && text.startsWith("/*", at)) {
                at = endOf("*/");
            } else {
                return;
            }
        }
    }

    private int endOf(String mark) {
        int found = text.indexOf(mark, at);
        return found < 0 ? text.length() : found + mark.length();
    }

    boolean atEnd() {
        skip();
        return at >= text.length();
    }

    /** The next character that means something, or NUL at the end. */
    char peek() {
        skip();
        return at < text.length() ? text.charAt(at) : END;
    }

    /** The character right here, white space included. */
    char here() {
        return at < text.length() ? text.charAt(at) : END;
    }

    boolean looksAt(String token) {
        skip();
        return text.startsWith(token, at);
    }

    /** Takes the token if it comes next. */
    boolean take(String token) {
        if (!looksAt(token)) {
            return false;
        }
        at += token.length();
        return true;
    }

    /** Takes the token only if nothing that continues a word follows it. */
    boolean takeWord(String word) {
        skip();
        if (!text.startsWith(word, at)
                || at + word.length() < text.length() && isWordPart(text.charAt(at + word.length()))) {
            return false;
        }
        at += word.length();
        return true;
    }

    void expect(String token) {
        if (!take(token)) {
            throw new ScriptException("expected '" + token + "' and found '" + rest() + "'");
        }
    }

    /** What comes next, for messages. */
    String rest() {
        skip();
        int end = text.indexOf('\n', at);
        String line = text.substring(at, end < 0 ? text.length() : end);
        return line.length() > 40 ? line.substring(0, 40) + "…" : line;
    }

    static boolean isWordPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    /** A name: letters, digits, underscores. */
    String word() {
        skip();
        int from = at;
        while (at < text.length() && isWordPart(text.charAt(at))) {
            at++;
        }
        if (from == at) {
            throw new ScriptException("expected a name and found '" + rest() + "'");
        }
        return text.substring(from, at);
    }

    /** Characters of the given set, from the next token on. */
    String span(String characters) {
        skip();
        int from = at;
        while (at < text.length() && characters.indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return text.substring(from, at);
    }

    /** Everything up to the mark, which is taken as well. */
    String until(String mark) {
        int end = text.indexOf(mark, at);
        if (end < 0) {
            throw new ScriptException("'" + mark + "' is missing");
        }
        String found = text.substring(at, end);
        at = end + mark.length();
        return found;
    }

    boolean atNumber() {
        char c = peek();
        return Character.isDigit(c) || c == '-' && at + 1 < text.length() && Character.isDigit(text.charAt(at + 1));
    }

    /** A decimal or hexadecimal whole number, perhaps negative; suffixes U and L are dropped. */
    long number() {
        boolean negative = take("-");
        skip();
        boolean hex = text.startsWith("0x", at) || text.startsWith("0X", at);
        if (hex) {
            at += 2;
        }
        int from = at;
        while (at < text.length() && Character.digit(text.charAt(at), hex ? 16 : 10) >= 0) {
            at++;
        }
        if (from == at) {
            throw new ScriptException("expected a number and found '" + rest() + "'");
        }
        String digits = text.substring(from, at);
        span("UL");
        try {
            long value = Long.parseUnsignedLong(digits, hex ? 16 : 10);
            return negative ? -value : value;
        } catch (NumberFormatException e) {
            throw new ScriptException("'" + digits + "' is more than 64 bits");
        }
    }

    /** Seconds with a fraction, in nanoseconds. */
    long seconds() {
        String digits = span("0123456789.");
        int point = digits.indexOf('.');
        try {
            long whole = point == 0 ? 0 : Long.parseLong(point < 0 ? digits : digits.substring(0, point));
            String fraction = point < 0 ? "" : digits.substring(point + 1);
            String nine = (fraction + "000000000").substring(0, 9);
            return whole * 1_000_000_000L + Long.parseLong(nine);
        } catch (NumberFormatException e) {
            throw new ScriptException("'" + digits + "' is no time in seconds; found before '" + rest() + "'");
        }
    }

    int position() {
        return at;
    }

    void back(int position) {
        at = position;
    }
}
