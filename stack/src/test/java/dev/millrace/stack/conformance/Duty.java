package dev.millrace.stack.conformance;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * One thing that the engine owes, as listed in this package's resources.
 *
 * @param rule what {@code @Rule} calls it
 * @param meaning in own words
 * @param reason why no test shows it, or what is done instead; empty when tests show all of it
 */
record Duty(String rule, String meaning, String reason) {
    private static final String LIST = "tcp.md: ";

    /** RFC 9293's labelled requirements. */
    static List<Duty> ofRfc9293() throws IOException {
        List<Duty> duties = new ArrayList<>();
        for (String[] columns : lines("rfc9293.txt")) {
            duties.add(new Duty("RFC 9293 " + columns[0], "§" + columns[1] + " " + columns[2], column(columns, 3)));
        }
        return duties;
    }

    /** Protocols, attacks and faults. */
    static List<Duty> ofTheList() throws IOException {
        List<Duty> duties = new ArrayList<>();
        for (String[] columns : lines("duties.txt")) {
            duties.add(new Duty(LIST + columns[0], columns[1], column(columns, 2)));
        }
        return duties;
    }

    /** What a test may call it: the whole, without what stands in brackets, or one of the cases that a row names. */
    Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        names.add(rule);
        if (rule.startsWith(LIST)) {
            names.add(rule.replaceFirst(" \\(.*", ""));
            for (String one : rule.substring(LIST.length()).split(", ", -1)) {
                names.add(LIST + one);
            }
        }
        return names;
    }

    /** Rules that are on no list: a clause is enough, as in {@code RFC 3168 §6.1.2}. */
    static boolean isClauseOfAnotherRfc(String rule) {
        return rule.matches("RFC (?!9293 )\\d+ §.+");
    }

    private static String column(String[] columns, int index) {
        return index < columns.length ? columns[index] : "";
    }

    private static List<String[]> lines(String resource) throws IOException {
        List<String[]> lines = new ArrayList<>();
        InputStream stream = Objects.requireNonNull(Duty.class.getResourceAsStream(resource), resource);
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!line.startsWith("#")) {
                    lines.add(line.split(" \\| ", -1));
                }
            }
        }
        return lines;
    }
}
