package dev.millrace.compat.demo;

import dev.millrace.compat.app.Content;
import dev.millrace.compat.app.Site;
import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Command;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;
import dev.millrace.compat.lab.RunningProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The demo across a link: the server in one namespace, kernel clients in another. */
final class LinkDemo {
    private static final String SERVER_CLASS = "dev.millrace.compat.netty.NettyHttpServer";
    private static final String LOAD_CLASS = "dev.millrace.compat.client.KernelLoad";
    private static final String SERVER = "198.18.0.1";
    private static final String CLIENT = "198.18.0.2";
    private static final String PORT = "8080";
    private static final String SERVER_DEVICE = "mr0";
    private static final String CLIENT_DEVICE = "peer0";
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration LOAD = Duration.ofSeconds(60);

    private final Application application;
    private final String kind;
    private final List<String> summaries = new ArrayList<>();

    LinkDemo(Application application, String kind) {
        this.application = application;
        this.kind = kind;
    }

    boolean run() throws IOException {
        boolean good = true;
        for (boolean onStack : new boolean[] {true, false}) {
            try (Lab lab = new Lab()) {
                good &= serveAndAsk(lab, onStack);
            }
        }
        System.out.println();
        summaries.forEach(System.out::println);
        return good;
    }

    private boolean serveAndAsk(Lab lab, boolean onStack) throws IOException {
        Namespace host = lab.namespace("h");
        Namespace peer = lab.namespace("p");
        String kernelDevice = connect(lab, host, peer);
        peer.address(CLIENT_DEVICE, CLIENT + "/24");
        Path report = lab.folder().resolve("report");
        String link = kind.equals("tap") ? "tap:" + SERVER_DEVICE : "dpdk:net_af_packet0,iface=" + SERVER_DEVICE;
        String settings = "link=" + link + ";address=" + SERVER + "/24;report=" + report;
        List<String> command;
        if (onStack) {
            command = application.onMillrace(settings, SERVER_CLASS, "--address", SERVER, "--port", PORT);
            title("On the stack: java -javaagent:millrace.jar=" + settings + " … NettyHttpServer");
        } else {
            host.address(kernelDevice, SERVER + "/24");
            command = application.onKernel(SERVER_CLASS, "--address", SERVER, "--port", PORT);
            title("On the kernel: java … NettyHttpServer, the same namespaces and link");
        }
        RunningProcess server = host.start("server", command);
        server.awaitLine(START, line -> line.startsWith("LISTENING"));
        server.output().lines().forEach(line -> System.out.println("  server  " + line));
        boolean good = fetch(peer);
        good &= load(peer, onStack);
        server.stop();
        if (server.output().contains("Exception")) {
            System.out.println(server.output());
            good = false;
        }
        if (onStack) {
            good &= show(report);
        }
        return good;
    }

    /** Makes the link; returns the server side's interface on which the kernel would have its address. */
    private String connect(Lab lab, Namespace host, Namespace peer) {
        if (kind.equals("tap")) {
            lab.bridgedTap(host, SERVER_DEVICE, peer, CLIENT_DEVICE);
            return "br" + SERVER_DEVICE;
        }
        lab.veth(host, SERVER_DEVICE, peer, CLIENT_DEVICE);
        host.leaveToUserspace(SERVER_DEVICE);
        return SERVER_DEVICE;
    }

    /** Pages by curl, compared with what the server should have sent. */
    private static boolean fetch(Namespace peer) {
        String url = "http://" + SERVER + ":" + PORT;
        String page = peer.succeed(LOAD, List.of("curl", "-sS", "--fail", url + "/"));
        boolean pageRight = page.equals(new String(Site.page(), StandardCharsets.UTF_8));
        long bytes = 50_000_000;
        String digest = peer.digest(LOAD, List.of("curl", "-sS", "--fail", url + Site.BYTES + bytes));
        boolean downloadRight = digest.equals(Content.sha256(bytes));
        System.out.println("  curl    " + url + "/ " + verdict(pageRight) + ", " + bytes / 1_000_000 + " MB download "
                + verdict(downloadRight));
        return pageRight && downloadRight;
    }

    private boolean load(Namespace peer, boolean onStack) {
        boolean good = load(peer, onStack, "16 connections kept alive", true, 16, 40_000);
        good &= load(peer, onStack, "a connection each, 16 at a time", false, 16, 8_000);
        return good;
    }

    private boolean load(
            Namespace peer, boolean onStack, String what, boolean keepAlive, int connections, int requests) {
        Command.Result result = peer.run(
                LOAD,
                application.onKernel(
                        LOAD_CLASS,
                        "--server",
                        SERVER,
                        "--port",
                        PORT,
                        "--connections",
                        Integer.toString(connections),
                        "--requests",
                        Integer.toString(requests),
                        "--path",
                        "/bytes/200",
                        "--keepalive",
                        Boolean.toString(keepAlive)));
        String line = result.output().strip();
        System.out.println("  load    " + what + ": " + line);
        summaries.add((onStack ? "stack   " : "kernel  ") + what + ": " + line);
        return result.exitCode() == 0;
    }

    /** What Millrace says itself: each socket's path with its reason, and the counters. */
    private static boolean show(Path report) throws IOException {
        String text = Files.readString(report);
        for (String line : text.lines().toList()) {
            if (line.contains("TIME_WAIT") || line.strip().equals("…")) {
                continue; // of no interest, and many
            }
            System.out.println("  report  " + line);
        }
        boolean bypassed = text.contains("listen " + SERVER + ":" + PORT + " -> stack");
        if (!bypassed) {
            System.out.println("  report  the listener was NOT on the stack");
        }
        return bypassed;
    }

    private static String verdict(boolean right) {
        return right ? "right" : "WRONG";
    }

    private static void title(String text) {
        System.out.println();
        System.out.println(text);
    }
}
