package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The applications under test, and how they are started. */
final class Applications {
    static final String NETTY = "dev.millrace.compat.netty.NettyHttpServer";
    static final String NETTY_CLIENT = "dev.millrace.compat.netty.NettyHttpClient";
    static final String JETTY = "dev.millrace.compat.jetty.JettyHttpServer";
    static final String BLOCKING = "dev.millrace.compat.blocking.BlockingHttpServer";
    static final String ONE_JVM = "dev.millrace.compat.onejvm.ServerAndClient";
    static final String JDK_CLIENT = "dev.millrace.compat.client.JdkClient";
    static final String KERNEL_LOAD = "dev.millrace.compat.client.KernelLoad";
    static final String CONVERSATION = "dev.millrace.compat.client.Conversation";

    /**
     * Runs the servers on the kernel instead of on Millrace, in the same topology: where a test fails then, the test is wrong.
     */
    static final boolean ORACLE = Boolean.getBoolean("compat.oracle");

    private static final Duration START = Duration.ofSeconds(30);

    private Applications() {}

    /** The class path of the build, and the agent's jar, which the build makes before these tests. */
    static Application application() {
        Path module = Path.of("").toAbsolutePath();
        Path jar = Path.of(System.getProperty("compat.millrace.jar", "../provider/target/millrace.jar"));
        assertTrue(Files.exists(jar), jar.toAbsolutePath() + " is missing: ./millrace build makes it");
        return new Application(List.of(module.resolve("target/classes"), module.resolve("target/lib/*")), jar);
    }

    /** Starts a server on Millrace in {@code namespace} and waits until it accepts. */
    static RunningProcess serve(Namespace namespace, String settings, String mainClass, String... arguments) {
        RunningProcess server = namespace.start(
                mainClass.substring(mainClass.lastIndexOf('.') + 1),
                ORACLE
                        ? application().onKernel(mainClass, arguments)
                        : application().onMillrace(settings, mainClass, arguments));
        server.awaitLine(START, line -> line.startsWith("LISTENING"));
        return server;
    }

    /** Starts a {@code Conversation} of kernel sockets in {@code namespace}. */
    static RunningProcess converse(Namespace namespace) {
        RunningProcess conversation =
                namespace.start("conversation", application().onKernel(CONVERSATION));
        conversation.awaitLine(START, line -> line.startsWith("ready"));
        return conversation;
    }
}
