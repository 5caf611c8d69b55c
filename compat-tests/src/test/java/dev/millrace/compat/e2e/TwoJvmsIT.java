package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.HugePages;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** A Netty server and a Netty client, each in a JVM on Millrace, over shared memory: no kernel between them. */
@RequiresLab
@Timeout(300)
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
class TwoJvmsIT {
    /** So many that both JVMs find enough free for packets that two processes can share: vhost-user shares memory by its pages' files. */
    private static final int PAGES = 256;

    private static final String SERVER_ADDRESS = ";address=198.18.0.1/24,fd00:18::1/64";
    private static final String CLIENT_ADDRESS = ";address=198.18.0.2/24,fd00:18::2/64";

    @Test
    void overMemif() throws Exception {
        try (Lab lab = new Lab()) {
            Path socket = lab.folder().resolve("memif");
            talk(
                    lab,
                    "link=dpdk:net_memif0,role=server,socket=" + socket + ",socket-abstract=no",
                    "link=dpdk:net_memif0,role=client,socket=" + socket + ",socket-abstract=no");
        }
    }

    @Test
    void overVhostAndVirtioUser() throws Exception {
        try (Lab lab = new Lab()) {
            Path socket = lab.folder().resolve("vhost");
            talk(
                    lab,
                    "link=dpdk:net_vhost0,iface=" + socket,
                    "link=dpdk:net_virtio_user0,path=" + socket + ",queue_size=1024");
        }
    }

    private static void talk(Lab lab, String serverLink, String clientLink) {
        HugePages.reserve(lab, PAGES);
        Namespace namespace = lab.namespace("m");
        RunningProcess server = Applications.serve(namespace, serverLink + SERVER_ADDRESS, Applications.NETTY);
        String client = clientLink + CLIENT_ADDRESS;
        ask(namespace, client, "198.18.0.1", true, 10_000, "--path", "/bytes/1000");
        ask(namespace, client, "fd00:18::1", false, 10_000, "--path", "/");
        ask(namespace, client, "198.18.0.1", true, 1, "--path", "/bytes/" + KernelClients.GIBIBYTE);
        ask(
                namespace,
                client,
                "198.18.0.1",
                true,
                1,
                "--path",
                "/upload",
                "--upload",
                Long.toString(KernelClients.GIBIBYTE));
        server.stop();
    }

    private static void ask(
            Namespace namespace, String settings, String host, boolean keepAlive, int requests, String... more) {
        String[] fixed = {
            "--server",
            host,
            "--requests",
            Integer.toString(requests),
            "--connections",
            requests == 1 ? "1" : "32",
            "--keepalive",
            Boolean.toString(keepAlive)
        };
        String[] arguments = java.util.stream.Stream.concat(
                        java.util.Arrays.stream(fixed), java.util.Arrays.stream(more))
                .toArray(String[]::new);
        Command.Result result = namespace.run(
                Duration.ofMinutes(2),
                Applications.application().onMillrace(settings, Applications.NETTY_CLIENT, arguments));
        assertEquals(0, result.exitCode(), result.output());
    }
}
