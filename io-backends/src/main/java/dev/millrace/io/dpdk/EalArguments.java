package dev.millrace.io.dpdk;

import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The command line for {@code rte_eal_init}.
 *
 * <p>Memory: huge pages when enough are free (anonymous, so no file and no mount is needed; in one descriptor, because a vhost back end takes no
 * more than eight regions), else ordinary memory, which every virtual device can use. A PCI device needs huge pages. What the user passes as {@code dpdk.args} comes last and replaces the choice made here.
 *
 * @param words the arguments, the program's name first
 * @param remedy what to try when it fails
 */
record EalArguments(List<String> words, String remedy) {
    static final String PREFIX = "millrace-";

    private static final Path HUGEPAGES = Path.of("/sys/kernel/mm/hugepages");
    private static final List<String> MEMORY_OPTIONS = List.of(
            "-m", "--no-huge", "--in-memory", "--huge-dir", "--socket-mem", "--legacy-mem", "--single-file-segments");
    private static final List<String> CORE_OPTIONS = List.of("-l", "-c", "--lcores");
    private static final int ENVIRONMENT_MIB = 64;
    private static final long BYTES_PER_PACKET = 2816; // mbuf, headroom, 2 KiB and the pool's share
    private static final int DESCRIPTORS_PER_QUEUE = 4096;

    static EalArguments of(DeviceSpec device, LinkOptions options) throws LinkException {
        List<String> extra = options.extraArguments();
        List<String> words = new ArrayList<>(List.of("millrace", "--no-telemetry", "--file-prefix=" + filePrefix()));
        if (!containsAny(extra, CORE_OPTIONS)) {
            words.add("--lcores=0@" + firstAllowedCpu());
        }
        if (device.isPci()) {
            words.add("-a");
            words.add(device.link().substring("dpdk:".length()));
        } else {
            words.add("--no-pci");
        }
        long needMib = 2L * memoryMib(options); // a second link in this JVM shall find room
        boolean huge = freeHugeMib() >= needMib;
        String reserve = "run 'sysctl -w vm.nr_hugepages=" + needMib / 2 + "' as root";
        String remedy;
        if (containsAny(extra, MEMORY_OPTIONS)) {
            remedy = huge || extra.contains("--no-huge")
                    ? "leave its memory options out"
                    : "give its memory options " + needMib + " MiB of free huge pages: " + reserve;
        } else {
            if (device.isPci() && !huge) {
                throw new LinkException(
                        device.link() + ": a PCI device needs " + needMib + " MiB of free huge pages: " + reserve);
            }
            words.addAll(
                    huge
                            ? List.of("--in-memory", "--single-file-segments")
                            : List.of("--no-shconf", "--no-huge", "-m", Long.toString(needMib)));
            remedy = huge ? "set dpdk.args to '--no-huge -m " + needMib + "'" : "free " + needMib + " MiB of memory";
        }
        words.addAll(extra);
        if (!extra.isEmpty()) {
            remedy = "check dpdk.args=" + String.join(" ", extra) + " against DPDK's EAL parameters, or " + remedy;
        }
        return new EalArguments(List.copyOf(words), remedy);
    }

    /** Unique per process. */
    static String filePrefix() {
        return PREFIX + ProcessHandle.current().pid();
    }

    private static boolean containsAny(List<String> words, List<String> options) {
        return words.stream().anyMatch(word -> options.stream().anyMatch(word::startsWith));
    }

    private static long memoryMib(LinkOptions options) {
        long packets = (long) options.queues() * (options.packets() + DESCRIPTORS_PER_QUEUE);
        long bytesPerPacket = BYTES_PER_PACKET + Math.max(0, options.mtu() - 1500);
        return ENVIRONMENT_MIB + packets * bytesPerPacket / (1 << 20);
    }

    private static long freeHugeMib() throws LinkException {
        if (!Files.isDirectory(HUGEPAGES)) {
            return 0;
        }
        long kib = 0;
        try (DirectoryStream<Path> sizes = Files.newDirectoryStream(HUGEPAGES, "hugepages-*kB")) {
            for (Path size : sizes) {
                String digits = String.valueOf(size.getFileName()).replaceAll("[^0-9]", "");
                kib += Long.parseLong(digits)
                        * Long.parseLong(
                                Files.readString(size.resolve("free_hugepages")).strip());
            }
        } catch (IOException e) {
            throw new LinkException(
                    "dpdk: cannot read " + HUGEPAGES + ": " + e.getMessage() + ": choose memory with dpdk.args", e);
        }
        return kib >> 10;
    }

    /** Only the initialising thread is ever bound to it. */
    private static String firstAllowedCpu() throws LinkException {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.toLowerCase(Locale.ROOT).startsWith("cpus_allowed_list:")) {
                    return line.substring(line.indexOf(':') + 1).strip().split("[,-]", 2)[0];
                }
            }
            return "0";
        } catch (IOException e) {
            throw new LinkException(
                    "dpdk: cannot read /proc/self/status: " + e.getMessage() + ": is /proc mounted?", e);
        }
    }
}
