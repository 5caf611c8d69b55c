package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** RFC 5961 §7, and what CVE-2016-5696 made of a limit that everybody could count. */
@Rule("tcp.md: blind RST / SYN / data / ACK")
@Rule("tcp.md: Security")
class ChallengeAcksTest {
    private static final long SECOND = 1_000_000_000L;

    private final ChallengeAcks challenges = new ChallengeAcks(new SplittableRandom(5));

    private int permittedIn(long secondBeganNs) {
        int permitted = 0;
        for (int i = 0; i < 10_000; i++) {
            permitted += challenges.permits(secondBeganNs + i * 1000L) ? 1 : 0;
        }
        return permitted;
    }

    @Test
    void allConnectionsTogetherGetAThousandASecondOnAverage() {
        long sum = 0;
        for (int second = 0; second < 100; second++) {
            int permitted = permittedIn(second * SECOND);
            assertTrue(permitted >= 500 && permitted < 1500, permitted + " in a second");
            sum += permitted;
        }
        assertEquals(1000, sum / 100.0, 100);
    }

    @Test
    void nobodyCanTellFromTheNumberHowManyOthersGot() {
        Set<Integer> numbers = new HashSet<>();
        for (int second = 0; second < 100; second++) {
            numbers.add(permittedIn(second * SECOND));
        }
        assertTrue(numbers.size() > 50, "only " + numbers.size() + " different numbers in 100 seconds");
    }
}
