package dev.millrace.provider.command;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code doctor}: what this machine has of all that Millrace can use, what is missing, and the command that mends it. */
@Command(
        name = "doctor",
        description = {
            "Says what this machine has, what is missing, and the command that mends it.",
            "Exit code 0 when the link asked about can be opened, 1 when not."
        })
final class Doctor implements Callable<Integer> {
    private static final List<String> LINKS = List.of("loop", "tap", "dpdk");

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Option(
            names = "--link",
            description = "The kind of link that must work: loop, tap or dpdk (default: ${DEFAULT-VALUE}).",
            defaultValue = "loop")
    private String link = "loop";

    @Override
    public Integer call() {
        if (!LINKS.contains(link)) {
            throw new ParameterException(
                    spec.commandLine(), "--link=" + link + ": allowed: " + String.join(", ", LINKS));
        }
        PrintWriter out = spec.commandLine().getOut();
        List<Finding> findings = Examination.ofThisMachine();
        boolean fit = true;
        for (Finding finding : findings) {
            boolean wanted = finding.neededFor().contains(link);
            fit &= finding.good() || !wanted;
            out.printf("%-8s %-14s %s%n", finding.mark(wanted), finding.subject(), finding.state());
            if (!finding.good()) {
                out.printf("%-8s %-14s   -> %s%n", "", "", finding.remedy());
            }
        }
        out.println(fit ? "link=" + link + " can be used here" : "link=" + link + " cannot be used here yet");
        out.flush();
        return fit ? 0 : 1;
    }
}
