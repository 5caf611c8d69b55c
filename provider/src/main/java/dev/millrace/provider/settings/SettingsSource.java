package dev.millrace.provider.settings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The settings as they were written, before their values are looked at. The agent's argument wins over system properties, these
 * over the {@code config} file. The first mistake is kept, not thrown, so that {@link #onFailure} can be asked whatever else is wrong.
 */
public final class SettingsSource {
    static final String PREFIX = "millrace.";

    private final Map<Key, String> values = new EnumMap<>(Key.class);
    private @Nullable SettingsException firstMistake;

    private SettingsSource() {}

    /**
     * Collects what was given.
     *
     * @param agentArgument {@code key=value;key=value}, empty without an agent
     * @param properties those that begin with {@code millrace.} are looked at
     */
    public static SettingsSource of(String agentArgument, Properties properties) {
        SettingsSource source = new SettingsSource();
        source.merge(source.ofAgent(agentArgument));
        source.merge(source.ofProperties(properties));
        String config = source.values.get(Key.CONFIG);
        if (config != null) {
            source.merge(source.ofFile(config));
        }
        return source;
    }

    /** What to do when starting fails; {@code stop} unless {@code kernel} was clearly asked for. */
    public OnFailure onFailure() {
        return OnFailure.KERNEL.text().equals(values.get(Key.ONFAILURE)) ? OnFailure.KERNEL : OnFailure.STOP;
    }

    /** What was given for {@code key}, or its default. */
    String value(Key key) {
        return values.getOrDefault(key, key.standard());
    }

    /** Throws the first mistake met while collecting, if any. */
    void check() throws SettingsException {
        if (firstMistake != null) {
            throw firstMistake;
        }
    }

    private void merge(Map<Key, String> weaker) {
        weaker.forEach(values::putIfAbsent);
    }

    private Map<Key, String> ofAgent(String argument) {
        Map<Key, String> given = new EnumMap<>(Key.class);
        for (String entry : argument.split(";", -1)) {
            putEntry(given, entry, "the agent's argument");
        }
        return given;
    }

    private Map<Key, String> ofProperties(Properties properties) {
        Map<Key, String> given = new EnumMap<>(Key.class);
        for (String name : new TreeSet<>(properties.stringPropertyNames())) {
            if (name.startsWith(PREFIX)) {
                put(given, name.substring(PREFIX.length()), properties.getProperty(name));
            }
        }
        return given;
    }

    private Map<Key, String> ofFile(String file) {
        Map<Key, String> given = new EnumMap<>(Key.class);
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of(file), StandardCharsets.UTF_8);
        } catch (IOException | InvalidPathException e) {
            mistake(SettingsException.of(Key.CONFIG, file, "cannot be read (" + Values.reason(e) + ")"));
            return given;
        }
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.stripLeading().startsWith("#")) {
                putEntry(given, line, "line " + (i + 1) + " of " + file);
            }
        }
        if (given.containsKey(Key.CONFIG)) {
            mistake(SettingsException.of(Key.CONFIG, file, "names a further config file; files are not nested"));
        }
        return given;
    }

    private void putEntry(Map<Key, String> given, String entry, String origin) {
        String text = entry.strip();
        if (text.isEmpty()) {
            return;
        }
        int equals = text.indexOf('=');
        if (equals < 1) {
            mistake(SettingsException.malformed(text, origin));
            return;
        }
        put(given, text.substring(0, equals).strip(), text.substring(equals + 1).strip());
    }

    private void put(Map<Key, String> given, String name, String value) {
        Key key = Key.named(name).orElse(null);
        if (key == null) {
            mistake(SettingsException.unknown(name, value));
        } else if (given.putIfAbsent(key, value) != null) {
            mistake(SettingsException.of(key, value, "given twice; keep one"));
        }
    }

    private void mistake(SettingsException mistake) {
        if (firstMistake == null) {
            firstMistake = mistake;
        }
    }
}
