package dev.millrace.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.settings.Settings;
import dev.millrace.provider.settings.SettingsSource;
import java.util.Arrays;
import java.util.Properties;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProcessorsTest {
    @Test
    void theKernelsListFormat() {
        assertEquals("{0, 1, 2, 3, 8}", Processors.parse("0-3,8").toString());
        assertEquals("{5}", Processors.parse("5").toString());
    }

    @Test
    void everyShardGetsAProcessorThatThisProcessMayUse() throws Exception {
        for (int shards : IntStream.rangeClosed(1, 64).toArray()) {
            Settings settings = Settings.of(SettingsSource.of("shards=" + shards, new Properties()));
            int[] chosen = Processors.choose(settings);
            assertEquals(shards, chosen.length);
            assertTrue(Arrays.stream(chosen).allMatch(cpu -> cpu >= 0 && cpu < 4096), Arrays.toString(chosen));
            long distinct = Arrays.stream(chosen).distinct().count();
            assertEquals(Math.min(shards, Processors.allowed().cardinality()), distinct);
        }
    }
}
