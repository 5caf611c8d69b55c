package dev.millrace.provider.settings;

import java.io.IOException;

/** A setting that cannot be used. The message is one line: key and value, what is wrong, what is allowed, what to do. */
public final class SettingsException extends IOException {
    private static final long serialVersionUID = 1;

    private SettingsException(String message) {
        super(message);
    }

    /** {@code key=value: problem; allowed: …}. */
    static SettingsException of(Key key, String value, String problem) {
        return new SettingsException(
                oneLine(key.text() + "=" + value) + ": " + oneLine(problem) + "; allowed: " + key.allowed());
    }

    /** A name that is no setting. */
    static SettingsException unknown(String name, String value) {
        String nearest = NearestName.of(name, Key.names());
        return new SettingsException(oneLine(name + "=" + value) + ": unknown setting"
                + (nearest.isEmpty() ? "" : "; did you mean " + nearest + "?") + " Known: "
                + String.join(", ", Key.names()));
    }

    /** Something that is not even {@code key=value}. */
    static SettingsException malformed(String text, String origin) {
        return new SettingsException(oneLine(text) + ": not a setting (in " + origin
                + "); allowed: key=value with one of the keys " + String.join(", ", Key.names()));
    }

    /** Control characters would break the one line that a message is. */
    private static String oneLine(String text) {
        StringBuilder line = new StringBuilder(text.length());
        text.codePoints().limit(400).forEach(c -> line.appendCodePoint(Character.isISOControl(c) ? '?' : c));
        return line.toString();
    }
}
