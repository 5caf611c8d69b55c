package dev.millrace.io.dpdk;

import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * DPDK's environment (EAL), of which a process has one, for its whole life: DPDK cannot be initialised twice. Devices are plugged in and out of it.
 *
 * <p>Initialisation runs in a thread of its own, because DPDK binds the initialising thread to a CPU and an application's thread must stay where it was. No
 * secondary process will ever share the environment, so its runtime files are removed at once, and nothing is left behind however the JVM ends.
 */
final class Eal {
    private static @Nullable Eal started;
    private static @Nullable String failure;

    private final EalLog log;
    private final boolean pci;

    private Eal(EalLog log, boolean pci) {
        this.log = log;
        this.pci = pci;
    }

    /** The environment, started for {@code device} if this is the first one. */
    static synchronized Eal forDevice(DeviceSpec device, LinkOptions options) throws LinkException {
        String before = failure;
        if (before != null) {
            throw new LinkException(device.link()
                    + ": DPDK has failed to start before in this JVM and cannot be tried again: " + before);
        }
        Eal eal = started;
        if (eal == null) {
            DpdkLibrary.load();
            EalArguments arguments = EalArguments.of(device, options);
            eal = new Eal(new EalLog(), device.isPci());
            try {
                eal.init(device, arguments);
            } catch (LinkException e) {
                failure = e.getMessage();
                throw e;
            }
            started = eal;
        }
        if (device.isPci() && !eal.pci) {
            throw new LinkException(
                    device.link()
                            + ": this JVM's first DPDK link was a virtual device, so PCI was left out: open the PCI link first");
        }
        return eal;
    }

    private void init(DeviceSpec device, EalArguments arguments) throws LinkException {
        int[] result = new int[2];
        log.keep();
        Thread thread = Thread.ofPlatform().name("millrace-dpdk-init").unstarted(() -> {
            result[0] = log.keepingAll(() -> callInit(arguments.words()));
            result[1] = result[0] < 0 ? Dpdk.rteErrno() : 0;
        });
        thread.start();
        joinUninterruptibly(thread);
        removeRuntimeFiles();
        if (result[0] < 0) {
            String reason = Dpdk.strerror(result[1]) + " (" + log.lastLines() + ")";
            throw new LinkException(device.link() + ": DPDK does not start: " + reason + ": " + arguments.remedy());
        }
        log.letErrorsOut();
    }

    /** DPDK keeps pointers into the arguments, so they are never freed. */
    private static int callInit(List<String> words) {
        Arena arena = Arena.global();
        MemorySegment vector = arena.allocate(8L * (words.size() + 1), 8);
        for (int i = 0; i < words.size(); i++) {
            vector.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(words.get(i)));
        }
        return Dpdk.ealInit(words.size(), vector);
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void removeRuntimeFiles() throws LinkException {
        String name = Dpdk.runtimeDirectory();
        Path directory = Path.of(name);
        if (name.isEmpty() || !name.contains(EalArguments.filePrefix()) || !Files.isDirectory(directory)) {
            return;
        }
        try {
            remove(directory);
            removeThoseOfTheDead(directory.resolve("..").normalize());
        } catch (IOException e) {
            throw new LinkException(
                    "dpdk: cannot remove the runtime files in " + directory + ": " + e.getMessage()
                            + ": remove them by hand",
                    e);
        }
    }

    /** Also when another JVM is removing it at the same time. */
    private static void remove(Path directory) throws IOException {
        String[] names = directory.toFile().list();
        if (names != null) {
            for (String name : names) {
                Files.deleteIfExists(directory.resolve(name));
            }
            Files.deleteIfExists(directory);
        }
    }

    /** A JVM that was killed during its initialisation could not remove its own. */
    private static void removeThoseOfTheDead(Path parent) throws IOException {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(parent, EalArguments.PREFIX + "[0-9]*")) {
            for (Path directory : directories) {
                String pid = String.valueOf(directory.getFileName()).substring(EalArguments.PREFIX.length());
                boolean dead = pid.matches("[0-9]{1,10}")
                        && ProcessHandle.of(Long.parseLong(pid)).isEmpty();
                if (dead && Files.isWritable(directory)) {
                    remove(directory);
                }
            }
        }
    }

    /** Attaches a device and answers its port number. */
    short plugIn(DeviceSpec device) throws LinkException {
        synchronized (Eal.class) {
            if (device.driver().equals("net_af_xdp")) {
                EalLog.silenceBpfLibraries();
            }
            if (device.driver().equals("net_memif")) {
                ControlCallbacks.install();
            }
            log.keep();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment name = arena.allocateFrom(device.name());
                MemorySegment port = arena.allocate(2, 2);
                if (Dpdk.portByName(name, port) != 0 || !device.isPci()) {
                    int result = Dpdk.hotplugAdd(
                            arena.allocateFrom(device.bus()), name, arena.allocateFrom(device.arguments()));
                    if (result < 0) {
                        throw failed(device, "cannot be opened", result);
                    }
                }
                if (Dpdk.portByName(name, port) != 0) {
                    throw new LinkException(
                            device.link() + ": is not a network device: name one whose driver begins with net_");
                }
                return port.get(ValueLayout.JAVA_SHORT, 0);
            } finally {
                log.letErrorsOut();
            }
        }
    }

    /** Detaches a device whose port is closed. */
    void unplug(DeviceSpec device) {
        synchronized (Eal.class) {
            try (Arena arena = Arena.ofConfined()) {
                Dpdk.hotplugRemove(arena.allocateFrom(device.bus()), arena.allocateFrom(device.name()));
            }
        }
    }

    /** Runs a set-up step with the log kept. */
    void step(DeviceSpec device, String what, Step step) throws LinkException {
        synchronized (Eal.class) {
            log.keep();
            try {
                int result = step.run();
                if (result < 0) {
                    throw failed(device, what, result);
                }
            } finally {
                log.letErrorsOut();
            }
        }
    }

    /** A DPDK call that answers a negative errno when it fails. */
    @FunctionalInterface
    interface Step {
        int run() throws LinkException;
    }

    private LinkException failed(DeviceSpec device, String what, int result) {
        String lines = log.lastLines();
        // many drivers answer a plain −1, which is not EPERM: then the log alone tells why
        String why = lines.isEmpty()
                ? Dpdk.strerror(-result)
                : result == -1 ? lines : Dpdk.strerror(-result) + " (" + lines + ")";
        return new LinkException(device.link() + ": " + what + ": " + why + ": " + DriverAdvice.of(device, -result));
    }
}
