package dev.millrace.compat.packetdrill;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every script in {@code compat-tests/scripts} passes; what its rule is and where it comes from stands on its top. */
class ScriptsTest {
    private static final Path SCRIPTS = Path.of("scripts");

    @TestFactory
    Stream<DynamicTest> everyScriptPasses() throws IOException {
        return Packetdrill.in(SCRIPTS).stream()
                .map(script ->
                        DynamicTest.dynamicTest(SCRIPTS.relativize(script).toString(), () -> assertPasses(script)));
    }

    private static void assertPasses(Path script) {
        Verdict verdict = Verdict.of(script, Personality.LINUX, Map.of());
        assertEquals(
                Verdict.Kind.PASSED,
                verdict.kind(),
                () -> verdict.line() + "\nagain: ./millrace packetdrill compat-tests/" + script);
    }
}
