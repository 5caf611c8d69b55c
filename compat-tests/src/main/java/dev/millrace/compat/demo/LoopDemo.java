package dev.millrace.compat.demo;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Command;
import java.time.Duration;

/** The demo without any privilege: Netty's server and clients in one JVM over the loopback address, with the flag and without. */
final class LoopDemo {
    private static final String MAIN_CLASS = "dev.millrace.compat.onejvm.ServerAndClient";
    private static final String[] ARGUMENTS = {
        "--server", "netty", "--requests", "40000", "--connections", "16", "--bytes", "50000000"
    };
    private static final Duration LIMIT = Duration.ofSeconds(80);

    private final Application application;

    LoopDemo(Application application) {
        this.application = application;
    }

    boolean run() {
        System.out.println("\nOn the stack: java -javaagent:millrace.jar=report=stderr … ServerAndClient");
        Command.Result stack = Command.run(LIMIT, application.onMillrace("report=stderr", MAIN_CLASS, ARGUMENTS));
        print(stack);
        boolean bypassed = stack.output().contains("-> stack");
        if (!bypassed) {
            System.out.println("  no connection was on the stack");
        }
        System.out.println("\nOn the kernel: java … ServerAndClient");
        Command.Result kernel = Command.run(LIMIT, application.onKernel(MAIN_CLASS, ARGUMENTS));
        print(kernel);
        return stack.exitCode() == 0 && kernel.exitCode() == 0 && bypassed;
    }

    private static void print(Command.Result result) {
        result.output()
                .lines()
                .filter(line -> !line.contains("TIME_WAIT"))
                .forEach(line -> System.out.println("  " + line));
        if (result.exitCode() != 0) {
            System.out.println("  exit code " + result.exitCode());
        }
    }
}
