package dev.millrace.compat.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Namespaces, links, processes and a folder for their files, all removed when the lab is closed, also when the test failed or the JVM
 * was told to end. Names carry the JVM's process id, so that several labs on one machine do not meet. Any thread.
 */
public final class Lab implements AutoCloseable {
    private static final Duration CONFIGURE = Duration.ofSeconds(20);
    private static final AtomicInteger COUNT = new AtomicInteger();

    private final String prefix = "mrl" + ProcessHandle.current().pid() + "x" + COUNT.incrementAndGet();
    /** What ends the lab, last made first. */
    private final Deque<Runnable> undo = new ArrayDeque<>();

    private boolean ended;

    private final Thread atExit = new Thread(this::removeAll, "removal of " + prefix);
    private final Path folder;

    public Lab() {
        try {
            folder = Files.createTempDirectory("mrl");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        undo.push(this::removeFolder);
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** Whether this process may make namespaces: it is root, in the machine's user namespace or in one of its own. */
    public static boolean isPermitted() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A folder for sockets, captures and the like. */
    public Path folder() {
        return folder;
    }

    /** Makes a namespace with its loopback interface up. */
    public synchronized Namespace namespace(String name) {
        checkNotEnded();
        String whole = prefix + name;
        Command.succeed(CONFIGURE, List.of("ip", "netns", "add", whole));
        undo.push(() -> removeNamespace(whole));
        Namespace namespace = new Namespace(this, whole);
        namespace.ip("link", "set", "lo", "up");
        return namespace;
    }

    /** With what still runs there: a command that another thread waits for, when this JVM has been told to end. */
    private static void removeNamespace(String name) {
        Command.run(CONFIGURE, List.of("ip", "netns", "pids", name))
                .output()
                .lines()
                .filter(line -> line.strip().matches("[0-9]+"))
                .map(pid -> ProcessHandle.of(Long.parseLong(pid.strip())))
                .forEach(process -> process.ifPresent(ProcessHandle::destroyForcibly));
        Command.run(CONFIGURE, List.of("ip", "netns", "del", name));
    }

    private void checkNotEnded() {
        if (ended) {
            throw new LabException("the lab " + prefix + " has ended");
        }
    }

    /** A pair of Ethernet interfaces, one in each namespace, down and without addresses; frames on it are whole and checksummed. */
    public void veth(Namespace left, String leftDevice, Namespace right, String rightDevice) {
        left.ip("link", "add", leftDevice, "type", "veth", "peer", "name", rightDevice, "netns", right.name());
        left.turnOffOffloads(leftDevice);
        right.turnOffOffloads(rightDevice);
    }

    /** A tap interface in {@code host}, that a process there may attach to, bridged to a new interface in {@code peer}. */
    public void bridgedTap(Namespace host, String tap, Namespace peer, String peerDevice) {
        String bridge = "br" + tap;
        host.ip("link", "add", bridge, "type", "bridge", "mcast_snooping", "0");
        host.ip("tuntap", "add", "dev", tap, "mode", "tap");
        veth(host, "to" + tap, peer, peerDevice);
        for (String device : List.of(tap, "to" + tap)) {
            host.ip("link", "set", device, "master", bridge);
            host.leaveToUserspace(device);
        }
        host.leaveToUserspace(bridge);
    }

    /** Has {@code action} run when the lab ends, after what was made later. */
    public synchronized void onClose(Runnable action) {
        checkNotEnded();
        undo.push(action);
    }

    /** Starts a process in the machine's own namespace; it ends with the lab at the latest. */
    public synchronized RunningProcess start(String name, List<String> words) {
        checkNotEnded();
        RunningProcess process = RunningProcess.start(name, words);
        undo.push(process::kill);
        return process;
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(atExit);
        removeAll();
    }

    private synchronized void removeAll() {
        ended = true;
        LabException failure = null;
        while (!undo.isEmpty()) {
            try {
                undo.pop().run();
            } catch (LabException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void removeFolder() {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new LabException("cannot remove " + folder, e);
        }
    }
}
