package dev.millrace.stack.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Writes {@code stack/CONFORMANCE.md} from the annotated tests of all modules and the reports of their last run; the last step of {@code
 * ./millrace test}. Fails when a rule has neither a test nor a stated reason, a test names a rule that there is not, or a rule's test failed.
 */
public final class Conformance {
    private static final List<String> MODULES =
            List.of("stack", "io-backends", "provider", "compat-tests", "benchmarks");

    /** Such a reason goes as soon as there is a test. */
    private static final String NOT_YET = "not covered yet";

    private final RuleTests tests;
    private final Outcomes outcomes;
    private final StringBuilder page = new StringBuilder();
    private final List<String> faults = new ArrayList<>();
    private final Set<String> known = new TreeSet<>();
    private int shown;
    private int reasoned;
    private int unsettled;

    private Conformance(RuleTests tests, Outcomes outcomes) {
        this.tests = tests;
        this.outcomes = outcomes;
    }

    /** The one argument is the project's folder. */
    public static void main(String[] arguments) throws IOException {
        Path home = Path.of(arguments[0]);
        RuleTests tests = new RuleTests();
        Outcomes outcomes = new Outcomes();
        for (String module : MODULES) {
            Path target = home.resolve(module).resolve("target");
            tests.addFolder(target.resolve("test-classes"));
            outcomes.addFolder(target.resolve("surefire-reports"));
            outcomes.addFolder(target.resolve("failsafe-reports"));
        }
        Conformance conformance = new Conformance(tests, outcomes);
        conformance.write();
        Files.writeString(home.resolve("stack/CONFORMANCE.md"), conformance.page);
        System.out.println("conformance: " + conformance.summary());
        conformance.faults.forEach(fault -> System.out.println("conformance: " + fault));
        if (!conformance.faults.isEmpty()) {
            System.exit(1);
        }
    }

    private String summary() {
        return shown + " rules shown by tests that pass, " + unsettled + " by tests that were skipped or not run, "
                + reasoned + " with a reason instead, " + faults.size() + " faults";
    }

    private void write() throws IOException {
        line("# What the engine owes, and what shows it");
        line("");
        line(
                "Made by `./millrace test` from the tests' `@Rule` annotations and their results; not to be edited. The rules and the");
        line("reasons are in `src/test/resources/dev/millrace/stack/conformance`.");
        line("");
        int summaryAt = page.length();
        table("RFC 9293, every labelled requirement", Duty.ofRfc9293());
        table("Protocols, attacks and faults", Duty.ofTheList());
        table("Clauses of other RFCs that tests name", clausesOfOtherRfcs());
        page.insert(summaryAt, summary() + "." + System.lineSeparator());
    }

    private void line(String text) {
        page.append(text).append(System.lineSeparator());
    }

    private List<Duty> clausesOfOtherRfcs() {
        List<Duty> clauses = new ArrayList<>();
        for (String rule : tests.rules()) {
            if (Duty.isClauseOfAnotherRfc(rule)) {
                clauses.add(new Duty(rule, "", ""));
            } else if (!known.contains(rule)) {
                faults.add(tests.of(Set.of(rule)).getFirst() + " names an unknown rule: " + rule);
            }
        }
        return clauses;
    }

    private void table(String title, List<Duty> duties) {
        line("");
        line("## " + title);
        line("");
        line("| rule | meaning | tests | result |");
        line("|---|---|---|---|");
        for (Duty duty : duties) {
            known.addAll(duty.names());
            List<RuleTests.Test> keepers = tests.of(duty.names());
            String names = keepers.stream().map(test -> "`" + test + "`").collect(Collectors.joining(", "));
            line("| " + String.join(" | ", shortName(duty), duty.meaning(), names, result(duty, keepers)) + " |");
        }
    }

    private static String shortName(Duty duty) {
        return duty.rule().replaceFirst("^RFC 9293 |^tcp.md: ", "");
    }

    private String result(Duty duty, List<RuleTests.Test> keepers) {
        if (keepers.isEmpty()) {
            if (duty.reason().isEmpty()) {
                faults.add(duty.rule() + " has neither a test nor a reason");
                return "**not covered**";
            }
            reasoned++;
            return duty.reason();
        }
        Outcomes.Outcome worst = Outcomes.Outcome.PASSED;
        for (RuleTests.Test test : keepers) {
            worst = worst.worse(outcomes.of(test));
        }
        if (worst == Outcomes.Outcome.FAILED) {
            faults.add(duty.rule() + " has a failing test");
        }
        if (worst == Outcomes.Outcome.PASSED) {
            shown++;
        } else {
            unsettled++;
        }
        return duty.reason().isEmpty() || duty.reason().startsWith(NOT_YET)
                ? worst.text
                : worst.text + "; " + duty.reason();
    }
}
