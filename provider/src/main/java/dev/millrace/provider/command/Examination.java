package dev.millrace.provider.command;

import dev.millrace.io.dpdk.DpdkInstallation;
import dev.millrace.provider.Links;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Looks at everything that decides which links this machine can open. Changes nothing. */
final class Examination {
    private static final int OLDEST_JDK = 25;
    private static final int CAP_NET_ADMIN = 12; // linux/capability.h
    private static final int CAP_NET_RAW = 13;
    private static final Path HUGEPAGES = Path.of("/sys/kernel/mm/hugepages");
    private static final Path INTERFACES = Path.of("/sys/class/net");

    private Examination() {}

    static List<Finding> ofThisMachine() {
        List<Finding> findings = new ArrayList<>();
        findings.add(jdk());
        findings.add(system());
        findings.add(privilege());
        findings.add(tun());
        findings.add(dpdk());
        findings.add(hugepages());
        findings.add(interfaces());
        findings.add(backends());
        return findings;
    }

    private static Finding jdk() {
        int feature = Runtime.version().feature();
        String state =
                System.getProperty("java.vm.name") + " " + Runtime.version() + " in " + System.getProperty("java.home");
        return feature >= OLDEST_JDK
                ? Finding.good("jdk", state)
                : Finding.missing("jdk", state, "install JDK 25 or newer and set JAVA_HOME", "loop", "tap", "dpdk");
    }

    private static Finding system() {
        String state = System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch") + ", "
                + Runtime.getRuntime().availableProcessors() + " processors";
        return System.getProperty("os.name").equals("Linux")
                ? Finding.good("system", state)
                : Finding.missing("system", state, "run on Linux; elsewhere only link=loop works", "tap", "dpdk");
    }

    private static Finding privilege() {
        long capabilities = effectiveCapabilities();
        boolean admin = (capabilities >> CAP_NET_ADMIN & 1) != 0;
        boolean raw = (capabilities >> CAP_NET_RAW & 1) != 0;
        return admin && raw
                ? Finding.good("privilege", "CAP_NET_ADMIN and CAP_NET_RAW")
                : Finding.missing(
                        "privilege",
                        (admin ? "CAP_NET_ADMIN" : "no CAP_NET_ADMIN") + (raw ? ", CAP_NET_RAW" : ", no CAP_NET_RAW"),
                        "run as root (sudo), or: setcap cap_net_admin,cap_net_raw+ep on a java of your own",
                        "tap",
                        "dpdk");
    }

    private static long effectiveCapabilities() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("CapEff:")) {
                    return Long.parseUnsignedLong(
                            line.substring("CapEff:".length()).strip(), 16);
                }
            }
        } catch (IOException e) {
            return 0; // no /proc: not Linux, which is a finding of its own
        }
        return 0;
    }

    private static Finding tun() {
        Path device = Path.of("/dev/net/tun");
        if (!Files.exists(device)) {
            return Finding.missing(
                    "tun",
                    device + " does not exist",
                    "modprobe tun; or: mkdir -p /dev/net && mknod /dev/net/tun c 10 200",
                    "tap");
        }
        return Files.isReadable(device) && Files.isWritable(device)
                ? Finding.good("tun", device + " can be opened")
                : Finding.missing("tun", device + " may not be opened by this user", "run as root (sudo)", "tap");
    }

    private static Finding dpdk() {
        try {
            return Finding.good("dpdk", DpdkInstallation.version());
        } catch (LinkException e) {
            return Finding.missing(
                    "dpdk",
                    String.valueOf(e.getMessage()),
                    "apt-get install librte-meta-net librte-meta-mempool",
                    "dpdk");
        }
    }

    /** Not needed for every DPDK device; memif and vhost need them, af_packet, af_xdp and tap do not. */
    private static Finding hugepages() {
        List<String> sizes = new ArrayList<>();
        long reserved = 0;
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(HUGEPAGES)) {
            for (Path directory : directories) {
                long total = number(directory.resolve("nr_hugepages"));
                reserved += total;
                sizes.add(directory.getFileName().toString().replace("hugepages-", "") + ": " + total + " reserved, "
                        + number(directory.resolve("free_hugepages")) + " free");
            }
        } catch (IOException e) {
            sizes.add("the kernel has none");
        }
        String state = String.join("; ", sizes);
        return reserved > 0
                ? Finding.good("hugepages", state)
                : Finding.missing(
                        "hugepages",
                        state + " (memif, vhost and network cards need them, other DPDK devices do not)",
                        "echo 512 > " + HUGEPAGES + "/hugepages-2048kB/nr_hugepages");
    }

    private static long number(Path file) throws IOException {
        return Long.parseLong(Files.readString(file).strip());
    }

    private static Finding interfaces() {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(INTERFACES)) {
            for (Path link : links) {
                names.add(link.getFileName() + driver(link));
            }
        } catch (IOException e) {
            return Finding.missing("interfaces", INTERFACES + " cannot be read", "mount sysfs", "tap", "dpdk");
        }
        names.sort(null);
        return Finding.good("interfaces", String.join(", ", names));
    }

    /** The driver and PCI address of a real card; nothing for virtual interfaces. */
    private static String driver(Path link) throws IOException {
        Path device = link.resolve("device");
        Path driver = device.resolve("driver");
        return Files.exists(driver)
                ? " (" + driver.toRealPath().getFileName() + ", "
                        + device.toRealPath().getFileName() + ")"
                : "";
    }

    private static Finding backends() {
        List<LinkFactory> factories = Links.factories();
        String usages = factories.stream().map(LinkFactory::usage).collect(Collectors.joining(" | "));
        return factories.isEmpty()
                ? Finding.missing("links", "no backend in the jar", "rebuild: ./millrace build", "loop", "tap", "dpdk")
                : Finding.good("links", usages);
    }
}
