package dev.millrace.stack.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules that this module's tests name exist, and the list of RFC 9293's labels has no hole. */
class RuleNamesTest {
    private static Set<String> known() throws IOException {
        Set<String> rules = new HashSet<>();
        Stream.concat(Duty.ofRfc9293().stream(), Duty.ofTheList().stream())
                .forEach(duty -> assertTrue(rules.addAll(duty.names()), "twice: " + duty.rule()));
        return rules;
    }

    @Test
    void everyRuleThatATestNamesIsOnTheLists() throws IOException, URISyntaxException {
        RuleTests tests = new RuleTests();
        tests.addFolder(Path.of(RuleNamesTest.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI()));
        Set<String> known = known();
        for (String rule : tests.rules()) {
            assertTrue(
                    known.contains(rule) || Duty.isClauseOfAnotherRfc(rule),
                    () -> tests.of(Set.of(rule)) + " names an unknown rule: " + rule);
        }
    }

    @Test
    void theLabelsOfTheRfcAreComplete() throws IOException {
        Set<String> known = known();
        List<String> missing = Stream.of(
                        IntStream.rangeClosed(1, 69).mapToObj(i -> "RFC 9293 MUST-" + i),
                        IntStream.rangeClosed(1, 31).mapToObj(i -> "RFC 9293 SHLD-" + i),
                        IntStream.rangeClosed(1, 18).mapToObj(i -> "RFC 9293 MAY-" + i),
                        Stream.of("RFC 9293 REC-1"))
                .flatMap(labels -> labels)
                .filter(label -> !known.contains(label))
                .toList();
        assertEquals(List.of(), missing);
    }
}
