package dev.millrace.provider.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.settings.Key;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class CommandTest {
    private final StringWriter out = new StringWriter();
    private final CommandLine command = new CommandLine(new Millrace()).setOut(new PrintWriter(out, true));

    @Test
    void settingsListsEveryKey() {
        assertEquals(0, command.execute("settings"));
        for (Key key : Key.values()) {
            assertTrue(out.toString().contains("allowed: " + key.allowed()), key.text());
        }
    }

    @Test
    void doctorIsContentWithTheLoopEverywhere() {
        assertEquals(0, command.execute("doctor"), out::toString);
        assertTrue(out.toString().contains("link=loop can be used here"), out::toString);
    }

    @Test
    void whateverIsMissingHasARemedy() {
        for (Finding finding : Examination.ofThisMachine()) {
            assertFalse(finding.state().isBlank(), finding.subject());
            assertTrue(finding.good() || !finding.remedy().isBlank(), finding.subject());
        }
    }

    @Test
    void doctorFailsExactlyWhenSomethingIsMissingForTheLink() {
        boolean missing = Examination.ofThisMachine().stream()
                .anyMatch(finding -> finding.neededFor().contains("tap"));
        assertEquals(missing ? 1 : 0, command.execute("doctor", "--link", "tap"), out::toString);
    }

    @Test
    void doctorRefusesAnUnknownKindOfLink() {
        StringWriter err = new StringWriter();
        command.setErr(new PrintWriter(err, true));
        assertEquals(2, command.execute("doctor", "--link", "tip"));
        assertTrue(err.toString().contains("loop, tap, dpdk"), err::toString);
    }
}
