package dev.millrace.benchmarks.ab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The command lines of the two JVMs; those of the two sides differ in the flag and in the address, in nothing else. */
final class EchoCommands {
    private static final String SERVER_ADDRESS = "198.18.0.1";
    private static final String CLIENT_ADDRESS = "198.18.0.2";
    private static final String KERNEL_ADDRESS = "127.0.0.1";
    private static final String PACKAGE = "dev.millrace.benchmarks.echo.";

    private final Path jar;
    private final String classPath;
    private final List<String> jvmArguments;
    private final List<Integer> cpus;
    private final int port;

    /**
     * @param jar {@code millrace.jar}
     * @param classPath of the echo programs
     * @param cpus two at least: the server's and the client's
     * @param port the server's; the next one is used too
     */
    EchoCommands(Path jar, String classPath, List<String> jvmArguments, List<Integer> cpus, int port) {
        this.jar = jar;
        this.classPath = classPath;
        this.jvmArguments = jvmArguments;
        this.cpus = cpus;
        this.port = port;
    }

    List<String> server(Side side, @Nullable LinkPair link, String settings) {
        List<String> command = java(cpus.get(0));
        if (side == Side.MILLRACE && link != null) {
            command.add(flag(link.server(), SERVER_ADDRESS, settings));
        }
        command.addAll(
                List.of(PACKAGE + "EchoServer", side == Side.MILLRACE ? SERVER_ADDRESS : KERNEL_ADDRESS, "" + port));
        return command;
    }

    List<String> client(Side side, @Nullable LinkPair link, String settings, EchoPlan plan, long serverPid) {
        List<String> command = java(cpus.get(1));
        if (side == Side.MILLRACE && link != null) {
            command.add(flag(link.client(), CLIENT_ADDRESS, settings));
        }
        command.addAll(List.of(
                PACKAGE + "EchoClient",
                side == Side.MILLRACE ? SERVER_ADDRESS : KERNEL_ADDRESS,
                "" + port,
                "" + serverPid,
                "" + plan.warmUpMs(),
                "" + plan.measureMs()));
        command.addAll(plan.phases());
        return command;
    }

    private List<String> java(int cpu) {
        List<String> command = new ArrayList<>(
                List.of("taskset", "-c", "" + cpu, Path.of(System.getProperty("java.home"), "bin", "java") + ""));
        command.addAll(jvmArguments);
        command.addAll(List.of("-cp", classPath));
        return command;
    }

    private String flag(String link, String address, String settings) {
        return "-javaagent:" + jar + "=link=" + link + ";address=" + address + "/24" + settings;
    }
}
