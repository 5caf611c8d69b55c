package dev.millrace.compat.demo;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.lab.Application;
import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.LabException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Shows the whole of Millrace in a minute: Netty's HTTP server, unmodified, answers kernel clients across a link on the userspace stack;
 * then the same server without the flag, in the same topology. {@code Demo --jar millrace.jar --link tap|dpdk|loop}.
 *
 * <p>Prints what ran, which path each socket took and why, the counters, requests and latency of both; the exit code is 1 if anything was
 * wrong. Where it may not make network namespaces it runs over {@code loop}, server and client in one JVM, and says so.
 */
public final class Demo {
    private static final Set<String> LINKS = Set.of("tap", "dpdk", "loop");

    private Demo() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("jar", "link"));
        String link = arguments.text("link", "tap");
        if (!LINKS.contains(link)) {
            System.err.println("--link " + link + " is none of tap, dpdk, loop");
            System.exit(2);
        }
        Path jar = Path.of(arguments.text("jar", "provider/target/millrace.jar"));
        Application application = new Application(classPath(), jar);
        if (!link.equals("loop") && !Lab.isPermitted()) {
            System.out.println("demo: no right to make network namespaces here, so over loop instead of " + link);
            link = "loop";
        }
        boolean good;
        try {
            good = link.equals("loop") ? new LoopDemo(application).run() : new LinkDemo(application, link).run();
        } catch (LabException e) {
            System.out.println("demo: failed: " + e.getMessage());
            good = false;
        }
        System.out.println(good ? "demo: everything was answered rightly" : "demo: something was WRONG, see above");
        System.exit(good ? 0 : 1);
    }

    /** The class path this program was started with: applications and libraries, nothing of Millrace. */
    private static List<Path> classPath() throws IOException {
        String whole = System.getProperty("java.class.path");
        Path classes = Path.of(whole.substring(0, whole.indexOf(File.pathSeparatorChar)));
        Path libraries = classes.resolveSibling("lib");
        if (!Files.isDirectory(libraries)) {
            throw new IOException(libraries + " is missing: ./millrace build makes it");
        }
        return List.of(classes, libraries.resolve("*"));
    }
}
