package dev.millrace.stack.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** The fuzz targets by the names that {@code ./millrace fuzz} knows, each with its kept corpus. */
enum Target {
    FRAMES(FrameTarget.class),
    OPTIONS(OptionTarget.class),
    REASSEMBLY(ReassemblyTarget.class);

    final Class<?> type;

    Target(Class<?> type) {
        this.type = type;
    }

    void run(byte[] input) {
        switch (this) {
            case FRAMES -> FrameTarget.fuzzerTestOneInput(input);
            case OPTIONS -> OptionTarget.fuzzerTestOneInput(input);
            case REASSEMBLY -> ReassemblyTarget.fuzzerTestOneInput(input);
        }
    }

    /** In the module's folder, where Maven runs its tests. */
    Path corpus() {
        return Path.of("src/test/corpus", name().toLowerCase(Locale.ROOT)).toAbsolutePath();
    }

    List<Path> corpusFiles() throws IOException {
        try (Stream<Path> files = Files.list(corpus())) {
            return files.sorted().toList();
        }
    }
}
