package dev.millrace.provider.command;

import java.util.Set;

/**
 * One thing that was looked at.
 *
 * @param subject what, in a word
 * @param state how it is
 * @param remedy what to do when it is not good, preferably a command
 * @param neededFor kinds of links that do not work without it
 */
record Finding(String subject, boolean good, String state, String remedy, Set<String> neededFor) {
    static Finding good(String subject, String state) {
        return new Finding(subject, true, state, "", Set.of());
    }

    static Finding missing(String subject, String state, String remedy, String... neededFor) {
        return new Finding(subject, false, state, remedy, Set.of(neededFor));
    }

    String mark(boolean wanted) {
        return good ? "ok" : wanted ? "MISSING" : "absent";
    }
}
