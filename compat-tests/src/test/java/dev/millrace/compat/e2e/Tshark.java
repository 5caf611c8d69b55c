package dev.millrace.compat.e2e;

import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.LabException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A capture as tshark reads it, with every checksum verified. */
record Tshark(Path capture) {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** One line for each frame that {@code filter} selects. */
    String frames(String filter) {
        return select(filter, List.of());
    }

    int count(String filter) {
        return (int) frames(filter).lines().count();
    }

    /** The value of {@code field} in each frame that {@code filter} selects. */
    List<String> values(String filter, String field) {
        return select(filter, List.of("-T", "fields", "-e", field)).lines().toList();
    }

    private String select(String filter, List<String> more) {
        List<String> words = new java.util.ArrayList<>(List.of(
                "tshark",
                "-r",
                capture.toString(),
                "-n",
                "-o",
                "ip.check_checksum:TRUE",
                "-o",
                "tcp.check_checksum:TRUE",
                "-Y",
                filter));
        words.addAll(more);
        Command.Result result = Command.run(LIMIT, words);
        // While the capture is being written its last record may be there in part.
        if (result.exitCode() != 0 && !result.output().contains("cut short")) {
            throw new LabException(String.join(" ", words) + ":\n" + result.output());
        }
        return result.output()
                .lines()
                .filter(line -> !line.startsWith("Running as user") && !line.contains("cut short"))
                .reduce("", (text, line) -> text + line + "\n");
    }
}
