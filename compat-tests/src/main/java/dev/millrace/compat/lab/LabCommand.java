package dev.millrace.compat.lab;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** What the launcher's commands that run applications in network namespaces have in common. */
public final class LabCommand {
    @Option(names = "--jar", hidden = true, description = "millrace.jar")
    private Path jar = Path.of("provider/target/millrace.jar");

    /** Runs {@code command} and returns the process' exit code; what it throws becomes one line. */
    public static int execute(Object command, String... args) {
        CommandLine line = new CommandLine(command);
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("show this text")
                        .build());
        line.setExecutionExceptionHandler((failure, failed, result) -> {
            failed.getErr()
                    .println(failed.getCommandName() + ": "
                            + (failure.getMessage() == null ? failure : failure.getMessage()));
            return 1;
        });
        return line.execute(args);
    }

    /** Throws what tells the user that network namespaces can't be made here. */
    public void needsRoot() throws IOException {
        if (!Lab.isPermitted()) {
            throw new IOException("needs root, to make network namespaces");
        }
    }

    public Path jar() {
        return jar.toAbsolutePath();
    }

    /** The test applications, with the class path this program was started with: applications and libraries, nothing of Millrace. */
    public Application application() throws IOException {
        String whole = System.getProperty("java.class.path");
        Path classes = Path.of(whole.substring(0, whole.indexOf(File.pathSeparatorChar)));
        Path libraries = classes.resolveSibling("lib");
        if (!Files.isDirectory(libraries)) {
            throw new IOException(libraries + " is missing: ./millrace build makes it");
        }
        return new Application(List.of(classes, libraries.resolve("*")), jar());
    }
}
