package dev.millrace.compat.demo;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.LabCommand;
import dev.millrace.compat.lab.LabException;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Shows the whole of Millrace in a minute: Netty's HTTP server, unmodified, answers kernel clients across a link on the userspace stack;
 * then the same server without the flag, in the same topology.
 *
 * <p>Prints what ran, which path each socket took and why, the counters, requests and latency of both; the exit code is 1 if anything was
 * wrong. Where it may not make network namespaces it runs over {@code loop}, server and client in one JVM, and says so.
 */
@Command(
        name = "demo",
        description =
                "Netty's HTTP server, unmodified, answers kernel clients on the userspace stack; then without the flag.",
        footer = {"", "Without the right to make network namespaces it runs over loop, and says so."})
public final class Demo implements Callable<Integer> {
    /** Where the server's packets go. */
    enum Link {
        tap,
        dpdk,
        loop
    }

    @Mixin
    private final LabCommand lab = new LabCommand();

    @Option(names = "--link", description = "one of ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE})")
    private Link link = Link.tap;

    private Demo() {}

    public static void main(String[] args) {
        System.exit(LabCommand.execute(new Demo(), args));
    }

    @Override
    public Integer call() throws IOException {
        Application application = lab.application();
        if (link != Link.loop && !Lab.isPermitted()) {
            System.out.println("demo: no right to make network namespaces here, so over loop instead of " + link);
            link = Link.loop;
        }
        boolean good;
        try {
            good = link == Link.loop ? new LoopDemo(application).run() : new LinkDemo(application, link.name()).run();
        } catch (LabException e) {
            System.out.println("demo: failed: " + e.getMessage());
            good = false;
        }
        System.out.println(good ? "demo: everything was answered rightly" : "demo: something was WRONG, see above");
        return good ? 0 : 1;
    }
}
