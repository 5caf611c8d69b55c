package dev.millrace.compat.app;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The command line of a test application: {@code --name value} pairs. A name that the application does not know is refused, so that a
 * misspelt test never silently tests something else.
 */
public final class Arguments {
    private final Map<String, String> values = new HashMap<>();

    private Arguments() {}

    /** Reads {@code args}; throws {@link IllegalArgumentException} naming what is wrong and what is allowed. */
    public static Arguments parse(String[] args, Set<String> allowed) {
        Arguments arguments = new Arguments();
        for (int i = 0; i < args.length; i += 2) {
            String name = args[i].startsWith("--") ? args[i].substring(2) : "";
            if (!allowed.contains(name)) {
                throw new IllegalArgumentException(
                        "'" + args[i] + "' is none of --" + String.join(", --", new TreeSet<>(allowed)));
            }
            if (i + 1 == args.length) {
                throw new IllegalArgumentException("'" + args[i] + "' needs a value");
            }
            arguments.values.put(name, args[i + 1]);
        }
        return arguments;
    }

    public boolean has(String name) {
        return values.containsKey(name);
    }

    public String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    public int number(String name, int otherwise) {
        String value = values.get(name);
        return value == null ? otherwise : Integer.parseInt(value);
    }
}
