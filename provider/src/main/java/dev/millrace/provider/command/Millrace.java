package dev.millrace.provider.command;

import dev.millrace.provider.Version;
import dev.millrace.provider.settings.Key;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code java -jar millrace.jar}: what a user asks the jar itself. */
@Command(
        name = "millrace",
        description = "A userspace TCP stack under java.nio.",
        subcommands = {Doctor.class, CommandLine.HelpCommand.class})
public final class Millrace implements Runnable {
    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Millrace()).execute(arguments));
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    @Command(name = "version", description = "Prints the version.")
    void version() {
        spec.commandLine().getOut().println("millrace " + Version.text());
    }

    @Command(name = "settings", description = "Lists every setting with its default and what is allowed.")
    void settings() {
        PrintWriter out = spec.commandLine().getOut();
        for (Key key : Key.values()) {
            out.println(key.text() + (key.standard().isEmpty() ? "" : "=" + key.standard()));
            out.println("    " + key.meaning());
            out.println("    allowed: " + key.allowed());
        }
    }
}
